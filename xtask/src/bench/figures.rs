//! What was measured, run by run, and what it comes to.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::machine::Machine;
use super::targets::Outcome;

/// What a figure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    /// Messages or calls a second.
    Rate,
    /// Half of the calls took no longer, in microseconds.
    P50,
    /// 99 of 100 calls took no longer, in microseconds.
    P99,
    /// Processor time of the sending process for each message, in microseconds.
    SenderCpu,
    /// The same of the receiving process.
    ReceiverCpu,
    /// The time that it took, in milliseconds.
    Time,
    /// Memory that the sending process got, in KiB.
    SenderMemory,
    /// Memory that the receiving process got, in KiB.
    ReceiverMemory,
    /// How long the start of each of many took, in microseconds.
    StartEach,
    /// How long each of many took beyond what it is made of, in microseconds.
    Over,
    /// Memory for each of many, in KiB.
    MemoryEach,
    /// The size of a component, in KiB.
    Component,
    /// The time that a long list takes there and back, in seconds.
    List,
    /// The time from `new` to the reply to the first call, in seconds.
    FirstCall,
    /// The same with tools that have to be installed.
    FirstCallAnew,
    /// The time until a node is ready that has to compile, in seconds.
    ColdStart,
    /// The same of one that finds compiled code.
    WarmStart,
    /// Instructions of each message, or of each time that the work is done.
    Instructions,
    /// How long each of many took, in nanoseconds.
    Nanoseconds,
    /// The time from an edit until the actor has the new code, in seconds.
    Save,
}

impl Metric {
    /// As JSON has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::SenderCpu => "sender_cpu",
            Self::ReceiverCpu => "receiver_cpu",
            Self::Time => "time",
            Self::SenderMemory => "sender_memory",
            Self::ReceiverMemory => "receiver_memory",
            Self::StartEach => "start_each",
            Self::Over => "over",
            Self::MemoryEach => "memory_each",
            Self::Component => "component",
            Self::List => "list",
            Self::FirstCall => "first_call",
            Self::FirstCallAnew => "first_call_anew",
            Self::ColdStart => "cold_start",
            Self::WarmStart => "warm_start",
            Self::Instructions => "instructions",
            Self::Nanoseconds => "nanoseconds",
            Self::Save => "save",
        }
    }

    /// What it is measured in.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Rate => "1/s",
            Self::P50 | Self::P99 | Self::SenderCpu | Self::ReceiverCpu | Self::StartEach | Self::Over => "µs",
            Self::Time => "ms",
            Self::Instructions => "",
            Self::Nanoseconds => "ns",
            Self::SenderMemory | Self::ReceiverMemory | Self::MemoryEach | Self::Component => "KiB",
            Self::List | Self::FirstCall | Self::FirstCallAnew | Self::ColdStart | Self::WarmStart | Self::Save => "s",
        }
    }
}

/// Which figure: workload, system, metric.
type Key = (&'static str, &'static str, Metric);

/// All figures.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// In the order in which they were first measured.
    order: Vec<Key>,
    /// The value of each run.
    runs: BTreeMap<Key, BTreeMap<usize, f64>>,
    /// What could not be measured, and why.
    failures: Vec<String>,
}

/// The median of several values, and the range that all are in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Spread {
    /// Of these values, if there are any.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            least: *values.first()?,
            most: *values.last()?,
        })
    }
}

impl Figures {
    /// Notes what a run measured.
    pub(super) fn record(
        &mut self,
        run: usize,
        workload: &'static str,
        system: &'static str,
        values: impl IntoIterator<Item = (Metric, f64)>,
    ) {
        for (metric, value) in values {
            let key = (workload, system, metric);
            if !self.runs.contains_key(&key) {
                self.order.push(key);
            }
            self.runs.entry(key).or_default().insert(run, value);
        }
    }

    /// Notes that something could not be measured.
    pub(super) fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    /// What could not be measured.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Whether nothing was measured.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The value of one run.
    pub(super) fn value(
        &self,
        run: usize,
        workload: &'static str,
        system: &'static str,
        metric: Metric,
    ) -> Option<f64> {
        self.runs.get(&(workload, system, metric))?.get(&run).copied()
    }

    /// The figure over all runs.
    pub(super) fn spread(&self, workload: &'static str, system: &'static str, metric: Metric) -> Option<Spread> {
        Spread::of(self.runs.get(&(workload, system, metric))?.values().copied())
    }

    /// How many times the one system's figure is the other's, each ratio within one run.
    pub(super) fn ratio(
        &self,
        workload: &'static str,
        metric: Metric,
        one: &'static str,
        other: &'static str,
    ) -> Option<Spread> {
        let pairs = self.pairs(workload, metric, one, other)?;
        Spread::of(pairs.filter(|(_, other)| *other > 0.0).map(|(one, other)| one / other))
    }

    /// How many microseconds more a message takes with the one system than with the other, each within one run.
    pub(super) fn more_micros(&self, workload: &'static str, one: &'static str, other: &'static str) -> Option<Spread> {
        let pairs = self.pairs(workload, Metric::Rate, one, other)?;
        Spread::of(pairs.map(|(one, other)| 1e6 / one - 1e6 / other))
    }

    /// The figures of the runs that have both.
    fn pairs(
        &self,
        workload: &'static str,
        metric: Metric,
        one: &'static str,
        other: &'static str,
    ) -> Option<impl Iterator<Item = (f64, f64)>> {
        let others = self.runs.get(&(workload, other, metric))?;
        let ones = self.runs.get(&(workload, one, metric))?;
        Some(ones.iter().filter_map(|(run, one)| Some((*one, *others.get(run)?))))
    }

    /// Each workload with each of its systems, in the order of measurement.
    pub(super) fn rows(&self) -> Vec<(&'static str, &'static str)> {
        let mut rows: Vec<(&'static str, &'static str)> = Vec::new();
        for (workload, system, _) in &self.order {
            if !rows.contains(&(workload, system)) {
                rows.push((workload, system));
            }
        }
        // All systems of a workload together, also where one failed in the first run.
        let first = |workload: &str| rows.iter().position(|(each, _)| *each == workload);
        let mut sorted = rows.clone();
        sorted.sort_by_key(|(workload, _)| first(workload));
        sorted
    }

    /// Everything, for programs.
    pub(super) fn to_json(&self, machine: &Machine, runs: usize, outcomes: &[Outcome]) -> Result<String> {
        let figures: Vec<Value> = self.order.iter().filter_map(|key| self.figure(*key)).collect();
        let outcomes: Vec<Value> = outcomes.iter().map(Outcome::to_json).collect();
        Ok(serde_json::to_string_pretty(&json!({
            "machine": machine,
            "runs": runs,
            "figures": figures,
            "targets": outcomes,
            "failures": self.failures,
        }))?)
    }

    fn figure(&self, key: Key) -> Option<Value> {
        let (workload, system, metric) = key;
        let spread = self.spread(workload, system, metric)?;
        Some(json!({
            "workload": workload,
            "system": system,
            "metric": metric.name(),
            "unit": metric.unit(),
            "median": spread.median,
            "least": spread.least,
            "most": spread.most,
            "runs": self.runs.get(&key)?.values().collect::<Vec<_>>(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_median_and_range() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied()).map(|it| (it.least, it.median, it.most));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0]), Some((3.0, 3.0, 3.0)));
        assert_eq!(spread(&[9.0, 1.0, 2.0]), Some((1.0, 2.0, 9.0)));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 9.0]), Some((1.0, 3.0, 9.0)));
    }

    #[test]
    fn ratios_are_taken_within_a_run() {
        let mut figures = Figures::default();
        for (run, stock, ours) in [(0, 1.0, 5.0), (1, 10.0, 40.0), (2, 2.0, 12.0)] {
            figures.record(run, "casts", "stock", [(Metric::Rate, stock)]);
            figures.record(run, "casts", "ours", [(Metric::Rate, ours)]);
        }
        figures.record(3, "casts", "ours", [(Metric::Rate, 1000.0)]);
        let ratio = figures.ratio("casts", Metric::Rate, "ours", "stock");
        assert_eq!(
            ratio,
            Some(Spread {
                median: 5.0,
                least: 4.0,
                most: 6.0
            })
        );
        assert_eq!(figures.ratio("casts", Metric::Rate, "ours", "raw"), None);
    }
}
