//! What an actor may reach beyond itself. Nothing, unless it is granted.

use ractor::ActorCell;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {}

impl Grants {
    /// True if the actor may start children of this module.
    pub fn may_spawn(&self, _module: &str) -> bool {
        true
    }

    /// True if the actor may send to that one, beyond those that every actor may send to.
    pub fn may_send_to(&self, _actor: &ActorCell) -> bool {
        true
    }
}
