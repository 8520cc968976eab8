//! How many children there are: of an actor, of its children and so on, all together. So that no chain or tree of actors
//! that spawn each other gets around the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An actor that no guest spawned, and all that descend from it. Clones are the same family.
#[derive(Debug, Clone, Default)]
pub(super) struct Family(Arc<AtomicUsize>);

/// The place of one child, until dropped.
#[derive(Debug)]
pub(super) struct Place(Family);

impl Family {
    /// A place for one more child; none if there are `limit` already.
    pub(super) fn place(&self, limit: usize) -> Option<Place> {
        let one_more = |children: usize| (children < limit).then_some(children + 1);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.is_ok().then(|| Place(self.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
