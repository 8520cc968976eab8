//! What the store is asked: each statement is one SQL statement in a transaction of its own, and means what its documentation says.
//!
//! All of them are safe to be repeated, and to be carried out late, after their sender has given them up.

use std::time::Duration;

use crate::words::{
    Entity, Epoch, Generation, Incarnation, Member, Revision, ShardId, ShardRow, Standing, ViewChanges,
};

/// What a machine calls a statement that it has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementId(pub u64);

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Lists a node: `insert … on conflict do nothing`, with a lease of this length from the statement's start.
    Join {
        /// The node.
        member: Member,
        /// How long its first lease is.
        lease: Duration,
    },
    /// Renews the node's lease, and reads what has changed, in one snapshot.
    ///
    /// `update node set lease_until = greatest(lease_until, now() + lease) where incarnation = $1 and standing <> 'ended'`. `now()` is the
    /// statement's own start. The greater of the two, because a renewal that was given up may be carried out behind a later one.
    Renew {
        /// The node.
        incarnation: Incarnation,
        /// From the statement's start.
        lease: Duration,
        /// The revision of what is known: rows of transactions from this one on are read.
        since: Revision,
        /// Leases of others that have less than this left are told.
        fading_below: Duration,
    },
    /// Changes the node's own standing to a later one. [`Standing::Ended`] is how a node leaves.
    SetStanding {
        /// The node.
        incarnation: Incarnation,
        /// The new standing.
        standing: Standing,
    },
    /// Ends another node: `update node set standing = 'ended' where incarnation = $1 and standing <> 'ended' and lease_until <
    /// clock_timestamp()`. The condition is on the row that is updated, so that PostgreSQL looks at it again if it had to wait for
    /// the lock of a renewal.
    End {
        /// The node that seems to be gone.
        incarnation: Incarnation,
    },
    /// Takes shards that are free, or whose owner has ended: owner = this node, epoch = epoch + 1. Rows are locked in order, and those
    /// that somebody else has locked are skipped.
    ///
    /// Not those that this node has already: a repetition that is carried out late would change the epoch of a shard in use.
    Acquire {
        /// The new owner.
        incarnation: Incarnation,
        /// In order.
        shards: Vec<ShardId>,
    },
    /// Goes on with shards that this node has had all the time, at the next epoch: epoch = epoch + 1 where it has them at this epoch.
    ///
    /// For a node that was silent for longer than its deadline, and whose lease nobody ended. A write that it gave up may still be on its
    /// way; the new epoch refuses it.
    Reclaim {
        /// The owner.
        incarnation: Incarnation,
        /// In order.
        shards: Vec<(ShardId, Epoch)>,
    },
    /// Gives shards away: owner = none where this node has them at this epoch.
    Release {
        /// The present owner.
        incarnation: Incarnation,
        /// In order.
        shards: Vec<(ShardId, Epoch)>,
    },
    /// Reads the shards that this node has.
    ReadOwned {
        /// The node.
        incarnation: Incarnation,
    },
    /// Reads all nodes and all shards.
    ReadAll,
    /// Reads reminders that are due, of entities in shards that this node has.
    ReadDue {
        /// The node.
        incarnation: Incarnation,
    },
    /// Writes states: locks the rows of their shards (`for share`) and checks owner and epoch, then writes all rows of an entity or none,
    /// where what is there is older: `on conflict do update … where (state.epoch, state.version) < (excluded.epoch,
    /// excluded.version)`. Without that condition a write that was given up and comes late would undo a later one.
    WriteState {
        /// The owner of all of these shards.
        incarnation: Incarnation,
        /// In order of their entities.
        writes: Vec<StateWrite>,
    },
    /// Reads the state of an entity, with the row of its shard.
    ReadState {
        /// The owner of the shard.
        incarnation: Incarnation,
        /// Where the entity is.
        shard: ShardId,
        /// At which epoch.
        epoch: Epoch,
        /// The entity.
        entity: Entity,
    },
}

/// The state of one entity at one version, and the reminders that it accounts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWrite {
    /// The entity.
    pub entity: Entity,
    /// Its shard.
    pub shard: ShardId,
    /// The epoch at which the writer has that shard.
    pub epoch: Epoch,
    /// Grows with each write at this epoch, and never has two contents.
    pub version: u64,
    /// The state.
    pub bytes: Vec<u8>,
    /// Reminders whose handling is in this state; their rows advance with it.
    pub handled: Vec<FiringKey>,
}

/// One firing of a reminder: which reminder, and for which time it was due (microseconds since 1970).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiringKey {
    /// The number of the reminder at its entity.
    pub reminder: u32,
    /// When it was due.
    pub due: u64,
}

/// A reminder that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueReminder {
    /// Whose it is.
    pub entity: Entity,
    /// The shard of that entity.
    pub shard: ShardId,
    /// The epoch of that shard in the same snapshot: what was read at an earlier epoch may have been handled since.
    pub epoch: Epoch,
    /// Which firing of which reminder.
    pub firing: FiringKey,
}

/// What the store answered, at which generation of its.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The store's generation.
    pub generation: Generation,
    /// What came of the statement.
    pub outcome: Outcome,
}

/// What came of a statement that has been carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Of [`Statement::Join`], and of [`Statement::SetStanding`].
    Done,
    /// Of [`Statement::Renew`].
    Renewed {
        /// False if the node has ended, or isn't there.
        is_renewed: bool,
        /// What has changed.
        changes: ViewChanges,
    },
    /// Of [`Statement::End`].
    Ended {
        /// False if the node had renewed, or had ended before.
        is_ended: bool,
    },
    /// Of [`Statement::Acquire`] and [`Statement::Reclaim`]: those that were taken.
    Acquired(Vec<ShardRow>),
    /// Of [`Statement::Release`]. None of these shards is the node's at that epoch.
    Released,
    /// Of [`Statement::ReadOwned`].
    Owned {
        /// False if the node isn't listed.
        is_listed: bool,
        /// Its shards.
        shards: Vec<ShardRow>,
    },
    /// Of [`Statement::ReadAll`].
    All(ViewChanges),
    /// Of [`Statement::ReadDue`].
    Due(Vec<DueReminder>),
    /// Of [`Statement::WriteState`], in its order.
    Written(Vec<WriteOutcome>),
    /// Of [`Statement::ReadState`].
    State {
        /// False if the shard is another's by now.
        is_owner: bool,
        /// The state, if there is one.
        state: Option<StoredState>,
    },
}

/// What came of the write of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is durable. So it is if the same or a later version of this epoch was there.
    Accepted,
    /// The shard isn't the writer's any more.
    Refused,
}

/// A state that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredState {
    /// The epoch at which it was written.
    pub epoch: Epoch,
    /// Its version in that epoch.
    pub version: u64,
    /// The state.
    pub bytes: Vec<u8>,
}

/// Why a statement has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    /// It was not carried out, and never will be: no connection, or an error that undid it (40001, 40P01, 55P03).
    Failed,
    /// Nobody knows: the connection ended, or there was no answer in time. It may be carried out yet.
    Unknown,
}
