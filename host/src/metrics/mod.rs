//! The metrics of the process: what each is, and the page on which they are read.
//!
//! What is counted is counted where it happens, through the `metrics` facade. Figures that change without an event are brought up to
//! date by a [`Collect`] when somebody reads the page.

mod openmetrics;

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::task::AbortHandle;

use crate::directory::BoxFuture;

/// The interval at which what histograms have collected is summed up. Until then each value takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Brings figures up to date before they are read.
pub(crate) trait Collect: Send + Sync + 'static {
    /// As of now.
    fn collect(&self) -> BoxFuture<'_, ()>;
}

/// Says of each metric what it is.
pub(crate) fn describe_all() {
    metrics::describe_gauge!(
        "ractor_host_ready",
        "1 if the actors of node.toml are there, and 0 if one of them was given up."
    );
    metrics::describe_gauge!("ractor_host_sessions", "Sessions with other nodes.");
    metrics::describe_counter!(
        "ractor_host_cache_entries_discarded_total",
        "Entries of the compile cache that were not used, because they were damaged or not of this installation."
    );
    metrics::describe_counter!(
        "ractor_host_guest_limits_total",
        "Limits of guests that were reached, by limit and actor."
    );
    metrics::describe_counter!(
        "ractor_host_guest_denied_total",
        "Acts of guests for which they have no capability."
    );
    metrics::describe_counter!(
        "ractor_host_guest_dead_letters_total",
        "Messages of guests that nobody handled, by reason."
    );
    metrics::describe_counter!(
        "ractor_host_guest_failures_total",
        "Failures of guests: traps and errors."
    );
    metrics::describe_counter!("ractor_host_guest_restarts_total", "Restarts of guests.");
    metrics::describe_histogram!(
        "ractor_host_guest_turns_waited",
        "How many guests had their turn before one that waited for its own."
    );
    metrics::describe_counter!(
        "ractor_host_output_lines_dropped_total",
        "Lines of the log that nobody took in time."
    );
}

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

    /// All metrics.
    pub(crate) fn render(&self, exposition: Exposition) -> String {
        let text = self.handle.render();
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
