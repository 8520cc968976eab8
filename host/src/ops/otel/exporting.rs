//! Exporters that find a runtime wherever they are called.
//!
//! The SDK calls an exporter on a thread of its own, which has no runtime, and that of the node is not to be held up by a collector, nor to
//! end before the last export. So each exporter has a small runtime, which runs on the thread that calls it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::bounded::{ExportQueue, dropped};
use super::renewal::CurrentExporter;
use super::settings::{Destination, SettingsError, without_password};
use super::signal::Signal;
use super::transport::{LastFault, advice};

/// The number of times that an export may take what one attempt may: the last one begins before that time is over.
const ATTEMPTS: u32 = 2;

/// What an export needs besides the exporter of the SDK.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) runtime: Arc<Runtime>,
    pub(super) fault: LastFault,
    signal: Signal,
    /// Where it leads, for the log.
    endpoint: String,
    /// The longest that an export takes, whatever the collector does.
    longest: Duration,
}

impl Way {
    pub(super) fn to(destination: &Destination) -> Result<Self, SettingsError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            runtime: Arc::new(runtime.map_err(SettingsError::other)?),
            fault: LastFault::default(),
            signal: destination.signal,
            endpoint: without_password(&destination.endpoint),
            longest: destination.timeout.saturating_mul(ATTEMPTS),
        })
    }
}

/// An exporter with a runtime of its own.
pub(super) struct Exporting<E> {
    current: Arc<CurrentExporter<E>>,
    way: Way,
    /// None for metrics, which don't wait.
    queue: Option<Arc<ExportQueue>>,
    /// Exports that failed, one after the other.
    failed: AtomicU64,
}

impl<E> fmt::Debug for Exporting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exporting").field(&self.way.signal).finish()
    }
}

impl<E> Exporting<E> {
    pub(super) fn new(current: Arc<CurrentExporter<E>>, way: Way, queue: Option<Arc<ExportQueue>>) -> Self {
        Self {
            current,
            way,
            queue,
            failed: AtomicU64::new(0),
        }
    }

    /// Exports this many here and now, which is on the thread of the SDK.
    fn wait(&self, number: usize, export: impl Future<Output = OTelSdkResult>) -> OTelSdkResult {
        if let Some(queue) = &self.queue {
            queue.leave(number);
        }
        // The SDK ends no attempt, and gRPC looks at the time only until an answer begins. A collector that doesn't end it would keep us waiting
        // for ever, and nothing of this signal would be exported any more.
        let longest = self.way.longest;
        let outcome = self
            .way
            .runtime
            .block_on(async { timeout(longest, export).await })
            .unwrap_or(Err(OTelSdkError::Timeout(longest)));
        self.count(number, outcome.is_ok());
        self.note(&outcome);
        outcome
    }

    fn count(&self, number: usize, is_exported: bool) {
        let signal = self.way.signal;
        let outcome = if is_exported { "exported" } else { "failed" };
        let labels = [("signal", signal.name()), ("outcome", outcome)];
        metrics::counter!("ractor_host_otlp_exports_total", &labels).increment(1);
        // Metrics are told anew each time.
        if !is_exported && self.queue.is_some() {
            dropped(signal, "export_failed", number);
        }
    }

    /// Says once that nothing can be exported, and once that it can again.
    fn note(&self, outcome: &OTelSdkResult) {
        let (signal, endpoint) = (self.way.signal.name(), &self.way.endpoint);
        match outcome {
            Ok(()) => {
                // Only the thread of the SDK changes it.
                let failed = self.failed.swap(0, Ordering::Relaxed);
                if failed > 0 {
                    tracing::info!(
                        signal,
                        endpoint,
                        failed,
                        "the OTLP collector takes what is exported again"
                    );
                }
            }
            Err(OTelSdkError::AlreadyShutdown) => {}
            Err(error) => {
                let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
                if failed.is_power_of_two() {
                    let error = self.explain(error);
                    tracing::warn!(signal, endpoint, failed, %error, "the OTLP collector doesn't take what is exported; it is given up");
                }
            }
        }
    }

    fn explain(&self, error: &OTelSdkError) -> String {
        let text = match self.way.fault.take() {
            Some(fault) => format!("{error}: {fault}"),
            None => error.to_string(),
        };
        match advice(&text) {
            Some(advice) => format!("{text}; {advice}"),
            None => text,
        }
    }
}

impl<E: SpanExporter> SpanExporter for Exporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = self.current.exporter();
        self.wait(batch.len(), exporter.export(batch))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.current.exporter().shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.current.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Exporting<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let exporter = self.current.exporter();
        self.wait(batch.iter().count(), exporter.export(batch))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.current.exporter().shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.current.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Exporting<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let exporter = self.current.exporter();
        self.wait(0, exporter.export(metrics))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.current.exporter().force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.current.exporter().shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.current.exporter().temporality()
    }
}
