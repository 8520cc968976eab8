//! `cargo xtask mutants`: which small changes of the code no test notices. tests/mutants.md says what is known of them.

use anyhow::{Context, Result};
use clap::Args;

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

/// The minutes that one part may take: each change is a build.
const LIMIT_MINUTES: u64 = 24 * 60;

struct Part {
    name: &'static str,
    package: &'static str,
    files: &'static str,
    /// By their names; all of the package if this is empty.
    tests: &'static str,
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
    workspace
        .cargo(["mutants", "--version"])
        .capture()
        .context("cargo-mutants is not installed; `cargo install --locked cargo-mutants` gets it")?;
    let is_meant = |part: &&Part| options.only.as_deref().is_none_or(|only| only == part.name);
    let parts: Vec<&Part> = PARTS.iter().filter(is_meant).collect();
    anyhow::ensure!(!parts.is_empty(), "there are the parts plan, session and transport");
    for part in parts {
        report::step(&format!("mutants of {}", part.files));
        let output = workspace.target().join("mutants").join(part.name);
        std::fs::create_dir_all(&output)?;
        workspace
            .cargo(["mutants", "--package", part.package, "--jobs", "1", "--timeout", "300"])
            .args(["--file", part.files, "--output"])
            .args([output])
            .args(["--", "--lib"])
            .args(Some(part.tests).filter(|tests| !tests.is_empty()))
            .limit_minutes(LIMIT_MINUTES)
            .show()
            .context("tests/mutants.md says which of these are known")?;
    }
    Ok(())
}
