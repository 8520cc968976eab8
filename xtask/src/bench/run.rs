//! The runs: in each, every workload on every system, one system after the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use anyhow::{Result, bail};
use serde::de::IgnoredAny;

use super::figures::Figures;
use super::programs::Programs;
use super::standing;
use super::systems::{ALL, Pair, System};
use super::traffic::{self, Flow, Load, SMALL_CASTS, WORKLOADS, Workload};
use crate::report;

/// How long the load of a measurement lasts, in milliseconds.
const LOAD_MS: u64 = 1_000;
const QUICK_LOAD_MS: u64 = 300;
/// The load before the first measurement of a pair.
const WARM_UP: &str = "casts 16 4096 200";

/// What is measured, and how often.
pub(super) struct Plan {
    pub(super) runs: usize,
    pub(super) quick: bool,
    only: Option<String>,
    systems: Vec<String>,
}

impl Plan {
    /// What the command line asks for.
    ///
    /// # Errors
    /// It names what doesn't exist.
    pub(super) fn new(quick: bool, runs: Option<usize>, only: Option<&str>, systems: &[String]) -> Result<Self> {
        if let Some(unknown) = systems
            .iter()
            .find(|name| ALL.iter().all(|system| system.name != **name))
        {
            let names: Vec<&str> = ALL.iter().map(|system| system.name).collect();
            bail!("no system is called `{unknown}`; there are {}", names.join(", "));
        }
        let plan = Self {
            runs: runs.unwrap_or(if quick { 2 } else { 5 }).max(1),
            quick,
            only: only.map(str::to_owned),
            systems: systems.to_vec(),
        };
        let mut names = WORKLOADS.iter().map(|workload| workload.name).chain(standing::names());
        if !names.any(|name| plan.wants(name)) {
            let names: Vec<&str> = WORKLOADS
                .iter()
                .map(|workload| workload.name)
                .chain(standing::names())
                .collect();
            bail!(
                "no workload has `{}` in its name; there are {}",
                only.unwrap_or_default(),
                names.join(", ")
            );
        }
        Ok(plan)
    }

    /// Whether the workload was asked for.
    pub(super) fn wants(&self, workload: &str) -> bool {
        self.only.as_deref().is_none_or(|only| workload.contains(only))
    }

    /// Whether the system was asked for.
    pub(super) fn wants_system(&self, system: System) -> bool {
        self.systems.is_empty() || self.systems.iter().any(|name| name == system.name)
    }

    /// How long a load lasts.
    fn load_ms(&self) -> u64 {
        if self.quick { QUICK_LOAD_MS } else { LOAD_MS }
    }

    /// Whether the workload has to run: it was asked for, or another one needs its rate.
    fn needs(&self, workload: &Workload) -> bool {
        let mixed = |each: &Workload| matches!(each.load, Load::Mixed(_)) && self.wants(each.name);
        self.wants(workload.name) || (workload.name == SMALL_CASTS && WORKLOADS.iter().any(mixed))
    }
}

/// All runs.
///
/// # Errors
/// The user asked to stop. What can't be measured is noted among the figures.
pub(super) fn all(plan: &Plan, programs: &Programs, figures: &mut Figures) -> Result<()> {
    for run in 0..plan.runs {
        let started = Instant::now();
        report::step(&format!("run {} of {}", run + 1, plan.runs));
        traffic(plan, programs, figures, run)?;
        standing::all(plan, programs, figures, run)?;
        report::note(&format!("took {}", report::spoken(started.elapsed())));
    }
    Ok(())
}

fn traffic(plan: &Plan, programs: &Programs, figures: &mut Figures, run: usize) -> Result<()> {
    let mut pairs = BTreeMap::new();
    for workload in WORKLOADS.iter().filter(|workload| plan.needs(workload)) {
        let only_for_its_rate = !plan.wants(workload.name);
        for system in turns(workload.systems, run) {
            let wanted = plan.wants_system(system)
                && (!only_for_its_rate || WORKLOADS.iter().any(|each| measured_by_rate(each, system)));
            if !wanted {
                continue;
            }
            if let Err(error) = one(plan, programs, &mut pairs, (workload, system), figures, run) {
                failed(figures, workload.name, system, &error)?;
                // What went wrong with this pair must not show in the next measurement.
                pairs.remove(&system);
            }
        }
    }
    Ok(())
}

/// Whether a mixed workload of this system needs the rate of the casts.
fn measured_by_rate(workload: &Workload, system: System) -> bool {
    matches!(workload.load, Load::Mixed(Flow::HalfOfOwn | Flow::HalfOfStock)) && workload.systems.contains(&system)
}

/// The systems, in each run beginning with another one.
pub(super) fn turns(systems: &[System], run: usize) -> impl Iterator<Item = System> {
    let first = run % systems.len().max(1);
    systems.iter().cycle().skip(first).take(systems.len()).copied()
}

/// Notes that a measurement failed.
///
/// # Errors
/// It failed because the user asked to stop.
pub(super) fn failed(figures: &mut Figures, workload: &str, system: System, error: &anyhow::Error) -> Result<()> {
    let text = format!("{workload} on {}: {error:#}", system.name);
    if crate::process::interrupted() {
        bail!("interrupted");
    }
    report::note(&text);
    figures.fail(text);
    Ok(())
}

fn one(
    plan: &Plan,
    programs: &Programs,
    pairs: &mut BTreeMap<System, Pair>,
    (workload, system): (&Workload, System),
    figures: &mut Figures,
    run: usize,
) -> Result<()> {
    let pair = match pairs.entry(system) {
        Entry::Occupied(pair) => pair.into_mut(),
        Entry::Vacant(place) => {
            let mut pair = system.start(programs, &[])?;
            pair.connect::<IgnoredAny>(0)?;
            pair.client.ask::<IgnoredAny>(WARM_UP)?;
            place.insert(pair)
        }
    };
    traffic::measure(pair, workload, system, plan.load_ms(), figures, run)
}
