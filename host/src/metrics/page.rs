//! The page on which the metrics of the process are read.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::task::AbortHandle;

use super::collect::Scrape;
use super::openmetrics;
use super::table::describe_all;

/// The interval at which what histograms have collected is summed up. Until then each value takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The page. It is one for all nodes of a process.
#[derive(Clone)]
pub(crate) struct MetricsPage {
    handle: PrometheusHandle,
}

/// Sums up histograms until dropped.
#[derive(Debug)]
pub(crate) struct Upkeep(AbortHandle);

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl MetricsPage {
    /// The page of this process, from whose first use on metrics are collected. None if the program has a recorder of its own.
    pub(crate) fn of_process() -> Option<Self> {
        static PAGE: OnceLock<Option<MetricsPage>> = OnceLock::new();
        let page = PAGE.get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok()?;
            describe_all();
            Some(Self { handle })
        });
        page.clone()
    }

    /// Keeps the page small until what this gives is dropped.
    pub(crate) fn upkeep(&self) -> Upkeep {
        let handle = self.handle.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                handle.run_upkeep();
            }
        });
        Upkeep(task.abort_handle())
    }

    /// All metrics, those of a look among them.
    pub(crate) fn render(&self, look: Option<&Scrape>, exposition: Exposition) -> String {
        let mut text = self.handle.render();
        text.extend(look.map(Scrape::text));
        match exposition {
            Exposition::Prometheus => text,
            Exposition::OpenMetrics => openmetrics::from_prometheus(&text),
        }
    }
}

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposition {
    Prometheus,
    OpenMetrics,
}

impl Exposition {
    /// What a header `Accept` asks for: the text format of Prometheus, unless OpenMetrics is welcome.
    pub(crate) fn accepted(accept: &str) -> Self {
        let is_welcome = accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_it = parts
                .next()
                .is_some_and(|media| media.eq_ignore_ascii_case("application/openmetrics-text"));
            is_it && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        });
        if is_welcome {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// What it is called in a header.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_written_for_those_who_ask_for_it() {
        for (accept, expected) in [
            ("", Exposition::Prometheus),
            ("*/*", Exposition::Prometheus),
            ("text/plain;version=0.0.4", Exposition::Prometheus),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
                Exposition::OpenMetrics,
            ),
            ("application/openmetrics-text; q=0", Exposition::Prometheus),
        ] {
            assert_eq!(Exposition::accepted(accept), expected, "{accept}");
        }
    }
}
