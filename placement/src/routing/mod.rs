//! How messages find the owner of a shard: at most once, and in order for each sender and entity, also while shards move.
//!
//! A message has a number, which grows for each sending node and shard, and a *round*. A node that doesn't own the shard refuses the message:
//! it was not handled. From then on it refuses everything of that round, because what was sent behind the refused message may not
//! overtake it; an epoch alone doesn't tell, since a node may get a shard back in between. The sender waits until everything outstanding is
//! acknowledged, refused or lost with its session, and sends what was refused again, in order and in a new round, before anything newer.

mod receiver;
mod sender;

#[cfg(test)]
mod tests;

pub use receiver::{Receiver, Verdict};
pub use sender::{LimitKind, Overloaded, Sender, SenderEvent, SenderLimits, Transmit};

use crate::words::{Epoch, Incarnation, ShardId};

/// A session from one node to another. A later one between the same two has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// What stands in front of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Header {
    /// The shard of its entity.
    pub shard: ShardId,
    /// The epoch at which the sender believes the receiver to own the shard.
    pub epoch: Epoch,
    /// Grows with each message of this node to this shard.
    pub number: u64,
    /// Grows whenever the sender begins anew with this shard.
    pub round: u64,
}

/// What a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// All messages of the shard up to this one are begun, or were refused.
    Acknowledged {
        /// The shard.
        shard: ShardId,
        /// The last number.
        up_to: u64,
        /// Of which round.
        round: u64,
    },
    /// This message was not handled, and won't be.
    NotOwner {
        /// The shard.
        shard: ShardId,
        /// The number of the message.
        number: u64,
        /// Of which round.
        round: u64,
        /// The latest epoch that the receiver knows of, or with a hint, the one from which that node has the shard or is to have it.
        epoch: Epoch,
        /// Who has the shard or is to have it, if the receiver knows.
        hint: Option<Incarnation>,
    },
}
