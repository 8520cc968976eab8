//! What actors and links did lately: marks of what they had done some seconds ago, to be taken off what they have done by now.
//!
//! The marks are set every few seconds whether anybody looks or not, so that two people who look don't take each other's window away,
//! and a single look says something. Setting them reads a few numbers of each actor and asks nothing of any.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorRef;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::links;
use crate::control::{ActorFigures, Lately, LinkLately, LinkRowFigures};
use crate::guest::{GuestRef, Modules};
use crate::node::NodeServerMessage;

/// The interval at which marks are set. A window is at least as long, and at most twice.
const INTERVAL: Duration = Duration::from_secs(5);

/// See the module. It ends when this is dropped.
pub(super) struct LatelyWindow {
    marks: Arc<Mutex<Marks>>,
    task: JoinHandle<()>,
}

/// Two of them: the older one begins the window.
#[derive(Default)]
struct Marks {
    older: Option<Mark>,
    newer: Option<Mark>,
}

/// What had been done at a moment.
struct Mark {
    at: Instant,
    /// Messages and microseconds of each guest, by pid.
    guests: HashMap<u64, (u64, u64)>,
    /// Messages and bytes that were sent and received over each session, by its number.
    links: HashMap<u64, [u64; 4]>,
}

impl LatelyWindow {
    /// Of the guests of these modules and the sessions of this node. Must be called within a runtime.
    pub(super) fn begin(modules: Modules, server: ActorRef<NodeServerMessage>) -> Self {
        let marks = Arc::<Mutex<Marks>>::default();
        let task = tokio::spawn({
            let marks = marks.clone();
            async move {
                let mut ticks = tokio::time::interval(INTERVAL);
                // A node that was stopped for a minute is not to make up for it.
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    let mark = Mark::now(&modules, &server).await;
                    let mut marks = marks.lock();
                    marks.older = marks.newer.replace(mark);
                }
            }
        });
        Self { marks, task }
    }

    /// Says of each what it did lately.
    pub(super) fn of_guests<'f>(&self, guests: impl Iterator<Item = (u64, &'f mut ActorFigures)>) {
        let marks = self.marks.lock();
        let mark = marks.begins();
        for (pid, figures) in guests {
            let before = mark.and_then(|mark| mark.guests.get(&pid));
            figures.lately = Some(match (mark, before) {
                (Some(mark), Some((messages, busy_us))) => Lately {
                    over_ms: milliseconds(mark.at.elapsed()),
                    messages: figures.messages.saturating_sub(*messages),
                    busy_us: figures.busy_us.saturating_sub(*busy_us),
                },
                // It is younger than the window.
                _ => Lately {
                    over_ms: figures.age_ms,
                    messages: figures.messages,
                    busy_us: figures.busy_us,
                },
            });
        }
    }

    /// Says of a session what passed over it lately.
    pub(super) fn of_link(&self, session: u64, figures: &mut LinkRowFigures) {
        let marks = self.marks.lock();
        let mark = marks.begins();
        let before = mark.and_then(|mark| mark.links.get(&session));
        let (over_ms, before) = match (mark, before) {
            (Some(mark), Some(before)) => (milliseconds(mark.at.elapsed()), *before),
            _ => (figures.up_ms, [0; 4]),
        };
        let [sent_messages, sent_bytes, received_messages, received_bytes] = passed(figures);
        let [sent_before, sent_bytes_before, received_before, received_bytes_before] = before;
        figures.lately = Some(LinkLately {
            over_ms,
            sent_messages: sent_messages.saturating_sub(sent_before),
            sent_bytes: sent_bytes.saturating_sub(sent_bytes_before),
            received_messages: received_messages.saturating_sub(received_before),
            received_bytes: received_bytes.saturating_sub(received_bytes_before),
        });
    }
}

impl Drop for LatelyWindow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Marks {
    /// The one that the window begins with.
    fn begins(&self) -> Option<&Mark> {
        self.older.as_ref().or(self.newer.as_ref())
    }
}

impl Mark {
    async fn now(modules: &Modules, server: &ActorRef<NodeServerMessage>) -> Self {
        // The links first, since asking for them takes a while, and the marks of guests are to be as old as they say.
        let links = links::figures(server).await;
        let guests = modules.all_guests();
        Self {
            at: Instant::now(),
            guests: guests.iter().map(|guest| (guest.pid(), done(guest))).collect(),
            links: links
                .into_iter()
                .map(|(session, figures)| (session, passed(&figures)))
                .collect(),
        }
    }
}

fn done(guest: &GuestRef) -> (u64, u64) {
    let done = guest.figures().done;
    (done.messages, microseconds(done.busy))
}

fn passed(figures: &LinkRowFigures) -> [u64; 4] {
    let LinkRowFigures { sent, received, .. } = figures;
    [sent.messages(), sent.bytes, received.messages(), received.bytes]
}

/// As many as fit.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// As many as fit.
pub(super) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
