//! New code on trial, and who is told how that ends.

use tokio::sync::oneshot;

use super::NotReloaded;
use super::trial::Trial;
use crate::instance::calls::Instance;
use crate::instance::module::Module;

/// New code on trial, and who is told how it ends.
pub(crate) struct Probation {
    pub(super) trial: Trial<Box<Instance>, Module>,
    pub(super) tell: oneshot::Sender<Result<(), NotReloaded>>,
}

impl Probation {
    /// None if there is nothing to prove, which is told at once.
    pub(super) fn begin(
        trial: Option<Trial<Box<Instance>, Module>>,
        tell: oneshot::Sender<Result<(), NotReloaded>>,
    ) -> Option<Box<Self>> {
        match trial {
            Some(trial) => Some(Box::new(Self { trial, tell })),
            None => {
                drop(tell.send(Ok(())));
                None
            }
        }
    }

    /// It is over.
    pub(super) fn ends(self, outcome: Result<(), NotReloaded>) {
        // Whoever reloaded the actor may not wait for it.
        drop(self.tell.send(outcome));
    }
}
