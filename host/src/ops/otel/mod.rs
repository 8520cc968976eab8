//! Traces, logs and metrics over OTLP, when the standard `OTEL_*` variables say so: see `docs/tracing.md`.
//!
//! Nothing here is made unless they do. What is exported waits in queues of bounded length, each of which a thread of its own empties; what
//! finds no room is given up, so that a collector that is down or slow holds nobody up.

mod bounded;
mod exporters;
mod exporting;
mod logs;
mod metrics;
mod renewal;
mod settings;
mod signal;
mod tracer;
mod transport;

use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use self::exporters::{logger_provider, meter_provider, tracer_provider};
use self::renewal::Renewable;
use self::settings::Exported;
use crate::directory::trace;

pub(crate) use self::metrics::show;
pub(crate) use self::renewal::Renewal;
pub(crate) use self::settings::SettingsError;

/// The version of the semantic conventions that the names of spans and attributes are from.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// The longest that the end of the process waits for what is to be exported yet.
const SHUTDOWN: Duration = Duration::from_secs(3);

static TELEMETRY: OnceLock<Otel> = OnceLock::new();

/// True for the spans that ractor makes, one for the whole life of each actor: what an actor sends in its own is in no trace.
fn is_of_ractor(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().split("::").next() == Some("ractor")
}

/// What exports, for the life of the process.
struct Otel {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
    metrics: Option<SdkMeterProvider>,
    /// What these export with.
    exporters: Vec<Arc<dyn Renewable>>,
}

/// Layers for the subscriber of the process.
pub(super) type OtelLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What the variables ask for, made, but not in use yet.
pub(super) struct Made {
    otel: Otel,
}

/// Makes what the variables of the environment ask for. None if they ask for nothing.
///
/// # Errors
/// A variable has a value that can't be followed.
pub(super) fn from_environment() -> Result<Option<Made>, SettingsError> {
    let Some(exported) = Exported::read(|name| std::env::var(name).ok())? else {
        return Ok(None);
    };
    let resource = resource();
    let Exported { traces, logs, metrics } = exported;
    let mut exporters = Vec::new();
    let traces = traces.map(|to| tracer_provider(&to, &resource)).transpose()?;
    let logs = logs.map(|to| logger_provider(&to, &resource)).transpose()?;
    let metrics = metrics.map(|to| meter_provider(&to, &resource)).transpose()?;
    let otel = Otel {
        traces: traces.map(|made| made.into_provider(&mut exporters)),
        logs: logs.map(|made| made.into_provider(&mut exporters)),
        metrics: metrics.map(|made| made.into_provider(&mut exporters)),
        exporters,
    };
    if let Some(metrics) = &otel.metrics {
        metrics::register(metrics, scope());
    }
    Ok(Some(Made { otel }))
}

impl Made {
    /// What is to see spans and events.
    pub(super) fn layers(&self) -> Option<OtelLayer> {
        let traces = self.otel.traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer_with_scope(scope()))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(filter_fn(|metadata| !is_of_ractor(metadata)))
        });
        let logs = self.otel.logs.as_ref().map(logs::LogLayer::new);
        match (traces, logs) {
            (Some(traces), Some(logs)) => Some(traces.and_then(logs).boxed()),
            (Some(traces), None) => Some(traces.boxed()),
            (None, Some(logs)) => Some(logs.boxed()),
            (None, None) => None,
        }
    }

    /// The layers are in place: from now on this process traces.
    pub(super) fn adopt(self) {
        if let Some(provider) = &self.otel.traces {
            let tracer = provider.tracer_with_scope(scope());
            trace::install(Box::new(tracer::OtelTracer::new(tracer)));
        }
        // A process has one subscriber, so this is the first time.
        drop(TELEMETRY.set(self.otel));
    }
}

/// True if metrics are exported.
pub(crate) fn exports_metrics() -> bool {
    TELEMETRY.get().is_some_and(|otel| otel.metrics.is_some())
}

/// Reads the files of certificates again that the variables name. Blocks while it does. Nothing of it is in force before it is adopted.
///
/// # Errors
/// One of them is no good.
pub(crate) fn read_again() -> Result<Renewal, SettingsError> {
    let exporters = TELEMETRY.get().map(|otel| otel.exporters.iter().cloned());
    Renewal::of(exporters.into_iter().flatten())
}

/// Exports what is left, for three seconds at most. For the end of the process: nothing is exported after it.
pub(super) fn shut_down() {
    let Some(otel) = TELEMETRY.get() else { return };
    let (done, ended) = channel();
    let mut left = 0;
    let ends: [Option<Box<dyn FnOnce() + Send>>; 3] = [
        otel.traces
            .clone()
            .map(|traces| end(move || traces.shutdown_with_timeout(SHUTDOWN))),
        otel.logs
            .clone()
            .map(|logs| end(move || logs.shutdown_with_timeout(SHUTDOWN))),
        otel.metrics
            .clone()
            .map(|metrics| end(move || metrics.shutdown_with_timeout(SHUTDOWN))),
    ];
    for end in ends.into_iter().flatten() {
        let done = done.clone();
        // On threads of their own, since not all of them keep to a time.
        let started = thread::Builder::new().name("otel-end".to_owned()).spawn(move || {
            end();
            done.send(()).ok();
        });
        left += usize::from(started.is_ok());
    }
    let until = Instant::now() + SHUTDOWN;
    for _ in 0..left {
        if ended
            .recv_timeout(until.saturating_duration_since(Instant::now()))
            .is_err()
        {
            return;
        }
    }
}

fn end<T>(shut_down: impl FnOnce() -> T + Send + 'static) -> Box<dyn FnOnce() + Send> {
    // What could not be exported was said when it failed.
    Box::new(move || drop(shut_down()))
}

/// What this program is, in the words of the conventions: what the variables say, and what they leave out.
fn resource() -> Resource {
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty())
        || std::env::var("OTEL_RESOURCE_ATTRIBUTES")
            .is_ok_and(|all| all.split(',').any(|one| one.trim_start().starts_with("service.name=")));
    let resource = Resource::builder().with_schema_url(
        [KeyValue::new("process.pid", i64::from(std::process::id()))],
        SCHEMA_URL,
    );
    if named {
        resource.build()
    } else {
        resource.with_service_name("ractor-host").build()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("ractor-host")
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url(SCHEMA_URL)
        .build()
}
