//! What a node's machine tells its host.

use crate::words::{Epoch, Incarnation, ShardId};

/// Something that the host has to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The node is listed, and knows the others.
    Joined,
    /// The shard is this node's: entities may be activated.
    Acquired {
        /// The shard.
        shard: ShardId,
        /// The epoch at which to write.
        epoch: Epoch,
    },
    /// The shard goes to another node. The host refuses what isn't begun, lets entities finish and write, and then calls
    /// [`handle_stopped`](super::Node::handle_stopped).
    Stop {
        /// The shard.
        shard: ShardId,
        /// The epoch.
        epoch: Epoch,
        /// The node that should have it.
        to: Option<Incarnation>,
    },
    /// The shard has been given away.
    Released {
        /// The shard.
        shard: ShardId,
        /// The epoch at which the node had it.
        epoch: Epoch,
        /// The node that should have it.
        to: Option<Incarnation>,
    },
    /// The node may no longer act for the shard. Its entities end at once, without `post_stop`, and what they held is dropped.
    Lost {
        /// The shard.
        shard: ShardId,
        /// The epoch at which the node had it.
        epoch: Epoch,
        /// Why.
        reason: LossReason,
    },
    /// Another node has ended, or left: its sessions are over.
    NodeEnded(Incarnation),
    /// The store is another one than before, and has been read again.
    GenerationChanged,
    /// This incarnation was ended by others. Nothing comes of it any more: the process goes on with a new one.
    Ended,
    /// The node has left.
    Left,
}

/// Why a node may no longer act for a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossReason {
    /// The node's own deadline has passed: the store hasn't confirmed its lease.
    Deadline,
    /// The store says that the shard is another's.
    Taken,
    /// The store is another one than before.
    Generation,
    /// The incarnation was ended.
    Ended,
}
