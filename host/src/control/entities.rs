//! The entities of a node, as an operator sees them.

use serde::{Deserialize, Serialize};

/// The most entities that one answer lists.
pub(crate) const MOST_LISTED: u32 = 10_000;

/// A type of entities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntityTypeRow {
    /// Its name.
    #[serde(rename = "type")]
    pub(crate) entity_type: String,
    /// The module that its entities run, or none.
    pub(crate) module: Option<String>,
    /// The native entities of the program that they are, or none.
    pub(crate) native: Option<String>,
    /// As in node.toml.
    pub(crate) durability: String,
    /// Entities that are active now.
    pub(crate) active: u64,
    /// Messages that wait for entities to be activated.
    #[serde(default)]
    pub(crate) waiting: u64,
    /// Activations that succeeded.
    pub(crate) activations: u64,
    /// Activations that failed.
    pub(crate) failed_activations: u64,
    /// Entities that ended because they had nothing to do, or because others needed the place.
    pub(crate) passivations: u64,
    /// Activations that ended otherwise than in order.
    pub(crate) crashes: u64,
    /// Messages that were given up with an activation that failed.
    pub(crate) dead_letters: u64,
    /// Calls with idempotency keys that were answered by what was kept of them.
    #[serde(default)]
    pub(crate) repeated_calls: u64,
    /// What went wrong last, with the name of the entity: an activation, or an entity that failed. None if nothing has.
    #[serde(default)]
    pub(crate) last_error: Option<String>,
    /// Reminders that were handled.
    #[serde(default)]
    pub(crate) reminders_fired: u64,
    /// Times that the handling of a reminder failed.
    #[serde(default)]
    pub(crate) reminders_failed: u64,
    /// Reminders that were given up because they failed too often.
    #[serde(default)]
    pub(crate) reminders_given_up: u64,
    /// Entities with a state in the store. None if the type keeps no states.
    pub(crate) states: Option<u64>,
}

/// Some of the entities that have states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedEntities {
    /// As `entity:TYPE/KEY`, in the order of the bytes of their keys.
    pub(crate) entities: Vec<String>,
    /// True if there are more after these.
    pub(crate) more: bool,
}

/// What was written of the entities of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WriterRow {
    /// Commits.
    pub(crate) commits: u64,
    /// Attempts at one that failed.
    pub(crate) failed_commits: u64,
    /// Writes in these commits, each of one entity.
    pub(crate) written: u64,
    /// Bytes of their states.
    pub(crate) bytes: u64,
    /// Writes that were refused, because the entity had gone to another node.
    pub(crate) refused: u64,
    /// Writes that were given up after failed attempts.
    pub(crate) given_up: u64,
}

/// What a node knows of its cluster, and what its entities have sent to those of other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterRow {
    /// The nodes, this one among them, as the store listed them last.
    pub(crate) nodes: u64,
    /// Whether the store answered when it was asked last.
    pub(crate) store_answers: bool,
    /// Why this node isn't part of the cluster yet; none once it is.
    pub(crate) not_joined: Option<String>,
    /// Messages for entities of other nodes, those that were sent again counted again.
    pub(crate) sent: u64,
    /// Those whose node was lost before it was known that they were begun.
    pub(crate) lost: u64,
    /// Those whose entity no node had for too long.
    pub(crate) unowned: u64,
    /// Messages of other nodes that were taken.
    pub(crate) taken: u64,
    /// Messages of other nodes that went back, because their entity is elsewhere.
    pub(crate) refused: u64,
    /// Bytes of messages that aren't known to be begun.
    pub(crate) kept_bytes: u64,
}
