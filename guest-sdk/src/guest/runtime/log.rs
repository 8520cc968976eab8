//! `tracing` events of the guest as log events of the host, and panics too.

use std::fmt::{self, Write};
use std::panic::PanicHookInfo;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::guest::bindings::ractor::actor::logging::{self, Level as HostLevel};
use crate::guest::runtime::{incoming, spans};

/// The most verbose level that leaves the guest: each event that leaves it costs a call of the host, also when the host then
/// discards it.
pub const MAX_LEVEL: LevelFilter = LevelFilter::DEBUG;

/// Makes the host log what this guest does from now on.
pub(crate) fn install() {
    // An actor may have brought a subscriber of its own, which then stays.
    let _kept = tracing::subscriber::set_global_default(HostLog);
    std::panic::set_hook(Box::new(on_panic));
}

/// A panic ends the instance by a trap that carries no text, so this is the only place where its message is known.
fn on_panic(panic: &PanicHookInfo<'_>) {
    // A reply that the handler has sent counts, and would end with the instance.
    incoming::flush();
    let message = panic.payload_as_str().unwrap_or("(not a text)");
    let location = panic.location().map_or_else(String::new, ToString::to_string);
    let fields = [("location".to_owned(), location)];
    logging::log(
        HostLevel::Error,
        "panic",
        &format!("the actor panicked: {message}"),
        &fields,
    );
}

/// Hands events to the host, with the fields of the spans that they are in.
struct HostLog;

impl Subscriber for HostLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= MAX_LEVEL
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(MAX_LEVEL)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text::default();
        // Before the spans are borrowed: to format a field is to run the actor's code, which may log something itself.
        span.record(&mut text);
        spans::with(|spans| spans.open(spans.parent(span.parent(), span.is_contextual()), text.fields))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut text = Text::default();
        values.record(&mut text);
        spans::with(|spans| spans.record(span, text.fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        // Before the spans are borrowed, as above.
        event.record(&mut text);
        spans::with(|spans| spans.add_fields(spans.parent(event.parent(), event.is_contextual()), &mut text.fields));
        let metadata = event.metadata();
        logging::log(
            host_level(*metadata.level()),
            metadata.target(),
            &text.message,
            &text.fields,
        );
    }

    fn enter(&self, span: &Id) {
        spans::with(|spans| spans.enter(span));
    }

    fn exit(&self, span: &Id) {
        spans::with(|spans| spans.exit(span));
    }

    fn clone_span(&self, span: &Id) -> Id {
        spans::with(|spans| spans.retain(span));
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        spans::with(|spans| spans.release(&span))
    }
}

/// An event, or a span, as text.
#[derive(Default, Debug, Eq, PartialEq)]
struct Text {
    message: String,
    fields: Vec<(String, String)>,
}

impl Text {
    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            name => self.fields.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string can't fail, a broken `Debug` can: what it wrote so far is logged.
        let _broken = write!(text, "{value:?}");
        self.add(field, text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }
}

fn host_level(level: Level) -> HostLevel {
    match level {
        Level::ERROR => HostLevel::Error,
        Level::WARN => HostLevel::Warn,
        Level::INFO => HostLevel::Info,
        Level::DEBUG => HostLevel::Debug,
        Level::TRACE => HostLevel::Trace,
    }
}
