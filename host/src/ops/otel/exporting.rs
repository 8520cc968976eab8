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

use super::settings::SettingsError;

/// An exporter with a runtime of its own.
pub(super) struct Exporting<E> {
    inner: E,
    runtime: Arc<Runtime>,
    signal: &'static str,
    /// Where it exports to, as the variables say it, for the log.
    endpoint: String,
    /// Exports that failed, one after the other.
    failed: AtomicU64,
}

impl<E> fmt::Debug for Exporting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exporting").field(&self.signal).finish()
    }
}

impl<E> Exporting<E> {
    pub(super) fn new(signal: &'static str, inner: E) -> Result<Self, SettingsError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            inner,
            runtime: Arc::new(runtime.map_err(SettingsError::other)?),
            signal,
            endpoint: endpoint(signal),
            failed: AtomicU64::new(0),
        })
    }

    /// Waits here and now, which is on the thread of the SDK.
    fn wait(&self, export: impl Future<Output = OTelSdkResult>) -> OTelSdkResult {
        let outcome = self.runtime.block_on(export);
        self.note(&outcome);
        outcome
    }

    /// Says once that nothing can be exported, and once that it can again.
    fn note(&self, outcome: &OTelSdkResult) {
        let (signal, endpoint) = (self.signal, &self.endpoint);
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
                    tracing::warn!(signal, endpoint, failed, %error, "the OTLP collector doesn't take what is exported; it is given up");
                }
            }
        }
    }
}

/// What the variables say of where a signal goes.
fn endpoint(signal: &str) -> String {
    let own = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.to_ascii_uppercase());
    let said = std::env::var(own).or_else(|_| std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT"));
    said.unwrap_or_else(|_| "http://localhost:4318".to_owned())
}

impl<E: SpanExporter> SpanExporter for Exporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.wait(self.inner.export(batch))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Exporting<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.wait(self.inner.export(batch))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Exporting<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.wait(self.inner.export(metrics))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}
