//! Child processes that end: each has a time limit, and none outlives this process, whether it fails, panics or is
//! interrupted.

mod run;
mod running;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

pub(crate) use self::run::{Ended, Run};
pub(crate) use self::running::Running;

/// The interval at which a waiting function looks again.
const POLL: Duration = Duration::from_millis(25);
/// The number of lines of a long output that are shown.
const TAIL_LINES: usize = 20;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on SIGINT, SIGTERM and SIGHUP make every wait of this module fail, so that children are stopped on the
/// way out. A second signal ends this process at once.
pub(crate) fn stop_on_signals() -> Result<()> {
    let interrupted = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_default(signal, Arc::clone(interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(interrupted)))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    Ok(())
}

/// Whether the user asked to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Waits until the user asks to stop, and takes that as done: what waits afterwards doesn't fail because of it.
///
/// # Errors
/// `check`, which is called again and again meanwhile, fails.
pub(crate) fn wait_for_interrupt(mut check: impl FnMut() -> Result<()>) -> Result<()> {
    while !interrupted() {
        check()?;
        std::thread::sleep(POLL);
    }
    if let Some(flag) = INTERRUPTED.get() {
        flag.store(false, Ordering::Relaxed);
    }
    Ok(())
}

/// Calls `attempt` until it gives a value.
///
/// # Errors
/// The attempt fails, there is no value after `limit`, or the user asked to stop.
pub(crate) fn poll<T>(limit: Duration, mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = attempt()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("not within {} s", limit.as_secs());
        }
        if interrupted() {
            bail!("interrupted");
        }
        std::thread::sleep(POLL);
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_ends_with_the_first_value_or_the_limit() -> Result<()> {
        let mut left = 2;
        let value = poll(Duration::from_secs(60), || {
            left -= 1;
            Ok((left == 0).then_some("ready"))
        })?;
        assert_eq!(value, "ready");
        let error = poll(Duration::ZERO, || Ok(None::<()>)).expect_err("there never is a value");
        assert_eq!(error.to_string(), "not within 0 s");
        Ok(())
    }

    #[test]
    fn tail_keeps_the_end() {
        let text = (0..100).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert!(tail(&text).starts_with("80\n") && tail(&text).ends_with("\n99"));
        assert_eq!(tail("one"), "one");
    }
}
