//! What members of groups take on nodes that don't want all of them.

use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::figures::{Figures, Metric};
use super::node::Node;
use super::programs::Programs;
use super::run::{Plan, record, turns};
use super::standing::{Connected, growth, options};
use super::systems::{GROUP, OURS, STOCK, System};

/// One member of each node, of a group with very many.
pub(super) const ONE: &str = "crowd-100000-one-per-node";
/// Members of groups that nobody wants.
pub(super) const UNWANTED: &str = "neighbours-50x200";

/// The number of members of the group.
const MEMBERS: u64 = 100_000;
/// The number of nodes that are connected to each other.
const NODES: usize = 50;
/// The number of members that each of them has in a group that no other one wants.
const EACH: u64 = 200;

/// How the workloads are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    [ONE, UNWANTED].into_iter()
}

/// Measures each, unless it has to be quick.
pub(super) fn all(plan: &Plan, programs: &Programs, figures: &mut Figures, run: usize) -> Result<()> {
    if plan.quick {
        return Ok(());
    }
    if plan.wants(ONE) {
        for system in turns(&[STOCK, OURS], run).filter(|system| plan.wants_system(*system)) {
            record(figures, run, (ONE, system.name), one_per_node(system, programs))?;
        }
    }
    if plan.wants(UNWANTED) && plan.wants_system(OURS) {
        record(
            figures,
            run,
            (UNWANTED, OURS.name),
            unwanted(programs).map(|kib| [(Metric::MemoryEach, kib)]),
        )?;
    }
    Ok(())
}

/// The published nodes tell of every member. Ours tell of one, where the other end wants no more.
fn one_per_node(system: System, programs: &Programs) -> Result<Vec<(Metric, f64)>> {
    let is_ours = system == OURS;
    let wants = if is_ours {
        wanting(&[&format!("{GROUP}=one"), "sink", "callee"])
    } else {
        Vec::new()
    };
    let mut pair = system.start_with(programs, &options(MEMBERS, true), &wants)?;
    let connected: Connected = pair.connect(if is_ours { 1 } else { MEMBERS })?;
    let memory = growth(connected.resident_kib_before, connected.resident_kib);
    let memory = memory.context("this system doesn't say how much memory a process has")?;
    Ok(vec![
        (Metric::Time, connected.seconds * 1e3),
        (Metric::ReceiverMemory, memory),
    ])
}

fn wanting(groups: &[&str]) -> Vec<String> {
    let options = groups.iter().flat_map(|group| ["--want", group]);
    options.map(str::to_owned).collect()
}

/// What a member takes on each of the other nodes, in KiB: how much more these grow by their sessions than where nobody has any.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn unwanted(programs: &Programs) -> Result<f64> {
    let others = (NODES - 1) as f64 * EACH as f64;
    Ok((mesh(programs, EACH)? - mesh(programs, 0)?) / others)
}

/// By how much a node grows on the average while it gets its sessions, in KiB.
#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^53")]
fn mesh(programs: &Programs, members: u64) -> Result<f64> {
    let begun = Instant::now();
    let mut nodes = Vec::new();
    for number in 0..NODES {
        let name = ["--name".to_owned(), format!("node-{number}")];
        let arguments = [&name[..], &options(members, true), &wanting(&["sink"])].concat();
        nodes.push(Node::start(&programs.ours, &arguments)?);
    }
    let ports: Vec<String> = nodes.iter().map(|node| node.port().to_string()).collect();
    let mut before = 0.0;
    for node in &mut nodes {
        before += node.usage()?.resident_kib.context("how much memory it has")? as f64;
    }
    for (number, node) in nodes.iter_mut().enumerate() {
        let earlier = ports.get(..number).unwrap_or_default().join(" ");
        node.ask::<IgnoredAny>(format!("mesh {number} {earlier}").trim_end())?;
    }
    let mut after = 0.0;
    for node in &mut nodes {
        // The sessions that later ones have opened are ready at both ends.
        let meshed: Meshed = node.ask(&format!("mesh {}", NODES - 1))?;
        after += meshed.resident_kib.context("how much memory it has")? as f64;
    }
    crate::report::note(&format!(
        "{NODES} nodes with {members} members each: {}",
        crate::report::spoken(begun.elapsed())
    ));
    Ok((after - before) / NODES as f64)
}

/// What a node says when all its sessions are ready.
#[derive(Deserialize)]
struct Meshed {
    resident_kib: Option<u64>,
}
