//! Metrics as text: those that the facade has no words for.

use std::fmt::{self, Write};

use super::table::{Kind, METRICS};
use crate::control::{ModuleRow, NodeFigures};

/// All of them, in the format that Prometheus and OpenMetrics share.
pub(super) fn of(figures: &NodeFigures) -> String {
    let mut out = String::new();
    // Text takes whatever is written to it.
    write(&mut out, figures).ok();
    out
}

fn write(out: &mut String, figures: &NodeFigures) -> fmt::Result {
    head(out, "ractor_host_process_cpu_seconds_total")?;
    let seconds = seconds(figures.process.cpu_us);
    writeln!(out, "ractor_host_process_cpu_seconds_total {seconds}")?;
    head(out, "ractor_host_guest_cpu_seconds_total")?;
    for row in &figures.modules {
        let (module, seconds) = (escaped(&row.module), self::seconds(row.busy_us));
        writeln!(
            out,
            "ractor_host_guest_cpu_seconds_total{{module=\"{module}\"}} {seconds}"
        )?;
    }
    head(out, "ractor_host_guest_handler_seconds")?;
    figures.modules.iter().try_for_each(|row| histogram(out, row))
}

/// What comes before the samples of a metric.
fn head(out: &mut String, name: &str) -> fmt::Result {
    let Some(metric) = METRICS.iter().find(|metric| metric.name == name) else {
        return Ok(());
    };
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    writeln!(out, "# HELP {name} {}", metric.meaning)?;
    writeln!(out, "# TYPE {name} {kind}")
}

fn histogram(out: &mut String, row: &ModuleRow) -> fmt::Result {
    let (module, times) = (escaped(&row.module), &row.handler_times);
    let name = "ractor_host_guest_handler_seconds";
    for (bound, count) in &times.buckets_us {
        writeln!(
            out,
            "{name}_bucket{{module=\"{module}\",le=\"{}\"}} {count}",
            seconds(*bound)
        )?;
    }
    writeln!(out, "{name}_bucket{{module=\"{module}\",le=\"+Inf\"}} {}", times.count)?;
    writeln!(out, "{name}_sum{{module=\"{module}\"}} {}", seconds(times.sum_us))?;
    writeln!(out, "{name}_count{{module=\"{module}\"}} {}", times.count)
}

#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// A value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
