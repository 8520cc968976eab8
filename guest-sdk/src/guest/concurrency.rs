//! Time. A guest is one actor that does one thing at a time, so of ractor's `concurrency` this is all that has a
//! meaning here: there are no tasks to spawn, and no channels between them.

use crate::guest::runtime::incoming;

/// A duration of time.
pub type Duration = std::time::Duration;

/// A point on the monotonic clock.
pub type Instant = std::time::Instant;

/// Waits. The host suspends this actor meanwhile and runs others; this actor handles no other message.
pub async fn sleep(duration: Duration) {
    incoming::flush();
    std::thread::sleep(duration);
}
