//! A shard of this node, and how far it is on its way in or out.

use crate::words::{Epoch, Incarnation};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) epoch: Epoch,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Entities may act, until the deadline.
    Serving,
    /// The node has it in the store, and its deadline has passed since. It goes on at the next epoch: a write of before may
    /// still be on its way.
    Suspended,
    /// It goes to another node, once its entities have written.
    Stopping { to: Option<Incarnation> },
    /// Its release has been sent. It is never served again at this epoch, because that may be carried out at any time.
    Releasing { to: Option<Incarnation> },
}

impl Owned {
    /// True if this shard is on its way to another node.
    pub(super) fn moves(&self) -> bool {
        matches!(self.stage, Stage::Stopping { .. } | Stage::Releasing { .. })
    }
}
