//! `/v1/stream`: the node, live, as server-sent events.
//!
//! One task looks at the node while anybody reads, and all readers get the same bytes, so that many cost the node little more than one.
//! A reader first gets the whole picture (`snapshot`), then what changes (`update`), and what happens at once (`happened`). One that
//! takes its bytes too slowly is told so and let go (`end`): it can come again, and gets the whole picture once more.

mod picture;
mod rows;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::picture::Picture;
use self::sample::Sample;
use crate::control::Service;
use crate::events::{EventQuery, TimedEvent};

/// The most readers at once. Further ones are answered with 503.
const MOST_READERS: usize = 64;

/// The most frames that wait for a reader.
const MOST_WAITING: usize = 64;

/// The least time between two updates.
const INTERVAL: Duration = Duration::from_secs(1);

/// The part of the time that is spent on looking at the node at most: one in this many.
const SHARE: u32 = 20;

/// The time without anything after which readers are told that the node is still there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The time in which events are gathered before the next of them are told.
const GATHERING: Duration = Duration::from_millis(100);

/// The bytes of events in one frame, which has one more event at most.
const EVENTS_ROOM: usize = 64 << 10;

/// The longest that the task waits for something to happen before it waits anew.
const EVENT_WAIT_MS: u64 = 20_000;

/// The stream of one node.
#[derive(Clone)]
pub(crate) struct Feed {
    service: Arc<dyn Service>,
    places: Arc<Semaphore>,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    /// What readers know. None while there are none, and until the first look.
    picture: Option<Picture>,
    frames: broadcast::Sender<Bytes>,
    is_looking: bool,
}

/// Somebody who reads.
pub(super) struct FeedReader {
    /// What comes first.
    first: Option<Bytes>,
    frames: broadcast::Receiver<Bytes>,
    has_ended: bool,
    _place: OwnedSemaphorePermit,
}

/// There are [`MOST_READERS`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_READERS} others read the stream already; close one of them, or ask for /v1/figures now and then")]
pub(super) struct FeedFull;

impl Feed {
    /// Nothing is looked at before there is a reader.
    pub(crate) fn new(service: Arc<dyn Service>) -> Self {
        let (frames, _) = broadcast::channel(MOST_WAITING);
        Self {
            service,
            places: Arc::new(Semaphore::new(MOST_READERS)),
            shared: Arc::new(Mutex::new(Shared {
                picture: None,
                frames,
                is_looking: false,
            })),
        }
    }

    /// Another reader. Must be called within a runtime.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn read(&self) -> Result<FeedReader, FeedFull> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| FeedFull)?;
        let mut shared = self.shared.lock();
        // Both under one lock: what changes after the snapshot reaches the reader, and nothing twice.
        let first = shared
            .picture
            .as_ref()
            .map(|picture| frame("snapshot", &picture.whole()));
        let reader = FeedReader {
            first,
            frames: shared.frames.subscribe(),
            has_ended: false,
            _place: place,
        };
        if !std::mem::replace(&mut shared.is_looking, true) {
            tokio::spawn(look(self.service.clone(), self.shared.clone(), Instant::now()));
        }
        Ok(reader)
    }
}

impl FeedReader {
    /// The next bytes for the reader; none after the last.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        match self.frames.recv().await {
            Ok(frame) => Some(frame),
            Err(RecvError::Lagged(_)) => Some(self.end("this reader is too slow")),
            Err(RecvError::Closed) => Some(self.end("the node has stopped looking")),
        }
    }

    /// The last bytes, with why.
    pub(super) fn end(&mut self, reason: &str) -> Bytes {
        self.has_ended = true;
        frame("end", &serde_json::json!({ "reason": reason }))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }
}

/// Has readers come again, and the next one have it looked anew, if a look fails.
struct Looking {
    shared: Arc<Mutex<Shared>>,
    /// It has ended because nobody reads, and another one may look by now.
    is_over: bool,
}

impl Drop for Looking {
    fn drop(&mut self) {
        if !self.is_over {
            let mut shared = self.shared.lock();
            let (frames, _) = broadcast::channel(MOST_WAITING);
            *shared = Shared {
                picture: None,
                frames,
                is_looking: false,
            };
        }
    }
}

/// Looks at the node as long as anybody reads, for the first time when that is due.
async fn look(service: Arc<dyn Service>, shared: Arc<Mutex<Shared>>, mut due: Instant) {
    let mut looking = Looking {
        shared: shared.clone(),
        is_over: false,
    };
    let mut next = service.events(EventQuery::default()).await.next;
    let mut gathered = Instant::now();
    let mut quiet_until = gathered + HEARTBEAT;
    loop {
        let query = EventQuery {
            next: Some(next),
            last: 0,
            wait_ms: EVENT_WAIT_MS,
        };
        let events = async {
            tokio::time::sleep_until(gathered).await;
            service.events(query).await
        };
        tokio::select! {
            page = events => {
                next = page.next;
                gathered = Instant::now() + GATHERING;
                if page.events.is_empty() {
                    continue;
                }
                tell_events(&shared.lock(), &page.events);
            }
            () = tokio::time::sleep_until(due) => {
                let mut work = Duration::ZERO;
                let sample = Sample::of(&service, &mut work).await;
                let begun = Instant::now();
                if !tell(&mut shared.lock(), sample) {
                    looking.is_over = true;
                    return;
                }
                // What was only waited for costs the node nothing.
                work += begun.elapsed();
                due = Instant::now() + (work * SHARE).max(INTERVAL);
            }
            // Readers take a stream in which nothing comes for one that is dead. This is a comment to them.
            () = tokio::time::sleep_until(quiet_until) => send(&shared.lock(), Bytes::from_static(b":\n\n")),
        }
        quiet_until = Instant::now() + HEARTBEAT;
    }
}

/// Tells of events, in as few frames as that takes: one each would be more at once than may wait for a reader.
fn tell_events(shared: &Shared, events: &[TimedEvent]) {
    let mut frames = Vec::new();
    for event in events {
        frames.extend_from_slice(&frame("happened", event));
        if frames.len() >= EVENTS_ROOM {
            send(shared, std::mem::take(&mut frames).into());
        }
    }
    if !frames.is_empty() {
        send(shared, frames.into());
    }
}

/// Sends it to those who read. If there are none, it is of no interest.
fn send(shared: &Shared, frame: Bytes) {
    drop(shared.frames.send(frame));
}

/// Tells all readers. False if there are none, and there is nobody to look for.
fn tell(shared: &mut Shared, sample: Sample) -> bool {
    if shared.frames.receiver_count() == 0 {
        shared.picture = None;
        shared.is_looking = false;
        return false;
    }
    let told = match &mut shared.picture {
        Some(picture) => frame("update", &picture.update(sample)),
        none => frame("snapshot", &none.insert(Picture::of(sample)).whole()),
    };
    send(shared, told);
    true
}

/// As the standard of server-sent events has it. JSON has no line breaks.
fn frame(event: &str, data: &impl Serialize) -> Bytes {
    // Nothing of it can fail: all keys are text.
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {event}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::idle::Idle;
    use crate::events::NodeEvent;

    fn feed() -> Feed {
        Feed::new(Arc::new(Idle { node: "idle@localhost" }))
    }

    async fn name(reader: &mut FeedReader) -> String {
        let frame = reader.next().await.unwrap();
        let text = std::str::from_utf8(&frame).unwrap();
        text.lines().next().unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_gets_the_whole_picture_first_and_then_what_changes() {
        let feed = feed();
        let mut first = feed.read().unwrap();
        assert_eq!(name(&mut first).await, "event: snapshot");
        assert_eq!(name(&mut first).await, "event: update");
        let mut second = feed.read().unwrap();
        assert_eq!(name(&mut second).await, "event: snapshot");
        assert_eq!(name(&mut second).await, "event: update");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_let_go_and_holds_up_nobody() {
        let feed = feed();
        let (mut slow, mut quick) = (feed.read().unwrap(), feed.read().unwrap());
        for _ in 0..=MOST_WAITING {
            quick.next().await.unwrap();
        }
        let end = slow.next().await.unwrap();
        assert_eq!(&*end, b"event: end\ndata: {\"reason\":\"this reader is too slow\"}\n\n");
        assert_eq!(slow.next().await, None);
        assert_eq!(name(&mut quick).await, "event: update");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_events_drives_nobody_away_and_reaches_everybody() {
        let feed = feed();
        let mut reader = feed.read().unwrap();
        assert_eq!(name(&mut reader).await, "event: snapshot");
        let event = |number| TimedEvent {
            number,
            at_ms: 0,
            event: NodeEvent::SessionUp { node: "n".repeat(400) },
        };
        let events: Vec<_> = (0..400).map(event).collect();
        for page in events.chunks(200) {
            tell_events(&feed.shared.lock(), page);
        }
        let mut seen = 0;
        while seen < events.len() {
            let frame = reader.next().await.unwrap();
            let text = std::str::from_utf8(&frame).unwrap();
            assert!(!text.contains("event: end"), "{text}");
            assert!(text.len() < EVENTS_ROOM + 1_000, "{} bytes", text.len());
            seen += text.matches("event: happened\n").count();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_looks_rarely_since_that_is_much_work_says_meanwhile_that_it_is_there() {
        let feed = feed();
        feed.shared.lock().is_looking = true;
        let mut reader = feed.read().unwrap();
        let due = Instant::now() + HEARTBEAT * 2 + INTERVAL;
        tokio::spawn(look(feed.service.clone(), feed.shared.clone(), due));
        assert_eq!(&*reader.next().await.unwrap(), b":\n\n");
        assert_eq!(&*reader.next().await.unwrap(), b":\n\n");
        assert_eq!(name(&mut reader).await, "event: snapshot");
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_dashboards_are_as_many_as_fit_and_the_others_are_told() {
        let feed = feed();
        let readers: Vec<_> = (0..1000).map(|_| feed.read()).collect();
        assert_eq!(readers.iter().filter(|reader| reader.is_ok()).count(), MOST_READERS);
        drop(readers);
        assert!(feed.read().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_fails_ends_the_stream_and_not_all_streams_to_come() {
        let feed = feed();
        let mut reader = feed.read().unwrap();
        assert_eq!(name(&mut reader).await, "event: snapshot");
        let looking = Looking {
            shared: feed.shared.clone(),
            is_over: false,
        };
        let failed = tokio::spawn(async move {
            let _looking = looking;
            std::panic::resume_unwind(Box::new("a look fails"));
        });
        assert!(failed.await.is_err());
        assert_eq!(name(&mut reader).await, "event: end");
        assert_eq!(name(&mut feed.read().unwrap()).await, "event: snapshot");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_looks_when_nobody_reads() {
        let feed = feed();
        drop(feed.read().unwrap());
        tokio::time::sleep(INTERVAL * 3).await;
        assert!(!feed.shared.lock().is_looking);
        assert_eq!(name(&mut feed.read().unwrap()).await, "event: snapshot");
    }
}
