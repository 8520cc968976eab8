//! The runs: in each, every workload on every system, one system after the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use anyhow::{Result, bail};
use serde::de::IgnoredAny;

use super::Options;
use super::entities;
use super::figures::{Figures, Metric};
use super::guests;
use super::interest;
use super::languages::{self, Projects};
use super::operate;
use super::programs::{EntityPrograms, GuestPrograms, LanguagePrograms, OperatePrograms, Programs};
use super::standing;
use super::systems::{ALL, Pair, System};
use super::traffic::{self, Flow, Load, SMALL_CASTS, WORKLOADS, Workload};
use crate::report;

/// The duration of the load of a measurement, in milliseconds.
const LOAD_MS: u64 = 1_000;
const QUICK_LOAD_MS: u64 = 300;
/// The load before the first measurement of a pair.
const WARM_UP: &str = "casts 16 4096 200";

/// What is measured, and how often.
pub(super) struct Plan {
    pub(super) runs: usize,
    pub(super) quick: bool,
    guests: bool,
    only: Option<String>,
    systems: Vec<String>,
}

impl Plan {
    /// What the command line asks for.
    ///
    /// # Errors
    /// It names what doesn't exist.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let known = |name: &String| ALL.iter().any(|system| system.name == *name);
        if let Some(unknown) = options.systems.iter().find(|name| !known(name)) {
            let names: Vec<&str> = ALL.iter().map(|system| system.name).collect();
            bail!("no system is called `{unknown}`; there are {}", names.join(", "));
        }
        let plan = Self {
            runs: options.runs.unwrap_or(if options.quick { 2 } else { 5 }).max(1),
            quick: options.quick,
            guests: !options.no_guests,
            only: options.only.clone(),
            systems: options.systems.clone(),
        };
        if !Self::names().any(|name| plan.wants(name)) {
            let only = plan.only.unwrap_or_default();
            let names: Vec<&str> = Self::names().collect();
            bail!("no workload has `{only}` in its name; there are {}", names.join(", "));
        }
        Ok(plan)
    }

    /// How all workloads are called.
    fn names() -> impl Iterator<Item = &'static str> {
        let traffic = WORKLOADS.iter().map(|workload| workload.name);
        traffic
            .chain(standing::names())
            .chain(interest::names())
            .chain(guests::names())
            .chain(operate::names())
            .chain(entities::names())
            .chain(languages::names())
    }

    /// Whether something of other languages was asked for.
    pub(super) fn wants_languages(&self) -> bool {
        self.guests && self.systems.is_empty() && languages::names().any(|name| self.wants(name))
    }

    /// Whether something with entities was asked for.
    pub(super) fn wants_entities(&self) -> bool {
        self.guests && self.systems.is_empty() && entities::names().any(|name| self.wants(name))
    }

    /// Whether something with guests was asked for.
    pub(super) fn wants_guests(&self) -> bool {
        self.guests && self.systems.is_empty() && guests::names().any(|name| self.wants(name))
    }

    /// Whether something of looking at a node was asked for.
    pub(super) fn wants_operate(&self) -> bool {
        self.guests && self.systems.is_empty() && operate::names().any(|name| self.wants(name))
    }

    /// Whether something without guests was asked for.
    pub(super) fn wants_cluster(&self) -> bool {
        let traffic = WORKLOADS.iter().map(|workload| workload.name);
        let mut names = traffic.chain(standing::names()).chain(interest::names());
        names.any(|name| self.wants(name))
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
    pub(super) fn load_ms(&self) -> u64 {
        if self.quick { QUICK_LOAD_MS } else { LOAD_MS }
    }

    /// Whether the workload has to run: it was asked for, or another one needs its rate.
    fn needs(&self, workload: &Workload) -> bool {
        let mixed = |each: &Workload| matches!(each.load, Load::Mixed(_)) && self.wants(each.name);
        self.wants(workload.name) || (workload.name == SMALL_CASTS && WORKLOADS.iter().any(mixed))
    }
}

/// All runs of the cluster alone.
///
/// # Errors
/// The user asked to stop. What can't be measured is noted among the figures.
pub(super) fn cluster(plan: &Plan, programs: &Programs, figures: &mut Figures) -> Result<()> {
    each(plan, "the cluster", |run| {
        traffic(plan, programs, figures, run)?;
        standing::all(plan, programs, figures, run)?;
        interest::all(plan, programs, figures, run)
    })
}

/// All runs with guests.
///
/// # Errors
/// As [`cluster`].
pub(super) fn with_guests(plan: &Plan, programs: &GuestPrograms, figures: &mut Figures) -> Result<()> {
    each(plan, "guests", |run| guests::all(plan, programs, figures, run))
}

/// All runs of what looking at a node costs.
///
/// # Errors
/// As [`cluster`].
pub(super) fn with_operate(plan: &Plan, programs: &OperatePrograms, figures: &mut Figures) -> Result<()> {
    each(plan, "looking at a node", |run| {
        operate::all(plan, programs, figures, run)
    })
}

/// All runs of entities.
///
/// # Errors
/// As [`cluster`].
pub(super) fn with_entities(plan: &Plan, programs: &EntityPrograms, figures: &mut Figures) -> Result<()> {
    each(plan, "entities", |run| entities::all(plan, programs, figures, run))
}

/// All runs of the languages.
///
/// # Errors
/// As [`cluster`].
pub(super) fn with_languages(
    plan: &Plan,
    programs: &LanguagePrograms,
    projects: &mut Projects,
    figures: &mut Figures,
) -> Result<()> {
    each(plan, "languages", |run| {
        languages::all(plan, programs, projects, figures, run)
    })
}

fn each(plan: &Plan, what: &str, mut one: impl FnMut(usize) -> Result<()>) -> Result<()> {
    for run in 0..plan.runs {
        let started = Instant::now();
        report::step(&format!("{what}: run {} of {}", run + 1, plan.runs));
        one(run)?;
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
                failed(figures, workload.name, system.name, &error)?;
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
pub(super) fn turns<T: Copy>(systems: &[T], run: usize) -> impl Iterator<Item = T> {
    let first = run % systems.len().max(1);
    systems.iter().cycle().skip(first).take(systems.len()).copied()
}

/// Notes what was measured, or that it couldn't be.
///
/// # Errors
/// As [`failed`].
pub(super) fn record(
    figures: &mut Figures,
    run: usize,
    (workload, system): (&'static str, &'static str),
    measured: Result<impl IntoIterator<Item = (Metric, f64)>>,
) -> Result<()> {
    match measured {
        Ok(values) => {
            figures.record(run, workload, system, values);
            Ok(())
        }
        Err(error) => failed(figures, workload, system, &error),
    }
}

/// Notes that a measurement failed.
///
/// # Errors
/// It failed because the user asked to stop.
pub(super) fn failed(figures: &mut Figures, workload: &str, system: &str, error: &anyhow::Error) -> Result<()> {
    let text = format!("{workload} on {system}: {error:#}");
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
