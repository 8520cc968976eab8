//! What this node tells a peer of its own actors: natives and guests alike.

use ractor::registry::get_all_pids;
use ractor::{ActorCell, ActorId, ActorStatus, pg};

use super::link::Link;
use crate::directory::{self, hosted_actors, is_ours};
use crate::session::LocalSnapshot;
use crate::wire::{Actor, GroupChange};

/// True for an actor that peers may know of: it lives here and its messages can be serialized.
pub(super) fn is_shared(cell: &ActorCell) -> bool {
    is_ours(cell.get_id()) && cell.supports_remoting()
}

/// The actor as peers see it.
pub(super) fn advertisement(cell: &ActorCell) -> Actor {
    Actor {
        pid: cell.get_id().pid(),
        name: cell.get_name(),
    }
}

/// Everything that is shared at this moment, all of it advertised on `link`. Changes must be monitored already, or one
/// that happens meanwhile is lost.
pub(super) fn snapshot(link: &Link) -> LocalSnapshot {
    let mut snapshot = LocalSnapshot::default();
    for cell in get_all_pids().into_iter().chain(hosted_actors()).filter(is_shared) {
        link.advertise(&cell);
        snapshot.actors.push(advertisement(&cell));
    }
    for key in pg::which_scopes_and_groups() {
        let members = pg::get_scoped_members(&key.get_scope(), &key.get_group());
        snapshot
            .groups
            .extend(group_change(link, key.get_scope(), key.get_group(), &members));
    }
    snapshot
}

/// The shared ones of `cells` as a change of a group, each of them advertised; none if there are none.
pub(super) fn group_change(link: &Link, scope: String, group: String, cells: &[ActorCell]) -> Option<GroupChange> {
    let shared = cells.iter().filter(|cell| is_shared(cell));
    // A member that has ended meanwhile must not be advertised again: nobody would ever withdraw it.
    let actors: Vec<_> = shared
        .filter(|cell| cell.get_status() < ActorStatus::Stopping)
        .map(|cell| {
            link.advertise(cell);
            advertisement(cell)
        })
        .collect();
    (!actors.is_empty()).then_some(GroupChange { scope, group, actors })
}

/// The shared ones of `cells` as actors that leave a group; none if there are none.
pub(super) fn group_leave(scope: String, group: String, cells: &[ActorCell]) -> Option<GroupChange> {
    let actors: Vec<_> = cells.iter().filter(|cell| is_shared(cell)).map(advertisement).collect();
    (!actors.is_empty()).then_some(GroupChange { scope, group, actors })
}

/// Has the session's actor told of everything that changes from now on. `hosted` is called for guests.
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
