//! Process groups.

use ractor::{ActorRef, pg};

use crate::ParityMsg;

const SCOPE: &str = "parity-scope";

/// Joins a group, also in a scope of its own.
pub(crate) fn join(myself: &ActorRef<ParityMsg>, group: &str) -> String {
    pg::join(group.to_owned(), vec![myself.get_cell()]);
    pg::join_scoped(SCOPE.to_owned(), group.to_owned(), vec![myself.get_cell()]);
    let scope = SCOPE.to_owned();
    let group = group.to_owned();
    assert!(pg::get_scoped_members(&scope, &group).contains(myself));
    assert!(pg::which_scoped_groups(&scope).contains(&group));
    members(&group)
}

/// Leaves it again.
pub(crate) fn leave(myself: &ActorRef<ParityMsg>, group: &str) -> String {
    pg::leave_scoped(SCOPE.to_owned(), group.to_owned(), vec![myself.get_cell()]);
    pg::leave(group.to_owned(), vec![myself.get_cell()]);
    members(&group.to_owned())
}

/// Whether there is a group.
pub(crate) fn which(group: &str) -> String {
    let group = group.to_owned();
    let scoped = || pg::which_scoped_groups(&pg::DEFAULT_SCOPE.to_owned()).contains(&group);
    // News of another node may come between two looks, so the one in the middle agrees with the one before or the one after.
    let (before, listed, after) = (scoped(), pg::which_groups().contains(&group), scoped());
    assert!(listed == before || listed == after);
    after.to_string()
}

pub(crate) fn monitor(myself: &ActorRef<ParityMsg>, group: &str) -> String {
    pg::monitor(group.to_owned(), myself.get_cell());
    String::new()
}

pub(crate) fn demonitor(myself: &ActorRef<ParityMsg>, group: &str) -> String {
    pg::demonitor(group.to_owned(), myself.get_id());
    String::new()
}

fn members(group: &String) -> String {
    pg::get_members(group).len().to_string()
}
