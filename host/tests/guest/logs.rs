//! What a guest says ends up in the host's log, under its name.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ractor_host::guest::{GuestOptions, Limits};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{ENGINE, HELLO, component, load, named, start, start_module, with_limits};

/// The part of WASI that the fixture uses, as WASI itself writes it.
const WASI: &str = "
    package wasi:io@0.2.0 {
        interface error { resource error; }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
    package wasi:cli@0.2.0 {
        interface stdout {
            use wasi:io/streams@0.2.0.{output-stream};
            get-stdout: func() -> output-stream;
        }
    }";

/// A log that can be read. Holds for the thread that made it, which is all that a current-thread runtime uses.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (log, guard)
    }

    /// The lines that have this in them.
    fn lines(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .filter(|line| line.contains(part))
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn log_events_carry_the_actor_and_the_guests_own_fields() {
    let (log, _guard) = Log::start();
    let guest = start(named("chatty")).await;
    guest.cast("o", b"it rains\nERROR forged");
    guest.call("echo", b"").await.unwrap();
    let [line] = &log.lines("it rains")[..] else {
        panic!("one line expected");
    };
    let pid = format!("pid={}", guest.cell.get_id().pid());
    for part in [
        "WARN",
        "guest:",
        "it rains\\nERROR forged",
        "actor=\"chatty\"",
        &pid,
        "origin=\"script::target\"",
        "fields=\"key=value\"",
    ] {
        assert!(line.contains(part), "{part} not in {line}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_long_message_is_cut() {
    let (log, _guard) = Log::start();
    let limits = Limits {
        log_bytes: 10,
        ..Limits::default()
    };
    let options = GuestOptions {
        name: Some("verbose".to_owned()),
        ..with_limits(limits)
    };
    let guest = start(options).await;
    guest.cast("o", b"0123456789-and-more");
    guest.call("echo", b"").await.unwrap();
    assert_eq!(log.lines("0123456789... (9 more bytes)").len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn standard_output_becomes_lines() {
    let (log, _guard) = Log::start();
    let imports = "import wasi:cli/stdout@0.2.0; import wasi:io/streams@0.2.0;";
    let module = load(&ENGINE, &component(HELLO, WASI, imports)).await.unwrap();
    let guest = start_module(&module, named("printer")).await.unwrap();
    let [line] = &log.lines("hello from \\u{1b}[31mthe inside")[..] else {
        panic!("one line expected in {log:?}", log = log.lines(""));
    };
    assert!(
        line.contains("actor=\"printer\"") && line.contains("origin=\"stdout\""),
        "{line}"
    );
    assert!(log.lines("second").is_empty());
    guest.cell.stop(None);
    guest.guest.ended.await.unwrap();
    assert_eq!(log.lines("second").len(), 1);
}
