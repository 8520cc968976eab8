//! What happened on the node lately: a short history in memory, for whoever looks at it or follows it.
//!
//! Supervisors, reloads and sessions tell of what changes. Nothing is told about single messages, so this costs nothing while a
//! node just works. There is room for this many events; then the oldest of whoever has the most of them go, so that an actor which fails again and
//! again, or a link that comes and goes, pushes nobody else's out. A slow reader finds that some are gone, and costs nothing.

mod event;
mod kept;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use self::kept::Kept;
pub(crate) use event::{EventPage, EventQuery, ModuleChange, NodeEvent, TimedEvent};

/// The most characters of a reason that are kept.
const LONGEST_REASON: usize = 400;

/// The longest that a reader waits for an event.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// The history of one node. Clones are of the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventHistory(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// The number of the event to come, for those who wait for it.
    next: watch::Sender<u64>,
}

impl EventHistory {
    /// Something has happened just now.
    pub(crate) fn tell(&self, mut event: NodeEvent) {
        event.shorten(LONGEST_REASON);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        let next = self.0.kept.lock().push(at_ms, event);
        // A reader subscribes before it looks, so one that is not here yet will see the event.
        if self.0.next.receiver_count() > 0 {
            // Of two that tell at the same time, the later one may be here first.
            self.0.next.send_if_modified(|told| {
                let is_later = *told < next;
                *told = next.max(*told);
                is_later
            });
        }
    }

    /// The events that are asked for. If there is none, waits for one, but no longer than the query says, nor than the node allows.
    pub(crate) async fn read(&self, query: EventQuery) -> EventPage {
        let mut next = self.0.next.subscribe();
        let deadline = Instant::now() + Duration::from_millis(query.wait_ms).min(MOST_WAIT);
        loop {
            let page = self.0.kept.lock().page(query.next, query.last);
            if !page.events.is_empty() || query.next.is_none() {
                return page;
            }
            let seen = page.next;
            let more = next.wait_for(|next| *next > seen);
            // The sender lives as long as this history.
            if timeout_at(deadline, more).await.is_err() {
                return page;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves() -> NodeEvent {
        NodeEvent::NodeLeaves
    }

    fn numbers(page: &EventPage) -> Vec<u64> {
        page.events.iter().map(|event| event.number).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_waits_for_what_happens_next_and_not_for_ever() {
        let history = EventHistory::default();
        let query = EventQuery {
            next: Some(0),
            last: 0,
            wait_ms: 60_000,
        };
        let begun = Instant::now();
        assert_eq!(history.read(query).await.events.len(), 0);
        assert_eq!(begun.elapsed(), MOST_WAIT);
        let (page, ()) = tokio::join!(history.read(query), async {
            tokio::task::yield_now().await;
            history.tell(leaves());
        });
        assert_eq!(numbers(&page), [0]);
        assert_eq!(begun.elapsed(), MOST_WAIT);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let mut event = NodeEvent::SessionDown {
            node: "b@c".to_owned(),
            reason: "ä".repeat(LONGEST_REASON + 1),
        };
        event.shorten(LONGEST_REASON);
        let NodeEvent::SessionDown { reason, .. } = event else {
            unreachable!()
        };
        assert_eq!(reason.chars().count(), LONGEST_REASON + 1);
        assert!(reason.ends_with("ä…"));
    }
}
