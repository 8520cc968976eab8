//! The stores in memory do what the table says.

use super::scenarios::{Place, run_all};
use crate::{EntityStore, Fence, FencedStore, MemoryStore};

impl Place for MemoryStore {
    fn store(&self) -> &dyn EntityStore {
        self
    }

    fn has_fences(&self) -> bool {
        false
    }

    fn own(&self, _: Fence) {}

    fn lose(&self, _: Fence) {}
}

impl Place for FencedStore {
    fn store(&self) -> &dyn EntityStore {
        self
    }

    fn has_fences(&self) -> bool {
        true
    }

    fn own(&self, fence: Fence) {
        FencedStore::own(self, fence);
    }

    fn lose(&self, fence: Fence) {
        self.give_away(fence.shard);
    }
}

#[test]
fn the_store_in_memory_does_what_the_table_says() {
    run_all(MemoryStore::default);
}

#[test]
fn the_store_behind_a_fence_does_what_the_table_says() {
    run_all(FencedStore::default);
}
