//! Entities: what they cost beside actors, on this node and on another, and beside the bare stores that keep their states.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::figures::{Figures, Metric};
use super::node::Node;
use super::programs::EntityPrograms;
use super::run::{Plan, failed, record, turns};
use super::targets::{Of, Target};
use super::traffic::Report;
use crate::report;

/// The names of what is measured.
const CALLS: &str = "entity-call";
const ACTIVATION: &str = "entity-activation";
const DURABLE: &str = "entity-durable";
const KEYS: &str = "entity-keys";
const MOVE: &str = "entity-move";
const IDLE: &str = "entity-idle";
const WORKLOADS: [&str; 6] = [CALLS, ACTIVATION, DURABLE, KEYS, MOVE, IDLE];

/// Where states are kept, and the same store without entities.
const REDB: &str = "redb";
const POSTGRES: &str = "postgres";
const BARE_REDB: &str = "bare-redb";
const BARE_POSTGRES: &str = "bare-postgres";

/// Who is called: an actor or an entity, here or on another node.
const ACTOR: &str = "local-actor";
const ENTITY: &str = "local-entity";
const REMOTE_ACTOR: &str = "remote-actor";
const REMOTE_ENTITY: &str = "remote-entity";

/// Each of those, as the program calls it.
const CALLED: [(&str, &str); 4] = [
    (ACTOR, "local actor"),
    (ENTITY, "local entity"),
    (REMOTE_ACTOR, "remote actor"),
    (REMOTE_ENTITY, "remote entity"),
];

/// The callers of durable entities, each with one of its own.
const CALLERS: u32 = 256;
/// The activations of a measurement.
const ACTIVATIONS: u32 = 300;
const QUICK_ACTIVATIONS: u32 = 50;
/// The keys of which few are active.
const TOUCHED: u32 = 1_000_000;
const QUICK_TOUCHED: u32 = 50_000;
/// The entities that are called while they move.
const MOVED: u32 = 100;
/// The time for which nothing is done, in milliseconds.
const IDLE_MS: u32 = 10_000;

/// What must be reached with entities.
pub(super) const TARGETS: &[Target] = &[
    Target {
        what: "call to an entity here, over an actor, µs",
        of: Of::More(CALLS, ENTITY, ACTOR),
        must: 1.0,
        aim: 0.5,
    },
    Target {
        what: "call to an entity on another node, × an actor there",
        of: Of::AtMost(CALLS, Metric::P50, REMOTE_ENTITY, REMOTE_ACTOR),
        must: 1.15,
        aim: 1.05,
    },
    activation("activation from redb, over start and read, µs", REDB, 50.0),
    activation("activation from PostgreSQL, over start and read, µs", POSTGRES, 300.0),
    durable("durable calls, × what redb commits", REDB, BARE_REDB),
    durable("durable calls, × what PostgreSQL commits", POSTGRES, BARE_POSTGRES),
    Target {
        what: "a key that isn't active, KiB",
        of: Of::Figure(KEYS, Metric::MemoryEach, REDB),
        must: 0.01,
        aim: 0.001,
    },
    Target {
        what: "the longest wait while an entity moves, p99, µs",
        of: Of::Figure(MOVE, Metric::P99, POSTGRES),
        must: 250_000.0,
        aim: 100_000.0,
    },
    Target {
        what: "transactions of a node that does nothing, /s",
        of: Of::Figure(IDLE, Metric::Rate, POSTGRES),
        must: 1.05,
        aim: 1.05,
    },
];

const fn activation(what: &'static str, system: &'static str, must: f64) -> Target {
    Target {
        what,
        of: Of::Figure(ACTIVATION, Metric::Over, system),
        must,
        aim: must / 2.0,
    }
}

const fn durable(what: &'static str, one: &'static str, other: &'static str) -> Target {
    Target {
        what,
        of: Of::AtLeast(DURABLE, Metric::Rate, one, other),
        must: 0.6,
        aim: 0.8,
    }
}

/// How the workloads are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORKLOADS.into_iter()
}

/// What the program says of activations, in microseconds.
#[derive(Deserialize)]
struct Activated {
    activation_us: f64,
    start_us: f64,
    read_us: f64,
}

/// What the program says of durable calls.
#[derive(Deserialize)]
struct Durable {
    rate: f64,
    commits: f64,
    writes: f64,
}

/// What the program says of a store without entities, or of one that is left alone.
#[derive(Deserialize)]
struct Rate {
    rate: f64,
}

/// What the program says of many keys.
#[derive(Deserialize)]
struct Touched {
    count: f64,
    kib: Option<f64>,
}

/// What the program says of those that moved.
#[derive(Deserialize)]
struct Moved {
    p50_us: f64,
    p99_us: f64,
}

/// A PostgreSQL, and a node of its cluster or two.
struct Cluster {
    client: Node,
    server: Node,
    postgres: Node,
}

impl Cluster {
    fn start(programs: &EntityPrograms) -> Result<Self> {
        let postgres = Node::start(&programs.node, &["--postgres".to_owned()])?;
        let store = postgres.port().to_string();
        let node = |name: &str| {
            let arguments = ["--name", name, "--store", &store].map(str::to_owned);
            Node::start(&programs.node, &arguments)
        };
        let mut server = node("server")?;
        server.ask::<IgnoredAny>("joined durable")?;
        let mut client = node("client")?;
        report::note("shards go to the node that came second, half a minute after it came");
        for of in ["plain", "durable", "guest"] {
            client.ask::<IgnoredAny>(&format!("shared {of}"))?;
            client.ask::<IgnoredAny>(&format!("joined {of}"))?;
        }
        Ok(Self {
            client,
            server,
            postgres,
        })
    }

    /// Ends the nodes before their database.
    fn end(self) {
        drop((self.client, self.server));
        drop(self.postgres);
    }
}

/// Measures each: what needs one node on one over redb, and what needs several on a cluster.
///
/// # Errors
/// The user asked to stop. What can't be measured is noted among the figures.
pub(super) fn all(plan: &Plan, programs: &EntityPrograms, figures: &mut Figures, run: usize) -> Result<()> {
    if [ACTIVATION, DURABLE, KEYS].iter().any(|name| plan.wants(name)) {
        let one = || Node::start(&programs.node, &[]);
        match one() {
            Ok(mut node) => {
                stored(plan, &mut node, (REDB, BARE_REDB), figures, run)?;
                if plan.wants(KEYS) {
                    record(figures, run, (KEYS, REDB), keys(plan, &mut node))?;
                }
            }
            Err(error) => failed(figures, "entities", REDB, &error)?,
        }
    }
    if [CALLS, ACTIVATION, DURABLE, MOVE, IDLE]
        .iter()
        .any(|name| plan.wants(name))
    {
        match Cluster::start(programs) {
            Ok(cluster) => clustered(plan, cluster, figures, run)?,
            Err(error) => failed(figures, "entities", POSTGRES, &error)?,
        }
    }
    Ok(())
}

fn clustered(plan: &Plan, mut cluster: Cluster, figures: &mut Figures, run: usize) -> Result<()> {
    if plan.wants(CALLS) {
        for (system, target) in turns(&CALLED, run) {
            let measured = calls(plan, &mut cluster, target);
            record(figures, run, (CALLS, system), measured)?;
        }
    }
    stored(plan, &mut cluster.client, (POSTGRES, BARE_POSTGRES), figures, run)?;
    if plan.wants(IDLE) {
        let idle = idle(&mut cluster.client);
        record(figures, run, (IDLE, POSTGRES), idle)?;
    }
    if plan.wants(MOVE) {
        let moved = moved(&mut cluster);
        record(figures, run, (MOVE, POSTGRES), moved)?;
    }
    cluster.end();
    Ok(())
}

fn calls(plan: &Plan, cluster: &mut Cluster, target: &str) -> Result<Vec<(Metric, f64)>> {
    cluster.client.ask::<IgnoredAny>(&format!("target {target}"))?;
    let before = cluster.server.usage()?;
    let report: Report = cluster.client.ask(&format!("calls 1 0 {}", plan.load_ms()))?;
    let after = cluster.server.usage()?;
    Ok(report.values(after.cpu_seconds - before.cpu_seconds))
}

/// What depends on the store: activations, and durable calls beside what the store commits by itself.
fn stored(
    plan: &Plan,
    node: &mut Node,
    (system, bare): (&'static str, &'static str),
    figures: &mut Figures,
    run: usize,
) -> Result<()> {
    if plan.wants(ACTIVATION) {
        let activated = activated(plan, node);
        record(figures, run, (ACTIVATION, system), activated)?;
    }
    if plan.wants(DURABLE) {
        match durably(plan, node) {
            Ok((calls, commits)) => {
                figures.record(run, DURABLE, system, [(Metric::Rate, calls)]);
                figures.record(run, DURABLE, bare, [(Metric::Rate, commits)]);
            }
            Err(error) => failed(figures, DURABLE, system, &error)?,
        }
    }
    Ok(())
}

fn activated(plan: &Plan, node: &mut Node) -> Result<Vec<(Metric, f64)>> {
    let count = if plan.quick { QUICK_ACTIVATIONS } else { ACTIVATIONS };
    let activated: Activated = node.ask(&format!("activate {count}"))?;
    let over = activated.activation_us - activated.start_us - activated.read_us;
    Ok(vec![(Metric::P50, activated.activation_us), (Metric::Over, over)])
}

/// The calls a second, and the states that the store alone writes in a second, as many in a commit as with these calls.
fn durably(plan: &Plan, node: &mut Node) -> Result<(f64, f64)> {
    let ms = 2 * plan.load_ms();
    let durable: Durable = node.ask(&format!("callers {CALLERS} {ms}"))?;
    let batch = (durable.writes / durable.commits).round();
    report::note(&format!("{batch} states a commit"));
    let bare: Rate = node.ask(&format!("bare {batch} {ms}"))?;
    Ok((durable.rate, bare.rate))
}

fn keys(plan: &Plan, node: &mut Node) -> Result<Vec<(Metric, f64)>> {
    let count = if plan.quick { QUICK_TOUCHED } else { TOUCHED };
    let touched: Touched = node.ask_for_long(&format!("touch {count}"))?;
    let kib = touched
        .kib
        .context("this system doesn't say how much memory a process has")?;
    Ok(vec![(Metric::MemoryEach, kib / touched.count)])
}

fn idle(node: &mut Node) -> Result<Vec<(Metric, f64)>> {
    let idle: Rate = node.ask(&format!("idle {IDLE_MS}"))?;
    Ok(vec![(Metric::Rate, idle.rate)])
}

/// Has the other node stop in order while its entities are called.
fn moved(cluster: &mut Cluster) -> Result<Vec<(Metric, f64)>> {
    cluster.client.ask::<IgnoredAny>(&format!("watch {MOVED}"))?;
    cluster.server.ask::<IgnoredAny>("leave")?;
    let moved: Moved = cluster.client.ask("watched")?;
    Ok(vec![(Metric::P50, moved.p50_us), (Metric::P99, moved.p99_us)])
}
