//! What the control actor has done: by whatever it is that runs the node.

use std::collections::BTreeSet;

use super::message::{ActorRow, GroupRow, NodeStatus, OtherNode};
use super::sending::{NotSent, Reply, Sending};
use crate::directory::BoxFuture;
use crate::guest::Digest;
use crate::supervision::reload::{Reload, ReloadReport};

/// The node behind its control actor. Whatever fails, fails with a reason for people.
pub(crate) trait Service: Send + Sync + 'static {
    /// What runs here.
    fn status(&self) -> BoxFuture<'_, NodeStatus>;

    /// All actors of the process, those of other nodes excepted.
    fn actors(&self) -> BoxFuture<'_, Vec<ActorRow>>;

    /// The process groups with members that are known here.
    fn groups(&self) -> BoxFuture<'_, Vec<GroupRow>>;

    /// The nodes that there are sessions with.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>>;

    /// Replaces the code of a module, by its own file if the reload names no other, and reports how that went.
    fn reload(&self, reload: Reload) -> BoxFuture<'_, Result<ReloadReport, String>>;

    /// Goes back to the version before, and reports how that went.
    fn rollback(&self, module: String) -> BoxFuture<'_, Result<ReloadReport, String>>;

    /// The components that are in use, or may be gone back to.
    fn components(&self) -> BTreeSet<Digest>;

    /// Sends a message to an actor, and waits for its reply.
    fn call(&self, message: Sending) -> BoxFuture<'_, Result<Reply, NotSent>>;

    /// Sends a message to an actor, or to all members of a group. Gives how many got it.
    fn cast(&self, message: Sending) -> BoxFuture<'_, Result<usize, NotSent>>;
}
