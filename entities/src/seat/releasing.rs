//! How what an entity puts out leaves, and what those hear whose replies never do.

use super::{Inner, Seat};
use crate::store::Fence;

/// Why a reply isn't sent whose state may be durable.
const UNKNOWN: &str =
    "the entity ended before its state was known to be written: whether the call had an effect is not known";

/// Why a reply isn't sent whose state was refused.
const ELSEWHERE: &str = "the entity is on another node by now: the call had no effect and may be made again";

impl Seat {
    /// By which right it reads and writes; none on a node that is alone.
    pub(crate) fn fence(&self) -> Option<Fence> {
        self.0.fence
    }

    /// True if the store refused to read or write it, because another node has it by now.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.0.inner.lock().is_elsewhere
    }

    pub(super) fn may_release(&self, inner: &mut Inner) -> bool {
        // One at a time, or outputs would overtake each other.
        !inner.is_releasing && inner.durable.may_leave() && {
            inner.is_releasing = true;
            true
        }
    }

    /// Lets outputs go, one after the other.
    pub(super) fn release(&self) {
        loop {
            let output = {
                let mut inner = self.0.inner.lock();
                let output = inner.durable.poll_output();
                inner.is_releasing = output.is_some();
                output
            };
            let Some(output) = output else { return };
            if let Some(wait) = output.leave() {
                // Those behind it wait, too.
                let seat = self.clone();
                tokio::spawn(async move {
                    wait.await;
                    seat.release();
                    seat.0.changed.send_replace(());
                });
                return;
            }
        }
    }
}

impl Inner {
    /// What those hear whose replies are given up because a state was not written.
    pub(super) fn why_given_up(&self) -> &'static str {
        if self.is_elsewhere { ELSEWHERE } else { UNKNOWN }
    }
}
