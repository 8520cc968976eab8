//! The counters of all languages in one process, and a native one.

use anyhow::Result;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::figures::{Figures, Metric};
use super::super::guests::{self, Started};
use super::super::node::Node;
use super::super::programs::LanguagePrograms;
use super::super::run::{Plan, failed, record, turns};
use super::super::traffic::Report;
use super::{CALLS, CASTS, LANGUAGES, LIST, Language, NATIVE, Projects, START};

/// The lines that the loads' time is appended to.
const LOADS: [(&str, &str); 2] = [(CASTS, "casts 8 4096"), (CALLS, "calls 1 0")];

/// The number of actors of one language that are started: one in Python takes most of a mebibyte.
const CROWD: u32 = 200;

/// The elements of a long list, and the number of times that one goes there and back.
const ELEMENTS: u64 = 1_000_000;
const TIMES: u32 = 5;

/// What the program says of a list.
#[derive(Deserialize)]
struct List {
    seconds: f64,
}

/// glibc gives blocks from this size on back to the system as soon as they are freed. Otherwise it keeps what the compiler had, tens of
/// mebibytes, and guests that are put there would seem to take nothing.
const GIVES_BACK: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072");

/// Measures what needs the process. What can't be measured is noted.
///
/// # Errors
/// The user asked to stop.
pub(super) fn all(
    plan: &Plan,
    programs: &LanguagePrograms,
    projects: &mut Projects,
    figures: &mut Figures,
    run: usize,
) -> Result<()> {
    if ![CASTS, CALLS, START, LIST].iter().any(|workload| plan.wants(workload)) {
        return Ok(());
    }
    let mut node = guests::node(&programs.guests, "languages")?;
    let mut languages: Vec<&'static Language> = Vec::new();
    for language in &LANGUAGES {
        match start(programs, projects, &mut node, language) {
            Ok(()) => languages.push(language),
            Err(error) => failed(figures, CASTS, language.system, &error)?,
        }
    }
    let mut there = vec![NATIVE];
    there.extend(languages.iter().map(|language| language.system));
    for (workload, line) in LOADS {
        for system in turns(&there, run).filter(|_| plan.wants(workload)) {
            record(figures, run, (workload, system), load(plan, &mut node, system, line))?;
        }
    }
    for language in turns(&languages, run).filter(|_| plan.wants(LIST)) {
        record(
            figures,
            run,
            (LIST, language.system),
            list(programs, &mut node, language),
        )?;
    }
    drop(node);
    for language in turns(&languages, run).filter(|_| plan.wants(START)) {
        record(
            figures,
            run,
            (START, language.system),
            crowd(programs, projects, language),
        )?;
    }
    Ok(())
}

/// Starts the counter of a language in the process.
fn start(programs: &LanguagePrograms, projects: &mut Projects, node: &mut Node, language: &Language) -> Result<()> {
    let component = projects.component(programs, language)?;
    let line = format!("language {} {}", language.system, component.display());
    node.ask::<IgnoredAny>(&line).map(drop)
}

fn load(plan: &Plan, node: &mut Node, system: &str, line: &str) -> Result<Vec<(Metric, f64)>> {
    let target = match system {
        NATIVE => "target local native".to_owned(),
        language => format!("target language {language}"),
    };
    node.ask::<IgnoredAny>(&target)?;
    let report: Report = node.ask(&format!("{line} {}", plan.load_ms()))?;
    // There is one process, whose time is the sender's.
    Ok(report.values(0.0))
}

/// Starts many in a process of their own, which has nothing left of what the others had.
fn crowd(programs: &LanguagePrograms, projects: &mut Projects, language: &Language) -> Result<Vec<(Metric, f64)>> {
    let mut node = guests::node_with(&programs.guests, "crowd", &[GIVES_BACK])?;
    start(programs, projects, &mut node, language)?;
    let started: Started = node.ask(&format!("crowd {CROWD} {}", language.system))?;
    Ok(started.values())
}

fn list(programs: &LanguagePrograms, node: &mut Node, language: &Language) -> Result<Vec<(Metric, f64)>> {
    let kitchen = programs.kitchens.join(language.kitchen);
    let List { seconds } = node.ask(&format!("list {ELEMENTS} {TIMES} {}", kitchen.display()))?;
    Ok(vec![(Metric::List, seconds)])
}
