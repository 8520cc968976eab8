//! What became of the requests that changed something, for those whose answer was lost.
//!
//! A client that got no answer in time doesn't know whether its request was carried out. It asks again by the request's number,
//! and nothing is done twice.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::message::Answer;
use super::request_id::RequestId;

/// The most requests whose outcome is remembered. The oldest that are done are forgotten first. With reports in short form each
/// takes some hundred bytes, and a bounded text of a failure.
const MOST: usize = 256;

/// The most bytes of the reason of a failure that are kept.
const REASON_BYTES: usize = 4 << 10;

/// See the module. Clones are the same ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestLedger(Arc<Mutex<VecDeque<RequestEntry>>>);

#[derive(Debug)]
struct RequestEntry {
    id: RequestId,
    /// None while it is worked on.
    outcome: watch::Receiver<Option<Answer>>,
}

/// A request that is being worked on. Its outcome is recorded when it ends; if this is dropped before, that it was broken off.
#[derive(Debug)]
pub(super) struct PendingRequest(watch::Sender<Option<Answer>>);

impl RequestLedger {
    /// Notes that a request is worked on. None if there was one of this number before.
    pub(super) fn begin(&self, id: RequestId) -> Option<PendingRequest> {
        let mut entries = self.0.lock();
        if entries.iter().any(|entry| entry.id == id) {
            return None;
        }
        // Far fewer requests are worked on at once than are remembered, so one of them is done and the table stays within its limit.
        if entries.len() >= MOST
            && let Some(done) = entries.iter().position(|entry| entry.outcome.borrow().is_some())
        {
            entries.remove(done);
        }
        let (pending, outcome) = watch::channel(None);
        entries.push_back(RequestEntry { id, outcome });
        Some(PendingRequest(pending))
    }

    /// What became of a request, once it has ended. None if there was none of this number, or it is too long ago.
    pub(super) async fn outcome(&self, id: RequestId) -> Option<Answer> {
        // The lock ends with this block, because the wait may be as long as a reload.
        let mut outcome = {
            let entries = self.0.lock();
            entries.iter().find(|entry| entry.id == id)?.outcome.clone()
        };
        let outcome = outcome.wait_for(Option::is_some).await;
        outcome.ok().and_then(|outcome| outcome.clone())
    }
}

impl PendingRequest {
    /// The request has ended like this.
    pub(super) fn ended(self, answer: &Answer) {
        self.note(match answer {
            Answer::Failed { reason } => Answer::Failed {
                reason: shortened(reason),
            },
            answer => answer.in_short(),
        });
    }

    fn note(&self, answer: Answer) {
        self.0.send_if_modified(|outcome| {
            // The drop at the end of `ended` finds an outcome here, and leaves it.
            let is_first = outcome.is_none();
            if is_first {
                *outcome = Some(answer);
            }
            is_first
        });
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        self.note(Answer::BrokenOff {
            reason: "the request was broken off; `ractor-host status` says what runs".to_owned(),
        });
    }
}

fn shortened(reason: &str) -> String {
    let end = reason.floor_char_boundary(REASON_BYTES);
    reason.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> RequestId {
        format!("{number:016x}").parse().unwrap()
    }

    fn done(offset: u64) -> Answer {
        Answer::UploadProgress { offset, complete: true }
    }

    #[tokio::test]
    async fn who_asks_again_hears_what_became_of_it() {
        let ledger = RequestLedger::default();
        assert_eq!(ledger.outcome(id(1)).await, None);
        let pending = ledger.begin(id(1)).unwrap();
        assert!(ledger.begin(id(1)).is_none(), "it is done once");
        let asks = tokio::spawn({
            let ledger = ledger.clone();
            async move { ledger.outcome(id(1)).await }
        });
        tokio::task::yield_now().await;
        assert!(!asks.is_finished(), "it waits for the end");
        pending.ended(&done(5));
        assert_eq!(asks.await.unwrap(), Some(done(5)));
        assert_eq!(ledger.outcome(id(1)).await, Some(done(5)));
        assert!(ledger.begin(id(1)).is_none(), "nor is it done later");
    }

    #[tokio::test]
    async fn one_that_is_broken_off_says_so() {
        let ledger = RequestLedger::default();
        drop(ledger.begin(id(1)));
        let outcome = ledger.outcome(id(1)).await;
        assert!(
            matches!(&outcome, Some(Answer::BrokenOff { reason }) if reason.contains("broken off")),
            "{outcome:?}"
        );
    }

    #[tokio::test]
    async fn the_oldest_that_are_done_are_forgotten() {
        let ledger = RequestLedger::default();
        let pending = ledger.begin(id(0)).unwrap();
        for number in 1..=MOST {
            ledger.begin(id(number)).unwrap().ended(&Answer::Failed {
                reason: "x".repeat(2 * REASON_BYTES),
            });
        }
        assert_eq!(ledger.outcome(id(1)).await, None);
        let last = ledger.outcome(id(MOST)).await;
        assert!(matches!(last, Some(Answer::Failed { reason }) if reason.len() == REASON_BYTES));
        pending.ended(&done(1));
        assert_eq!(ledger.outcome(id(0)).await, Some(done(1)), "it was worked on");
    }
}
