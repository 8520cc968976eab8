//! What a node says of a panic: a line of its log.
//!
//! The hook of std writes to stderr and waits for its reader, with a lock that the next panic wants. Actors may panic, which is a
//! failure like any other, and so that must cost no thread.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

use super::format::LogFormat;
use super::{console, event};

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Logs panics from now on. A hook that the program has set is called after that.
pub(super) fn log(format: LogFormat) {
    let current = panic::take_hook();
    // Not the one of std: it would write to stderr once more, and wait for its reader.
    let hook: Box<Hook> = if is_default(&*current) {
        Box::new(move |panic| report(format, panic))
    } else {
        Box::new(move |panic| {
            report(format, panic);
            current(panic);
        })
    };
    panic::set_hook(hook);
}

/// True for the hook of std, which is what there is when one has been taken. It has no data, so that its table of functions is
/// all that tells it from others.
fn is_default(hook: &Hook) -> bool {
    std::ptr::eq(hook, &*panic::take_hook())
}

/// Nothing in here may panic: that would be the end of the process.
fn report(format: LogFormat, panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("(no text)");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        BacktraceStatus::Captured => backtrace.to_string(),
        _ => String::new(),
    };
    let mut fields = vec![("location", place.as_str()), ("thread", thread)];
    if format == LogFormat::Json && !backtrace.is_empty() {
        fields.push(("backtrace", &backtrace));
    }
    let mut lines = event::line(format, "ERROR", &format!("panic: {message}"), &fields);
    if format == LogFormat::Text {
        lines.push_str(&backtrace);
    }
    console::write_log(tracing::Level::ERROR, None, lines.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_of_std_is_told_from_those_of_programs() {
        // The only test of this crate that touches the hook.
        let own = panic::take_hook();
        assert!(is_default(&*panic::take_hook()));
        let silent: Box<Hook> = Box::new(|_| ());
        assert!(!is_default(&*silent));
        panic::set_hook(own);
    }
}
