//! Messages over a link: the workloads, and how one is measured.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::figures::{Figures, Metric};
use super::systems::{OURS, OURS_TLS, OURS_TO_STOCK, Pair, RAW, STOCK, STOCK_TLS, STOCK_TO_OURS, System};

/// Longer than any call takes, so that it is never the timeout that is measured.
const TIMEOUT_MS: u64 = 30_000;

/// A workload that every pair of nodes can be put under.
#[derive(Debug)]
pub(super) struct Workload {
    /// How it is called in tables and in JSON.
    pub(super) name: &'static str,
    pub(super) load: Load,
    pub(super) systems: &'static [System],
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Load {
    /// Casts of this many bytes, counted at the other end after each `window`.
    Casts { bytes: usize, window: u64 },
    /// This many calls at the same time.
    Calls { in_flight: usize, timeout_ms: u64 },
    /// One call after the other while casts of 16 bytes flow.
    Mixed(Flow),
}

/// How many casts flow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flow {
    /// Half of what this very system can.
    HalfOfOwn,
    /// Half of what the stock cluster can: the same for all.
    HalfOfStock,
}

const EVERY: &[System] = &[RAW, STOCK, OURS, STOCK_TO_OURS, OURS_TO_STOCK, STOCK_TLS, OURS_TLS];
const PLAIN: &[System] = &[RAW, STOCK, OURS];

/// The casts whose rate the mixed workloads are measured by.
pub(super) const SMALL_CASTS: &str = "casts-16";

/// The workloads, in the order of measurement.
pub(super) const WORKLOADS: &[Workload] = &[
    casts(SMALL_CASTS, 16, 4096, EVERY),
    casts("casts-1k", 1024, 2048, EVERY),
    casts("casts-64k", 64 * 1024, 64, EVERY),
    calls("call", 1, 0, EVERY),
    calls("call-timeout", 1, TIMEOUT_MS, PLAIN),
    calls("calls-64", 64, 0, EVERY),
    calls("calls-64-timeout", 64, TIMEOUT_MS, PLAIN),
    calls("calls-1024", 1024, 0, EVERY),
    calls("calls-1024-timeout", 1024, TIMEOUT_MS, PLAIN),
    mixed("call-under-half-load", Flow::HalfOfOwn),
    mixed("call-under-stock-half-load", Flow::HalfOfStock),
];

const fn casts(name: &'static str, bytes: usize, window: u64, systems: &'static [System]) -> Workload {
    Workload {
        name,
        load: Load::Casts { bytes, window },
        systems,
    }
}

const fn calls(name: &'static str, in_flight: usize, timeout_ms: u64, systems: &'static [System]) -> Workload {
    Workload {
        name,
        load: Load::Calls { in_flight, timeout_ms },
        systems,
    }
}

const fn mixed(name: &'static str, flow: Flow) -> Workload {
    Workload {
        name,
        load: Load::Mixed(flow),
        systems: PLAIN,
    }
}

/// What the sender says.
#[derive(Deserialize)]
pub(super) struct Report {
    count: u64,
    seconds: f64,
    cpu_seconds: f64,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
    casts: Option<u64>,
}

/// Puts the pair under the load for about `ms`.
pub(super) fn measure(
    pair: &mut Pair,
    workload: &Workload,
    system: System,
    ms: u64,
    figures: &mut Figures,
    run: usize,
) -> Result<()> {
    let line = match workload.load {
        Load::Casts { bytes, window } => format!("casts {bytes} {window} {ms}"),
        Load::Calls { in_flight, timeout_ms } => format!("calls {in_flight} {timeout_ms} {ms}"),
        Load::Mixed(flow) => format!("mixed {} {}", half(flow, system, figures, run)?, 2 * ms),
    };
    let before = pair.server.usage()?;
    let report: Report = pair.client.ask(&line)?;
    let after = pair.server.usage()?;
    figures.record(
        run,
        workload.name,
        system.name,
        report.values(after.cpu_seconds - before.cpu_seconds),
    );
    Ok(())
}

/// Half of the rate that was measured in this run.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and small"
)]
fn half(flow: Flow, system: System, figures: &Figures, run: usize) -> Result<u64> {
    let whose = match flow {
        Flow::HalfOfOwn => system,
        Flow::HalfOfStock => STOCK,
    };
    let rate = figures
        .value(run, SMALL_CASTS, whose.name, Metric::Rate)
        .with_context(|| format!("it is measured at half the rate of {SMALL_CASTS} of {}", whose.name))?;
    Ok((rate / 2.0) as u64)
}

impl Report {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    /// As figures, with the processor time of the other process.
    pub(super) fn values(&self, receiver_cpu_seconds: f64) -> Vec<(Metric, f64)> {
        let messages = (self.count + self.casts.unwrap_or(0)) as f64;
        let each = |cpu_seconds: f64| cpu_seconds * 1e6 / messages;
        let mut values = vec![
            (Metric::SenderCpu, each(self.cpu_seconds)),
            (Metric::ReceiverCpu, each(receiver_cpu_seconds)),
            (Metric::Rate, self.count as f64 / self.seconds),
        ];
        values.extend(self.p50_us.map(|value| (Metric::P50, value)));
        values.extend(self.p99_us.map(|value| (Metric::P99, value)));
        values
    }
}
