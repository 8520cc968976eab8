//! Process groups: sets of actors under a name, kept in step across the cluster.
//!
//! A guest can enter, leave and monitor groups itself, not on behalf of others.

use crate::guest::actor::myself;
use crate::guest::bindings::ractor::actor::groups as host;
use crate::guest::{ActorCell, ActorId, GroupName, ScopeName};

/// The scope of the functions that take none.
pub const DEFAULT_SCOPE: &str = "__default_scope__";

/// A group's membership changed.
#[derive(Clone, Debug)]
pub enum GroupChangeMessage {
    /// Some actors joined a group.
    Join(ScopeName, GroupName, Vec<ActorCell>),
    /// Some actors left a group.
    Leave(ScopeName, GroupName, Vec<ActorCell>),
}

impl GroupChangeMessage {
    /// The group that changed.
    pub fn get_group(&self) -> GroupName {
        let (Self::Join(_, group, _) | Self::Leave(_, group, _)) = self;
        group.clone()
    }

    /// The scope of the group that changed.
    pub fn get_scope(&self) -> ScopeName {
        let (Self::Join(scope, _, _) | Self::Leave(scope, _, _)) = self;
        scope.clone()
    }
}

/// Adds this actor to a group of the default scope. `actors` may hold this actor only: any other is left out, which is
/// logged as an error.
pub fn join(group: GroupName, actors: Vec<ActorCell>) {
    join_scoped(DEFAULT_SCOPE.to_owned(), group, actors);
}

/// Adds this actor to a group of a scope. `actors` may hold this actor only: any other is left out, which is logged as
/// an error.
pub fn join_scoped(scope: ScopeName, group: GroupName, actors: Vec<ActorCell>) {
    if only_myself("join", &group, &actors) {
        host::join(&group, scope_option(&scope));
    }
}

/// Takes this actor out of a group of the default scope. `actors` may hold this actor only: any other is left in, which
/// is logged as an error.
pub fn leave(group: GroupName, actors: Vec<ActorCell>) {
    leave_scoped(DEFAULT_SCOPE.to_owned(), group, actors);
}

/// Takes this actor out of a group of a scope. `actors` may hold this actor only: any other is left in, which is logged
/// as an error.
pub fn leave_scoped(scope: ScopeName, group: GroupName, actors: Vec<ActorCell>) {
    if only_myself("leave", &group, &actors) {
        host::leave(&group, scope_option(&scope));
    }
}

/// Every member of a group that this node knows of, wherever it lives, in no particular order.
pub fn get_members(group: &GroupName) -> Vec<ActorCell> {
    cells(host::members(group, None))
}

/// Every member of a group of a scope that this node knows of, wherever it lives, in no particular order.
pub fn get_scoped_members(scope: &ScopeName, group: &GroupName) -> Vec<ActorCell> {
    cells(host::members(group, scope_option(scope)))
}

/// The members of a group that live on this node.
pub fn get_local_members(group: &GroupName) -> Vec<ActorCell> {
    cells(host::local_members(group, None))
}

/// The members of a group of a scope that live on this node.
pub fn get_scoped_local_members(scope: &ScopeName, group: &GroupName) -> Vec<ActorCell> {
    cells(host::local_members(group, scope_option(scope)))
}

/// The groups of the default scope that have a member, sorted. (ractor's names those of every scope.)
pub fn which_groups() -> Vec<GroupName> {
    let mut groups = host::which_groups(None);
    groups.sort_unstable();
    groups
}

/// The groups of a scope that have a member, in no particular order.
pub fn which_scoped_groups(scope: &ScopeName) -> Vec<GroupName> {
    host::which_groups(scope_option(scope))
}

/// Makes this actor hear of every change of a group of the default scope, in `handle_supervisor_evt`. `actor` must be
/// this actor: any other is logged as an error, and hears nothing.
pub fn monitor(group: GroupName, actor: ActorCell) {
    if only_myself("monitor", &group, &[actor]) {
        host::monitor(&group, None);
    }
}

/// Ends what [`monitor`] began. `actor` must be this actor: for any other it is logged as an error.
pub fn demonitor(group_name: GroupName, actor: ActorId) {
    if only_myself("demonitor", &group_name, &[ActorCell::from_pid(actor.into())]) {
        host::demonitor(&group_name, None);
    }
}

fn scope_option(scope: &str) -> Option<&str> {
    (scope != DEFAULT_SCOPE).then_some(scope)
}

fn cells(pids: Vec<crate::guest::bindings::Pid>) -> Vec<ActorCell> {
    pids.into_iter().map(ActorCell::from_pid).collect()
}

/// True if this actor is among `actors`. Logs every other, because the host lets an actor move only itself.
fn only_myself(verb: &str, group: &str, actors: &[ActorCell]) -> bool {
    let myself = myself();
    for actor in actors.iter().filter(|actor| **actor != myself) {
        tracing::error!(%group, actor = %actor.get_id(), "a guest can't {verb} a group on behalf of another actor; let that actor do it");
    }
    actors.contains(&myself)
}
