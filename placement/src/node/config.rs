//! What a node is told at its start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::assign::{Candidate, assign};
use crate::words::{Incarnation, Member, TypeId, TypeSpec};

/// The shortest lease.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);

/// The times of a node. All nodes of a cluster have the same lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a node may be silent before others end it.
    pub lease: Duration,
    /// The time by which the node stops before its lease ends.
    pub margin: Duration,
    /// The interval between renewals.
    pub renew_every: Duration,
    /// The time after which a renewal counts as unanswered, and a slow one as a gap.
    pub renew_timeout: Duration,
    /// The time after which another statement counts as unanswered.
    pub statement_timeout: Duration,
    /// The pause before a statement is repeated, and between renewals while a lease of another is about to run out.
    pub retry_after: Duration,
    /// How long a node must have seen the store serve, without a gap, before it ends another.
    pub served_for: Duration,
    /// How long a join must be past before shards are moved for balance.
    pub rebalance_after: Duration,
    /// The most shards that are on their way to other nodes at a time.
    pub moves_at_once: usize,
}

impl Timing {
    /// The times for a lease of this length, which is 3 s at least.
    pub fn of_lease(lease: Duration) -> Self {
        let lease = lease.max(SHORTEST_LEASE);
        Self {
            lease,
            margin: (lease / 5).max(Duration::from_secs(1)),
            renew_every: (lease / 4).min(Duration::from_secs(1)),
            renew_timeout: lease / 6,
            statement_timeout: lease / 3,
            retry_after: Duration::from_millis(250),
            served_for: lease + Duration::from_secs(2),
            rebalance_after: Duration::from_secs(30),
            moves_at_once: 8,
        }
    }
}

/// Computes who should own what: [`plan`], or something that remembers its results.
pub type Planner =
    Arc<dyn Fn(TypeId, &[Candidate], &[Option<Incarnation>]) -> Arc<[Option<Incarnation>]> + Send + Sync>;

/// The planner of real nodes.
pub fn plan() -> Planner {
    Arc::new(|type_id, candidates, present| assign(type_id, candidates, present.iter().copied()).into())
}

/// The configuration of a node.
#[derive(Clone)]
pub struct NodeConfig {
    /// The node itself, as others will see it.
    pub member: Member,
    /// All types that the store knows.
    pub types: Vec<TypeSpec>,
    /// The times.
    pub timing: Timing,
    /// Who should own what.
    pub planner: Planner,
}

impl fmt::Debug for NodeConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            member, types, timing, ..
        } = self;
        out.debug_struct("NodeConfig")
            .field("member", member)
            .field("types", types)
            .field("timing", timing)
            .finish_non_exhaustive()
    }
}
