//! The parts: what each runs, and its share of the time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::faketime::{self, FAKETIME_VARIABLE};
use crate::fuzz;
use crate::guests;
use crate::mutants;
use crate::package;
use crate::postgres;
use crate::process::Run;
use crate::programs;
use crate::report;
use crate::span::Span;
use crate::suites::{GUESTS_VARIABLE, PROGRAMS_VARIABLE};
use crate::workspace::Workspace;

use super::repeat;
use super::shares;

/// Where tests read how long they go on, in seconds, if they can go on for long.
const SECONDS_VARIABLE: &str = "RACTOR_TEST_SECONDS";
/// Where the simulations read the same, in minutes.
const MINUTES_VARIABLE: &str = "RACTOR_SIM_MINUTES";
/// Where the tests of very many messages read how many, and how many there are here.
const MESSAGES_VARIABLE: &str = "RACTOR_TEST_MESSAGES";
const MESSAGES: &str = "2000000";
/// The parts of the time for simulations, and those that whole nodes get. The owners of keyed actors get one, and sessions alone the
/// rest.
const SHARES: u32 = 4;
const WHOLE_NODES: u32 = 2;

/// A build that is broken on purpose, and what shows that.
struct Broken {
    /// The feature of the package `ractor-host`.
    feature: &'static str,
    /// The faults among which it shows soonest.
    faults: &'static str,
}

/// What was broken, so that a suite that finds nothing in good nodes means something.
const BROKEN: [Broken; 2] = [
    Broken {
        feature: "broken-fence",
        faults: "store-unheard,pause",
    },
    Broken {
        feature: "broken-keys",
        faults: "kill,store-silent",
    },
];

/// The test of the suite that has nodes.
const LINEARIZABILITY: &str = "whatever_fails";

/// The time within which it shows.
const BROKEN_SHARE: Duration = Duration::from_secs(300);

/// A kind of test that finds more the longer it runs, or takes too long for every run of all tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Builds,
    Package,
    Millions,
    Broken,
    Soak,
    Histories,
    Linearizability,
    Simulation,
    Interleavings,
    Fuzz,
    Mutants,
}

impl Part {
    /// All of them, in the order in which they run: first those that take what they take.
    pub(crate) const ALL: [Self; 11] = [
        Self::Builds,
        Self::Package,
        Self::Millions,
        Self::Broken,
        Self::Soak,
        Self::Histories,
        Self::Linearizability,
        Self::Simulation,
        Self::Interleavings,
        Self::Fuzz,
        Self::Mutants,
    ];

    /// Its name on the command line and in the record.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Builds => "builds",
            Self::Package => "package",
            Self::Millions => "millions",
            Self::Broken => "broken",
            Self::Soak => "soak",
            Self::Histories => "histories",
            Self::Linearizability => "linearizability",
            Self::Simulation => "simulation",
            Self::Interleavings => "interleavings",
            Self::Fuzz => "fuzz",
            Self::Mutants => "mutants",
        }
    }

    /// The part with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Its share of the time, beside those of the others. 0: it takes what it takes.
    pub(super) fn weight(self) -> u32 {
        match self {
            Self::Builds | Self::Package | Self::Millions | Self::Broken => 0,
            Self::Interleavings => 1,
            Self::Soak => 2,
            Self::Histories | Self::Linearizability | Self::Fuzz | Self::Mutants => 3,
            Self::Simulation => 4,
        }
    }

    /// Whether it has nodes as processes.
    fn has_nodes(self) -> bool {
        matches!(
            self,
            Self::Millions | Self::Broken | Self::Soak | Self::Histories | Self::Linearizability
        )
    }

    /// Runs it for `share`, which doesn't count what it builds.
    ///
    /// # Errors
    /// It found something.
    pub(super) fn run(self, prepared: &Prepared<'_>, share: Duration) -> Result<()> {
        let workspace = prepared.workspace;
        match self {
            Self::Builds => repeat::run(workspace),
            Self::Package => package::run(workspace),
            Self::Millions | Self::Soak | Self::Histories | Self::Linearizability => prepared.suite(self.name(), share),
            Self::Broken => prepared.broken(),
            Self::Simulation => simulation(workspace, share),
            Self::Interleavings => interleavings(workspace, share),
            Self::Fuzz => fuzz::run_all(workspace, |tests| {
                Span::from(shares::of_each(share, tests, processors()))
            }),
            Self::Mutants => mutants::go_on(workspace, share),
        }
    }
}

/// The names of parts, as one writes them in a sentence.
pub(super) fn names(parts: &[Part]) -> String {
    parts.iter().map(|part| part.name()).collect::<Vec<_>>().join(", ")
}

/// What the parts need built before they begin.
pub(super) struct Prepared<'a> {
    workspace: &'a Workspace,
    /// The folders of guests and programs, if a part has nodes.
    nodes: Option<(PathBuf, PathBuf)>,
    /// What the tests don't find on this machine by themselves, by the variables that name it.
    installed: Vec<(&'static str, PathBuf)>,
}

impl<'a> Prepared<'a> {
    /// Builds it.
    ///
    /// # Errors
    /// Something doesn't compile.
    pub(super) fn for_parts(workspace: &'a Workspace, parts: &[Part]) -> Result<Self> {
        if !parts.iter().any(|part| part.has_nodes()) {
            return Ok(Self {
                workspace,
                nodes: None,
                installed: Vec::new(),
            });
        }
        let guests = guests::build_all(workspace)?;
        let nodes = Some((guests, programs::build_all(workspace)?));
        let postgres = postgres::install(workspace)?;
        let faketime = faketime::install(workspace)?.map(|path| (FAKETIME_VARIABLE, path));
        Ok(Self {
            workspace,
            nodes,
            installed: postgres.into_iter().chain(faketime).collect(),
        })
    }

    pub(super) fn workspace(&self) -> &'a Workspace {
        self.workspace
    }

    /// Runs a suite of the integration tests.
    fn suite(&self, name: &str, share: Duration) -> Result<()> {
        let (_, programs) = self.nodes.as_ref().context("nodes were not built")?;
        report::step(&format!("{name}: {}", report::spoken(share)));
        self.test(name, programs, share)?.show()
    }

    /// A suite, with the nodes of this folder.
    fn test(&self, name: &str, programs: &Path, share: Duration) -> Result<Run> {
        let (guests, _) = self.nodes.as_ref().context("nodes were not built")?;
        let span = Span::from(share);
        let test = self
            .workspace
            .cargo([
                "test",
                "--package",
                "ractor-host-tests",
                "--no-fail-fast",
                "--test",
                name,
            ])
            .args(["--", "--nocapture", "--test-threads", "1"])
            .env(GUESTS_VARIABLE, guests)
            .env(PROGRAMS_VARIABLE, programs)
            .env(SECONDS_VARIABLE, span.seconds().to_string())
            .env(MESSAGES_VARIABLE, MESSAGES)
            .env("RACTOR_HISTORY_SEED", fuzz::seed_by_clock().to_string())
            .limit_minutes(span.limit_minutes());
        let installed = self.installed.iter();
        Ok(installed.fold(test, |test, (variable, path)| test.env(variable, path)))
    }

    /// Builds nodes that are broken on purpose, and has the suite that should notice find that.
    fn broken(&self) -> Result<()> {
        for broken in &BROKEN {
            let programs = programs::build_broken(self.workspace, broken.feature)?;
            report::step(&format!(
                "{}: {} has to find what is wrong with {}",
                Part::Broken.name(),
                Part::Linearizability.name(),
                broken.feature
            ));
            self.test(Part::Linearizability.name(), &programs, BROKEN_SHARE)?
                .args([LINEARIZABILITY])
                .env("RACTOR_TEST_BROKEN", broken.feature)
                .env("RACTOR_TEST_FAULTS", broken.faults)
                .show()?;
        }
        Ok(())
    }
}

/// Sessions, then whole nodes, then the owners of keyed actors, on virtual time, each from a seed that no run before began with.
fn simulation(workspace: &Workspace, share: Duration) -> Result<()> {
    let (nodes, owners) = (share * WHOLE_NODES / SHARES, share / SHARES);
    let runs = [
        (
            "ractor-host-cluster",
            "simulation::runs::",
            share.saturating_sub(nodes + owners),
        ),
        ("ractor-host", "simulation::runs::", nodes),
        ("ractor-host-placement", "simulation::runs::", owners),
    ];
    for (package, tests, share) in runs {
        let (span, seed) = (Span::from(share), fuzz::seed_by_clock());
        report::step(&format!(
            "simulation in {package}, from seed {seed}: {}",
            report::spoken(share)
        ));
        workspace
            .cargo(["test", "--package", package, "--lib", "--no-fail-fast"])
            .args(["--", tests, "--nocapture", "--include-ignored"])
            .env(MINUTES_VARIABLE, (span.seconds() / 60).max(1).to_string())
            .env("RACTOR_SIM_SEED", seed.to_string())
            .limit_minutes(span.limit_minutes())
            .show()?;
    }
    Ok(())
}

/// All scenarios of `tests/interleavings`, from a seed that no run before began with.
fn interleavings(workspace: &Workspace, share: Duration) -> Result<()> {
    let test = || workspace.cargo(["test", "--package", "interleavings", "--no-fail-fast"]);
    let listed = test().args(["--", "--list"]).capture()?;
    let tests = listed.lines().filter(|line| line.ends_with(": test")).count();
    let each = shares::of_each(share, tests, processors());
    let seed = fuzz::seed_by_clock();
    report::step(&format!(
        "interleavings from seed {seed}: {tests} scenarios, {} each",
        report::spoken(each)
    ));
    test()
        .args(["--", "--nocapture"])
        .env(SECONDS_VARIABLE, each.as_secs().to_string())
        .env("RACTOR_INTERLEAVINGS_SEED", seed.to_string())
        .limit_minutes(Span::from(share).limit_minutes())
        .show()
}

/// The number of tests that run at once.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_found_by_its_name() {
        for part in Part::ALL {
            assert_eq!(Part::named(part.name()), Some(part));
        }
        assert_eq!(Part::named("sauce"), None);
    }

    #[test]
    fn the_parts_that_take_what_they_take_come_first() {
        let first_timed = Part::ALL.iter().position(|part| part.weight() > 0);
        let last_free = Part::ALL.iter().rposition(|part| part.weight() == 0);
        assert!(last_free < first_timed);
    }
}
