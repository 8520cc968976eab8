//! Actors in each language, beside a native actor of the same protocol: what a message costs, what an actor holds, and how long an
//! edit takes.
//!
//! The counters are what `ractor-host new` makes, untouched: what a user has after the first command. A long list goes through the
//! kitchens of the tests, because a counter has none.

mod counters;
mod projects;
mod table;
mod targets;

use anyhow::Result;
use ractor_host_project::Language as Lang;

use super::figures::{Figures, Metric};
use super::guests::NATIVE;
use super::programs::LanguagePrograms;
use super::run::{Plan, record, turns};

pub(super) use self::projects::{Projects, Tools};
pub(super) use self::table::{publish, text};
pub(super) use self::targets::TARGETS;

/// The name of the casts, of the calls, and of what else is measured in the process of the counters.
pub(super) const CASTS: &str = "language-casts";
pub(super) const CALLS: &str = "language-call";
pub(super) const START: &str = "language-start";
pub(super) const LIST: &str = "language-list";
/// The names of what is measured with the program, as a user has it.
pub(super) const FIRST_CALL: &str = "language-new";
pub(super) const NODE: &str = "language-node";
pub(super) const SAVE: &str = "language-save";

const WORKLOADS: [&str; 7] = [CASTS, CALLS, START, LIST, FIRST_CALL, NODE, SAVE];

/// A language, and what its project and its kitchen are.
#[derive(Debug)]
pub(super) struct Language {
    /// Its name among the systems.
    pub(super) system: &'static str,
    pub(super) title: &'static str,
    lang: Lang,
    /// The component of its kitchen.
    kitchen: &'static str,
    /// The file of a new project that has the actor.
    source: &'static str,
    /// The line there that adds, and that line with `{}` for another number.
    adds: (&'static str, &'static str),
}

/// In the order of the columns.
pub(super) const LANGUAGES: [Language; 5] = [
    Language {
        system: "rust",
        title: "Rust",
        lang: Lang::Rust,
        kitchen: "kitchen_rs.wasm",
        source: "src/lib.rs",
        adds: ("self.count += number }", "self.count += number + {} }"),
    },
    Language {
        system: "c",
        title: "C",
        lang: Lang::C,
        kitchen: "kitchen_c.wasm",
        source: "src/actor.c",
        adds: ("self->count += number;", "self->count += number + {};"),
    },
    Language {
        system: "typescript",
        title: "TypeScript",
        lang: Lang::TypeScript,
        kitchen: "kitchen_ts.wasm",
        source: "src/actor.ts",
        adds: ("state.count += number;", "state.count += number + {}n;"),
    },
    Language {
        system: "python",
        title: "Python",
        lang: Lang::Python,
        kitchen: "kitchen_py.wasm",
        source: "src/app.py",
        adds: ("self.count += number", "self.count += number + {}"),
    },
    Language {
        system: "go",
        title: "Go",
        lang: Lang::Go,
        kitchen: "kitchen_go.wasm",
        source: "actor.go",
        adds: ("c.Count += number }", "c.Count += number + {} }"),
    },
];

/// How the workloads are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORKLOADS.into_iter()
}

/// One figure of one language in one run.
type Measure = fn(&mut Projects, &LanguagePrograms, &Language) -> Result<Vec<(Metric, f64)>>;

/// What is measured with the program, a language at a time: first what makes the projects, last what changes them.
const BEFORE: [(&str, Measure); 1] = [(FIRST_CALL, projects::first_call)];
const AFTER: [(&str, Measure); 2] = [(NODE, projects::node), (SAVE, projects::save)];

/// Measures all languages once. A language whose project can't be made is left out, and the reason noted.
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
    let languages: Vec<&'static Language> = LANGUAGES.iter().collect();
    let each = |measures: &[(&'static str, Measure)], projects: &mut Projects, figures: &mut Figures| {
        for (workload, measure) in measures.iter().filter(|(workload, _)| plan.wants(workload)) {
            for language in turns(&languages, run) {
                record(
                    figures,
                    run,
                    (workload, language.system),
                    measure(projects, programs, language),
                )?;
            }
        }
        Ok(())
    };
    each(&BEFORE, projects, figures)?;
    counters::all(plan, programs, projects, figures, run)?;
    each(&AFTER, projects, figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes of a run are lost otherwise.
    #[test]
    fn the_line_that_is_edited_is_in_the_source_of_a_new_project() {
        for language in &LANGUAGES {
            let folder = tempfile::tempdir().expect("a folder");
            let project = folder.path().join("counter");
            ractor_host_project::create(&project, language.lang).expect("a project");
            let source = std::fs::read_to_string(project.join(language.source)).expect("a source");
            let (adds, _) = language.adds;
            assert!(source.contains(adds), "{adds} in {source}");
        }
    }
}
