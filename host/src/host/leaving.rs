//! Whether the node leaves: an operator can ask for it, and whoever runs the node carries it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// See the module. Clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving(Arc<LeavingState>);

#[derive(Debug, Default)]
struct LeavingState {
    phase: watch::Sender<LeavingPhase>,
    /// Somebody carries out what is asked.
    is_heard: AtomicBool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum LeavingPhase {
    #[default]
    Staying,
    Asked,
    Begun,
}

impl Leaving {
    /// An operator wants the node to leave.
    ///
    /// # Errors
    /// Nobody would do it.
    pub(super) fn ask(&self) -> Result<(), String> {
        // Relaxed, because nothing else hangs on it.
        if !self.0.is_heard.load(Ordering::Relaxed) {
            return Err("the program that this node is a part of stops it by itself; end that program".to_owned());
        }
        self.reach(LeavingPhase::Asked);
        Ok(())
    }

    /// The stop has begun, for whatever reason.
    pub(super) fn begin(&self) {
        self.reach(LeavingPhase::Begun);
    }

    /// True from when an operator has asked for it, or it has begun.
    pub(super) fn is_wanted(&self) -> bool {
        *self.0.phase.borrow() > LeavingPhase::Staying
    }

    /// Waits until an operator asks for it. From now on the caller answers for it.
    pub(super) async fn asked(&self) {
        self.0.is_heard.store(true, Ordering::Relaxed);
        let mut phase = self.0.phase.subscribe();
        // The sender lives as long as this.
        drop(phase.wait_for(|phase| *phase > LeavingPhase::Staying).await);
    }

    fn reach(&self, phase: LeavingPhase) {
        self.0.phase.send_if_modified(|now| {
            let is_news = *now < phase;
            if is_news {
                *now = phase;
            }
            is_news
        });
    }
}
