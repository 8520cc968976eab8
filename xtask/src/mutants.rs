//! `cargo xtask mutants`: which small changes of the code no test notices. tests/mutants.md says what is known of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::process::{self, Ended, Run};
use crate::report;
use crate::workspace::Workspace;

/// What is broken, and the tests that should notice.
const PARTS: [Part; 3] = [
    Part {
        name: "plan",
        package: "ractor-host",
        files: "host/src/supervision/plan.rs",
        tests: "supervision::plan",
    },
    Part {
        name: "session",
        package: "ractor-host-cluster",
        files: "cluster/src/session/**",
        tests: "",
    },
    Part {
        name: "transport",
        package: "ractor-host-cluster",
        files: "cluster/src/transport/**",
        tests: "",
    },
];

/// Where the known ones are.
const KNOWN: &str = "tests/mutants.md says which of these are known";
/// The minutes that one part may take: each change is a build.
const LIMIT_MINUTES: u64 = 24 * 60;

struct Part {
    name: &'static str,
    package: &'static str,
    files: &'static str,
    /// By their names; all of the package if this is empty.
    tests: &'static str,
}

impl Part {
    /// Where cargo-mutants writes what it found.
    fn folder(&self, workspace: &Workspace) -> Result<PathBuf> {
        let folder = workspace.target().join("mutants").join(self.name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    fn command(&self, workspace: &Workspace, folder: &Path, option: Option<&str>) -> Run {
        workspace
            .cargo(["mutants", "--package", self.package, "--jobs", "1", "--timeout", "300"])
            .args(option)
            .args(["--file", self.files, "--output"])
            .args([folder])
            .args(["--", "--lib"])
            .args(Some(self.tests).filter(|tests| !tests.is_empty()))
    }
}

/// Which parts are broken.
#[derive(Args)]
pub(crate) struct Options {
    /// `plan`, `session` or `transport`; all of them unless one is named
    #[arg(value_name = "PART")]
    only: Option<String>,
}

/// Changes the code in every way that cargo-mutants knows, in a copy of the workspace, and runs the tests of that part on each.
///
/// # Errors
/// cargo-mutants is not installed, or tests pass although the code is broken.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    is_installed(workspace)?;
    let is_meant = |part: &&Part| options.only.as_deref().is_none_or(|only| only == part.name);
    let parts: Vec<&Part> = PARTS.iter().filter(is_meant).collect();
    ensure!(!parts.is_empty(), "there are the parts plan, session and transport");
    for part in parts {
        report::step(&format!("mutants of {}", part.files));
        part.command(workspace, &part.folder(workspace)?, None)
            .limit_minutes(LIMIT_MINUTES)
            .show()
            .context(KNOWN)?;
    }
    Ok(())
}

/// Goes on where the last run stopped, for `time`: changes that tests noticed then are left out.
///
/// # Errors
/// As [`run`].
pub(crate) fn go_on(workspace: &Workspace, time: Duration) -> Result<()> {
    is_installed(workspace)?;
    let end = Instant::now() + time;
    let mut unnoticed = Vec::new();
    for part in &PARTS {
        report::step(&format!("mutants of {}, from where the last run stopped", part.files));
        let folder = part.folder(workspace)?;
        let left = end.saturating_duration_since(Instant::now());
        let ended = part.command(workspace, &folder, Some("--iterate")).show_for(left);
        let missed = missed(&folder);
        report::note(&format!("{} of them were not noticed", missed.len()));
        unnoticed.extend(missed);
        match ended {
            Ok(Ended::ByItself) => {}
            Ok(Ended::WithItsTime) => {
                report::note("its time is over; the next run goes on from here");
                break;
            }
            // It fails if there are such changes, which are no reason not to try the next part.
            Err(_) if !unnoticed.is_empty() && !process::interrupted() => {}
            Err(error) => return Err(error),
        }
    }
    ensure!(
        unnoticed.is_empty(),
        "no test noticed\n{}\n{KNOWN}",
        unnoticed.join("\n")
    );
    Ok(())
}

/// What cargo-mutants wrote of the changes that no test noticed.
fn missed(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("mutants.out").join("missed.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn is_installed(workspace: &Workspace) -> Result<()> {
    workspace
        .cargo(["mutants", "--version"])
        .capture()
        .map(drop)
        .context("cargo-mutants is not installed; `cargo install --locked cargo-mutants` gets it")
}
