//! Places for those who ask a node: each kind of them has its own, so that those who may least can't keep the others out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::role::Role;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody with a key of this role, over the cluster or by HTTP.
    Elsewhere(Role),
    /// The operator on the node's own machine.
    Here,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Rooms([Arc<Semaphore>; 4]);

/// A place in one of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    asker: Asker,
    _permit: OwnedSemaphorePermit,
}

impl Rooms {
    /// With this many places for each kind.
    pub(super) fn new(each: usize) -> Self {
        Self(std::array::from_fn(|_| Arc::new(Semaphore::new(each))))
    }

    /// A place, if there is one now.
    pub(super) fn enter(&self, asker: Asker) -> Option<Place> {
        let permit = self.of(asker).clone().try_acquire_owned().ok()?;
        Some(Place { asker, _permit: permit })
    }

    /// A place, if there is one within this time.
    pub(super) async fn enter_within(&self, asker: Asker, patience: Duration) -> Option<Place> {
        let permit = timeout(patience, self.of(asker).clone().acquire_owned()).await;
        let permit = permit.ok()?.ok()?;
        Some(Place { asker, _permit: permit })
    }

    /// How many places are left.
    #[cfg(test)]
    pub(super) fn left(&self, asker: Asker) -> usize {
        self.of(asker).available_permits()
    }

    fn of(&self, asker: Asker) -> &Arc<Semaphore> {
        let [observing, operating, deploying, here] = &self.0;
        match asker {
            Asker::Elsewhere(Role::Observe) => observing,
            Asker::Elsewhere(Role::Operate) => operating,
            Asker::Elsewhere(Role::Deploy) => deploying,
            Asker::Here => here,
        }
    }
}

impl Place {
    /// Whose it is.
    pub(super) fn asker(&self) -> Asker {
        self.asker
    }
}
