//! The metrics of the node for a collector, if the `OTEL_*` variables have them exported.

use std::time::Duration;

use tokio::task::AbortHandle;

use super::maintenance::Maintenance;
use crate::metrics::{Collector, Exposition, MetricsPage};
use crate::ops::otel;

/// The interval at which the node looks at what is exported. The SDK exports less often, unless `OTEL_METRIC_EXPORT_INTERVAL` says
/// otherwise.
const INTERVAL: Duration = Duration::from_secs(5);

/// Looks at the metrics until dropped.
#[derive(Debug)]
pub(super) struct ExportedMetrics(AbortHandle);

impl ExportedMetrics {
    /// None if nobody wants them, or if the program has a recorder of its own.
    pub(super) fn start(maintenance: &Maintenance) -> Option<Self> {
        if !otel::exports_metrics() {
            return None;
        }
        let Some(page) = MetricsPage::of_process() else {
            tracing::warn!("the program has a recorder for metrics of its own, and none are exported over OTLP");
            return None;
        };
        let mut collector = Collector::new(maintenance.service());
        let looking = tokio::spawn(async move {
            let _upkeep = page.upkeep();
            loop {
                let look = collector.collect().await;
                otel::show(&page.render(Some(&look), Exposition::Prometheus));
                tokio::time::sleep(INTERVAL).await;
            }
        });
        Some(Self(looking.abort_handle()))
    }
}

impl Drop for ExportedMetrics {
    fn drop(&mut self) {
        self.0.abort();
    }
}
