//! Waiting for something to become true.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// The longest time for anything on a machine that does much else besides. Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The time between two looks.
pub const POLL: Duration = Duration::from_millis(20);

/// How long a test goes on that finds more the longer it runs, in seconds: as `RACTOR_TEST_SECONDS` says, or this long.
///
/// # Panics
/// The variable is no number.
#[track_caller]
pub fn seconds(usual: u64) -> u64 {
    match std::env::var("RACTOR_TEST_SECONDS") {
        Ok(seconds) => match seconds.parse() {
            Ok(seconds) => seconds,
            Err(error) => panic!("RACTOR_TEST_SECONDS={seconds}: {error}"),
        },
        Err(_) => usual,
    }
}

/// Looks again and again until `accept` accepts what `look` sees, and gives that.
///
/// # Panics
/// It isn't accepted within [`PATIENCE`]. The message says what was seen last.
#[track_caller]
pub fn until<T: Debug>(what: &str, mut look: impl FnMut() -> T, accept: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if accept(&seen) {
            return seen;
        }
        if Instant::now() > deadline {
            panic!("waited {PATIENCE:?} for {what}; the last look saw {seen:?}");
        }
        std::thread::sleep(POLL);
    }
}
