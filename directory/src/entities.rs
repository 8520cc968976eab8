//! What sessions have to know of the entities of their process, which they know nothing else of.

use std::sync::atomic::{AtomicBool, Ordering};

/// The process group of the actors that take what nodes of a cluster send to each other's entities. A node that leaves keeps its member in there
/// until it ends: what its actors send on their way out goes through it.
pub const GATES: &str = "ractor-host.gates";

static SHARES_ENTITIES: AtomicBool = AtomicBool::new(false);

/// The entities of this process are those of a cluster: other nodes have the same types, and that is as it should be.
pub fn share_entities() {
    SHARES_ENTITIES.store(true, Ordering::Relaxed);
}

/// True if other nodes may have the types of entities that this process has.
pub fn shares_entities() -> bool {
    SHARES_ENTITIES.load(Ordering::Relaxed)
}
