//! The log, as records for a collector: the same events that go to stderr, each with the span that it belongs to.

use std::fmt;
use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::scope;
use crate::directory::trace;

/// What the client says with which records are exported: each export would bring about the next.
const OWN: [&str; 5] = ["h2", "hyper", "opentelemetry", "tonic", "tower"];

/// See the module.
pub(super) struct LogLayer {
    logger: SdkLogger,
}

impl LogLayer {
    pub(super) fn new(provider: &SdkLoggerProvider) -> Self {
        Self {
            logger: provider.logger_with_scope(scope()),
        }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if OWN.iter().any(|own| metadata.target().starts_with(own)) {
            return;
        }
        let (number, text) = severity(*metadata.level());
        let mut record = self.logger.create_log_record();
        record.set_timestamp(SystemTime::now());
        record.set_target(metadata.target());
        record.set_severity_number(number);
        record.set_severity_text(text);
        if let Some(context) = trace::of_message() {
            record.set_trace_context(
                TraceId::from(context.trace()),
                SpanId::from(context.span()),
                Some(TraceFlags::new(context.flags())),
            );
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        record.set_body(AnyValue::String(fields.message.into()));
        record.add_attributes(fields.others);
        self.logger.emit(record);
    }
}

fn severity(level: Level) -> (Severity, &'static str) {
    match level {
        Level::TRACE => (Severity::Trace, "TRACE"),
        Level::DEBUG => (Severity::Debug, "DEBUG"),
        Level::INFO => (Severity::Info, "INFO"),
        Level::WARN => (Severity::Warn, "WARN"),
        Level::ERROR => (Severity::Error, "ERROR"),
    }
}

/// The message of an event, and its other fields.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, AnyValue)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: AnyValue) {
        self.others.push((field.name(), value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, AnyValue::String(text.into()));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.put(field, AnyValue::String(value.to_owned().into()));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, AnyValue::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let number = i64::try_from(value).map_or_else(|_| AnyValue::String(value.to_string().into()), AnyValue::Int);
        self.put(field, number);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, AnyValue::Boolean(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, AnyValue::Double(value));
    }
}
