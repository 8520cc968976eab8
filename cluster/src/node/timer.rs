//! The one timer of a session.

use std::time::Instant;

use ractor::ActorRef;
use ractor::concurrency::JoinHandle;

use super::session_messages::{NodeSessionMessage, SessionRequest};

/// Wakes the session at its next deadline.
#[derive(Debug, Default)]
pub(super) struct SessionTimer {
    due: Option<(Instant, JoinHandle<()>)>,
}

impl SessionTimer {
    /// Wakes the session at `deadline`, or not at all.
    pub(super) fn arm(&mut self, deadline: Option<Instant>, session: &ActorRef<NodeSessionMessage>) {
        match (&self.due, deadline) {
            (_, None) => self.disarm(),
            // A wake-up that is too early finds nothing due and arms the timer again, which costs less than a new task for each
            // change.
            (Some((due, _)), Some(deadline)) if *due <= deadline => {}
            (_, Some(deadline)) => {
                self.disarm();
                let session = session.clone();
                let wake = ractor::concurrency::spawn(async move {
                    tokio::time::sleep_until(deadline.into()).await;
                    drop(session.cast(SessionRequest::Tick.into()));
                });
                self.due = Some((deadline, wake));
            }
        }
    }

    /// Lets the session sleep.
    pub(super) fn disarm(&mut self) {
        if let Some((_, wake)) = self.due.take() {
            wake.abort();
        }
    }
}
