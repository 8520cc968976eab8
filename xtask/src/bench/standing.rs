//! What nodes hold rather than send: the actors that they tell each other of, and what waits for a slow one.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::figures::{Figures, Metric};
use super::programs::Programs;
use super::run::{Plan, record, turns};
use super::systems::{GROUP, OURS, Pair, STOCK, System};

/// Both clusters. Without one there are no actors.
const SYSTEMS: &[System] = &[STOCK, OURS];

/// A workload that needs nodes of its own.
struct Workload {
    name: &'static str,
    load: Load,
    /// Whether it is part of a quick benchmark.
    quick: bool,
}

enum Load {
    /// The number of actors that the server has when the client connects.
    Crowd { actors: u64, grouped: bool },
    /// The client casts so much to an actor that takes a millisecond for each message.
    Flood { bytes: usize, count: u64 },
}

const fn crowd(name: &'static str, actors: u64, grouped: bool, quick: bool) -> Workload {
    Workload {
        name,
        load: Load::Crowd { actors, grouped },
        quick,
    }
}

/// The name of the flood.
pub(super) const FLOOD: &str = "flood";

const WORKLOADS: &[Workload] = &[
    crowd("crowd-1", 1, false, true),
    crowd("crowd-1-grouped", 1, true, true),
    crowd("crowd-10000", 10_000, false, true),
    crowd("crowd-10000-grouped", 10_000, true, true),
    crowd("crowd-100000", 100_000, false, false),
    crowd("crowd-100000-grouped", 100_000, true, false),
    // 384 MiB: three times the limits of both queues together.
    Workload {
        name: FLOOD,
        load: Load::Flood {
            bytes: 1024,
            count: 384 * 1024,
        },
        quick: true,
    },
];

/// The time for which memory may still grow after the last cast is sent.
const SETTLE: Duration = Duration::from_millis(1_500);

/// What the client says of a new connection.
#[derive(Deserialize)]
pub(super) struct Connected {
    pub(super) seconds: f64,
    pub(super) resident_kib_before: Option<u64>,
    pub(super) resident_kib: Option<u64>,
}

/// What the client says of what it sent.
#[derive(Deserialize)]
struct Sent {
    count: u64,
    seconds: f64,
}

/// How the workloads are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORKLOADS.iter().map(|workload| workload.name)
}

/// Measures each on each system, with new nodes every time.
pub(super) fn all(plan: &Plan, programs: &Programs, figures: &mut Figures, run: usize) -> Result<()> {
    let wanted = |workload: &&Workload| plan.wants(workload.name) && (workload.quick || !plan.quick);
    for workload in WORKLOADS.iter().filter(wanted) {
        for system in turns(SYSTEMS, run).filter(|system| plan.wants_system(*system)) {
            record(
                figures,
                run,
                (workload.name, system.name),
                measure(workload, system, programs),
            )?;
        }
    }
    Ok(())
}

fn measure(workload: &Workload, system: System, programs: &Programs) -> Result<Vec<(Metric, f64)>> {
    match workload.load {
        Load::Crowd { actors, grouped } => {
            crowd_of(actors, grouped, &mut system.start(programs, &options(actors, grouped))?)
        }
        Load::Flood { bytes, count } => flood(bytes, count, &mut system.start(programs, &[])?),
    }
}

/// What a node needs to have such actors.
pub(super) fn options(actors: u64, grouped: bool) -> Vec<String> {
    let mut options = vec!["--crowd".to_owned(), actors.to_string()];
    if grouped {
        options.extend(["--group".to_owned(), GROUP.to_owned()]);
    }
    options
}

fn crowd_of(actors: u64, grouped: bool, pair: &mut Pair) -> Result<Vec<(Metric, f64)>> {
    let connected: Connected = pair.connect(if grouped { actors } else { 0 })?;
    let mut values = vec![(Metric::Time, connected.seconds * 1e3)];
    let memory = growth(connected.resident_kib_before, connected.resident_kib);
    values.extend(memory.map(|kib| (Metric::ReceiverMemory, kib)));
    Ok(values)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn flood(bytes: usize, count: u64, pair: &mut Pair) -> Result<Vec<(Metric, f64)>> {
    pair.connect::<IgnoredAny>(0)?;
    let (sender, receiver) = (pair.client.usage()?, pair.server.usage()?);
    let sent: Sent = pair.client.ask(&format!("flood {bytes} {count}"))?;
    std::thread::sleep(SETTLE);
    let sender = growth(sender.resident_kib, pair.client.usage()?.peak_kib);
    let receiver = growth(receiver.resident_kib, pair.server.usage()?.peak_kib);
    Ok(vec![
        (
            Metric::SenderMemory,
            sender.context("this system doesn't say how much memory a process has")?,
        ),
        (
            Metric::ReceiverMemory,
            receiver.context("this system doesn't say how much memory a process has")?,
        ),
        (Metric::Rate, sent.count as f64 / sent.seconds),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^53")]
pub(super) fn growth(before: Option<u64>, after: Option<u64>) -> Option<f64> {
    Some(after?.saturating_sub(before?) as f64)
}
