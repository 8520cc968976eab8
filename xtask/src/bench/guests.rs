//! Guests beside native actors of the same source: in one process, across a link, and one sending to another.

use anyhow::Result;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::figures::{Figures, Metric};
use super::node::Node;
use super::programs::GuestPrograms;
use super::run::{Plan, failed, record, turns};
use super::traffic::Report;

/// The name of the casts by which a guest's cost is judged.
pub(super) const CASTS: &str = "guest-casts";
/// The name of the start of guests.
pub(super) const START: &str = "guest-start";
/// The name of the pause of guests for other code.
const RELOAD: &str = "guest-reload";
/// The names of a guest and of a native actor in the sender's process.
pub(super) const GUEST: &str = "guest";
pub(super) const NATIVE: &str = "native";

/// Which actor is sent to: its place and its kind, as the program calls them.
#[derive(Debug, Clone, Copy)]
struct To {
    system: &'static str,
    place: &'static str,
    kind: &'static str,
}

const fn to(system: &'static str, place: &'static str, kind: &'static str) -> To {
    To { system, place, kind }
}

const DIRECT: &[To] = &[
    to(NATIVE, "local", "native"),
    to(GUEST, "local", "guest"),
    to("remote-native", "remote", "native"),
    to("remote-guest", "remote", "guest"),
];
const RELAYED: &[To] = &[to(NATIVE, "relay", "native"), to(GUEST, "relay", "guest")];

/// What is sent to which actors.
struct Workload {
    name: &'static str,
    /// The line that the load's time is appended to.
    line: &'static str,
    to: &'static [To],
}

const WORKLOADS: &[Workload] = &[
    Workload {
        name: CASTS,
        line: "casts 8 4096",
        to: DIRECT,
    },
    Workload {
        name: "guest-call",
        line: "calls 1 0",
        to: DIRECT,
    },
    Workload {
        name: "guest-relayed-casts",
        line: "casts 8 1024",
        to: RELAYED,
    },
    Workload {
        name: "guest-relayed-call",
        line: "calls 1 0",
        to: RELAYED,
    },
];

/// Measures one workload, with a process of its own.
type Measure = fn(&Plan, &GuestPrograms) -> Result<Vec<(Metric, f64)>>;

/// The number of guests that are started.
const CROWD: u32 = 2_000;
const QUICK_CROWD: u32 = 200;

/// What the program says of guests that it started.
#[derive(Deserialize)]
pub(super) struct Started {
    count: u32,
    seconds: f64,
    kib: Option<u32>,
}

impl Started {
    /// As figures, for each of them.
    pub(super) fn values(&self) -> Vec<(Metric, f64)> {
        let count = f64::from(self.count.max(1));
        let mut values = vec![(Metric::StartEach, self.seconds * 1e6 / count)];
        values.extend(self.kib.map(|kib| (Metric::MemoryEach, f64::from(kib) / count)));
        values
    }
}

/// The number of times that guests are reloaded.
const RELOADS: u32 = 10;
const QUICK_RELOADS: u32 = 2;
/// The number of guests that are reloaded, one after the other, and the bytes of the state of each.
const RELOADED: u32 = 100;
const STATE: u32 = 1 << 10;

/// What the program says of guests that it reloaded, in microseconds.
#[derive(Deserialize)]
struct Paused {
    p50_us: f64,
    p99_us: f64,
}

/// How the workloads are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORKLOADS.iter().map(|workload| workload.name).chain([START, RELOAD])
}

/// A node with guests that is alone.
pub(super) fn node(programs: &GuestPrograms, name: &str) -> Result<Node> {
    node_with(programs, name, &[])
}

/// The same with these variables.
///
/// # Errors
/// As [`node`].
pub(super) fn node_with(programs: &GuestPrograms, name: &str, variables: &[(&str, &str)]) -> Result<Node> {
    let component = programs.component.display().to_string();
    let arguments = ["--name", name, "--component", &component].map(str::to_owned);
    Node::start_with(&programs.node, &arguments, variables)
}

/// Two connected nodes with guests.
struct Pair {
    client: Node,
    server: Node,
}

impl Pair {
    fn start(programs: &GuestPrograms) -> Result<Self> {
        let (server, mut client) = (node(programs, "server")?, node(programs, "client")?);
        client.ask::<IgnoredAny>(&format!("connect {}", server.port()))?;
        Ok(Self { client, server })
    }

    fn measure(&mut self, workload: &Workload, to: To, ms: u64) -> Result<Vec<(Metric, f64)>> {
        self.client
            .ask::<IgnoredAny>(&format!("target {} {}", to.place, to.kind))?;
        let before = self.server.usage()?;
        let report: Report = self.client.ask(&format!("{} {ms}", workload.line))?;
        let after = self.server.usage()?;
        Ok(report.values(after.cpu_seconds - before.cpu_seconds))
    }
}

/// Measures each with the same two nodes, and the start and the reload of guests in others.
pub(super) fn all(plan: &Plan, programs: &GuestPrograms, figures: &mut Figures, run: usize) -> Result<()> {
    if let Err(error) = messages(plan, programs, figures, run) {
        failed(figures, "guests", GUEST, &error)?;
    }
    let alone: [(&'static str, Measure); 2] = [(START, start), (RELOAD, reload)];
    for (workload, measure) in alone {
        if plan.wants(workload) {
            record(figures, run, (workload, GUEST), measure(plan, programs))?;
        }
    }
    Ok(())
}

fn messages(plan: &Plan, programs: &GuestPrograms, figures: &mut Figures, run: usize) -> Result<()> {
    let wanted: Vec<&Workload> = WORKLOADS.iter().filter(|workload| plan.wants(workload.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut pair = Pair::start(programs)?;
    for workload in wanted {
        for to in turns(workload.to, run) {
            match pair.measure(workload, to, plan.load_ms()) {
                Ok(values) => figures.record(run, workload.name, to.system, values),
                Err(error) => {
                    failed(figures, workload.name, to.system, &error)?;
                    pair = Pair::start(programs)?;
                }
            }
        }
    }
    Ok(())
}

fn start(plan: &Plan, programs: &GuestPrograms) -> Result<Vec<(Metric, f64)>> {
    let mut pair = Pair::start(programs)?;
    let crowd = if plan.quick { QUICK_CROWD } else { CROWD };
    let started: Started = pair.client.ask(&format!("crowd {crowd}"))?;
    Ok(started.values())
}

fn reload(plan: &Plan, programs: &GuestPrograms) -> Result<Vec<(Metric, f64)>> {
    let mut pair = Pair::start(programs)?;
    let times = if plan.quick { QUICK_RELOADS } else { RELOADS };
    let Paused { p50_us, p99_us } = pair.client.ask(&format!("reload {RELOADED} {STATE} {times} 1"))?;
    Ok(vec![(Metric::P50, p50_us), (Metric::P99, p99_us)])
}
