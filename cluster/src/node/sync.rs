//! What this node tells a peer of its own actors: natives and guests alike.

use ractor::registry::get_all_pids;
use ractor::{ActorCell, ActorId, ActorStatus, pg};

use super::left_out::LeftOut;
use super::link::Link;
use crate::directory::{self, SANDBOX_NODE_ID, hosted_actors, is_ours};
use crate::session::{LocalSnapshot, ToldGroups, ToldLeave};
use crate::wire::{Actor, GroupChange, MAX_NAME_BYTES, is_of_entities, is_of_type};

/// True for an actor that peers may know of: it lives here and its messages can be serialized.
pub(super) fn is_shared(cell: &ActorCell) -> bool {
    is_ours(cell.get_id()) && cell.supports_remoting()
}

/// True for the group of a type of entities that this process has.
pub(super) fn has_entities(group: &str) -> bool {
    is_of_type(group) && directory::where_is(group).is_some_and(|actor| is_hosted(&actor))
}

/// True for what this program itself hosts. Native actors of users, whom nobody keeps from names of entities, never are.
fn is_hosted(cell: &ActorCell) -> bool {
    cell.get_id().node() == SANDBOX_NODE_ID
}

/// Why peers don't hear of an actor.
enum Untold {
    /// They would not take its name, for its length.
    LongName(String),
    /// Its name is one of entities, and it is none.
    Reserved(String),
}

/// The actor as peers see it.
fn advertisement(cell: &ActorCell) -> Result<Actor, Untold> {
    let name = match cell.get_name() {
        Some(name) if is_of_entities(&name) && !is_hosted(cell) => return Err(Untold::Reserved(name)),
        // An entity is known by its pid alone where it is the member of a group: its name is found on its own node only.
        Some(name) if is_of_entities(&name) && !is_of_type(&name) => None,
        Some(name) if name.len() > MAX_NAME_BYTES => return Err(Untold::LongName(name)),
        name => name,
    };
    let pid = cell.get_id().pid();
    Ok(Actor { pid, name })
}

/// The actor as it is advertised on `link` from now on; none if peers would not take its name.
pub(super) fn advertise(link: &Link, cell: &ActorCell, left_out: &mut LeftOut) -> Option<Actor> {
    match advertisement(cell) {
        Ok(actor) => {
            link.advertise(cell);
            Some(actor)
        }
        Err(Untold::LongName(name)) => {
            left_out.own_actor(&name);
            None
        }
        Err(Untold::Reserved(name)) => {
            left_out.own_reserved(&name);
            None
        }
    }
}

/// Everything that is shared at this moment, all of it advertised on `link`. Changes must be monitored before, or one that happens
/// meanwhile is lost.
pub(super) fn snapshot(link: &Link, told: &mut ToldGroups, left_out: &mut LeftOut) -> LocalSnapshot {
    let mut snapshot = LocalSnapshot::default();
    for cell in get_all_pids().into_iter().chain(hosted_actors()) {
        if is_shared(&cell) && is_told_unasked(&cell, told) {
            snapshot.actors.extend(advertise(link, &cell, left_out));
        }
    }
    for key in pg::which_scopes_and_groups() {
        let change = members_to_tell(link, (key.get_scope(), key.get_group()), told, left_out);
        snapshot.groups.extend(change);
    }
    snapshot
}

/// True if the peer hears of this actor whatever groups it is in. Names are found everywhere; what has none is found by a group, or by
/// an address that somebody gave, and then the peer asks.
pub(super) fn is_told_unasked(cell: &ActorCell, told: &ToldGroups) -> bool {
    match cell.get_name() {
        Some(name) => told.has_named(&name),
        None => told.has_nameless(),
    }
}

/// Those present members of a group that the peer is yet to hear of.
pub(super) fn members_to_tell(
    link: &Link,
    (scope, group): (String, String),
    told: &mut ToldGroups,
    left_out: &mut LeftOut,
) -> Option<GroupChange> {
    // Before the members are looked at: there may be very many that nobody wants.
    if told.room(&scope, &group) == 0 {
        return None;
    }
    let members = pg::get_scoped_members(&scope, &group);
    group_change(link, (scope, group), &members, told, left_out)
}

/// The shared ones of `cells` as a change of a group, as far as the peer wants to hear of them, each of them advertised; none if there are
/// none.
pub(super) fn group_change(
    link: &Link,
    (scope, group): (String, String),
    cells: &[ActorCell],
    told: &mut ToldGroups,
    left_out: &mut LeftOut,
) -> Option<GroupChange> {
    let room = told.room(&scope, &group);
    if room == 0 {
        return None;
    }
    let shared = cells.iter().filter(|cell| is_shared(cell));
    // A member that has ended meanwhile must not be advertised again: nobody would ever withdraw it.
    let actors: Vec<_> = shared
        // ractor sets the status before it reports the end, so if the actor ends right after this check, its withdrawal is still to
        // come.
        .filter(|cell| cell.get_status() < ActorStatus::Stopping)
        .filter_map(|cell| advertise(link, cell, left_out))
        .take(room)
        .collect();
    let mut change = GroupChange { scope, group, actors };
    if change.retain_entitled(|actor| actor.name.clone()) > 0 {
        left_out.own_reserved(&change.group);
    }
    if change.actors.is_empty() {
        return None;
    }
    if change.has_long_name() {
        left_out.own_group(&change.scope, &change.group, change.actors.len());
        return None;
    }
    told.joined(&change);
    Some(change)
}

/// The shared ones of `cells` as actors that leave a group, as far as the peer knows of them; none if there are none.
pub(super) fn group_leave(
    (scope, group): (String, String),
    cells: &[ActorCell],
    told: &mut ToldGroups,
) -> Option<ToldLeave> {
    if !told.is_wanted(&group) {
        return None;
    }
    let shared = cells.iter().filter(|cell| is_shared(cell));
    // Nothing is advertised here: an actor that leaves a group may be about to end.
    let actors: Vec<_> = shared.filter_map(|cell| advertisement(cell).ok()).collect();
    let mut change = GroupChange { scope, group, actors };
    change.retain_entitled(|actor| actor.name.clone());
    if change.actors.is_empty() || change.has_long_name() {
        return None;
    }
    told.left(change)
}

/// Takes the shared actors out of all groups that `is_meant` says, as far as the peer knows of them.
pub(super) fn leave_groups(told: &mut ToldGroups, is_meant: impl Fn(&str) -> bool) -> Vec<GroupChange> {
    let groups = pg::which_scopes_and_groups().into_iter();
    let meant = groups.filter(|key| is_meant(&key.get_group()));
    let changes = meant.filter_map(|key| {
        let members = pg::get_scoped_members(&key.get_scope(), &key.get_group());
        group_leave((key.get_scope(), key.get_group()), &members, told)
    });
    changes.map(|left| left.change).collect()
}

/// Has the session's actor hear of everything that changes from now on. `hosted` is called for guests.
pub(super) fn monitor(session: &ActorCell, hosted: impl Fn(directory::HostedEvent) + Send + Sync + 'static) {
    ractor::registry::pid_registry::monitor(session.clone());
    directory::monitor_hosted(session.get_id(), hosted);
    pg::monitor_scope(pg::ALL_SCOPES_NOTIFICATION.to_owned(), session.clone());
}

/// Ends what [`monitor`] began. ractor's own monitors also end with the actor.
pub(super) fn demonitor(session: ActorId) {
    ractor::registry::pid_registry::demonitor(session);
    directory::demonitor_hosted(session);
    pg::demonitor_scope(pg::ALL_SCOPES_NOTIFICATION.to_owned(), session);
}
