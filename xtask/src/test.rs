//! `cargo xtask test`: everything that has to hold, in the order that fails soonest.
//!
//! The steps are cut so that they share what they build. Lints share one set of check artifacts. Everything native is
//! built once, in the dev profile and with the features of the whole workspace, before the tests run from it. Only
//! the host without default features is built a second time, which is its point.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::guests;
use crate::process::Run;
use crate::report;
use crate::workspace::{GUEST_PROFILE, GUEST_TARGET, Workspace};

/// Where the tests find the components.
const GUESTS_VARIABLE: &str = "RACTOR_TEST_GUESTS";
/// Where the tests find `ractor-host` and the programs it is tested against.
const BINARIES_VARIABLE: &str = "RACTOR_TEST_BIN_DIR";
/// The host as the cluster layer alone.
const WITHOUT_GUESTS: [&str; 3] = ["--package", "ractor-host", "--no-default-features"];

/// Runs every check, or with `quick` those that run code.
///
/// # Errors
/// At the first check that fails.
pub(crate) fn run(workspace: &Workspace, quick: bool) -> Result<()> {
    let started = Instant::now();
    if !quick {
        format(workspace)?;
    }
    guests::build(workspace)?;
    if !quick {
        lint(workspace)?;
    }
    test(workspace)?;
    test_without_guests(workspace)?;
    if !quick {
        check_dependencies(workspace)?;
    }
    let left_out = if quick {
        " (formatting, lints and the dependency policy left out)"
    } else {
        ""
    };
    report::step(&format!(
        "all passed in {}{left_out}",
        report::spoken(started.elapsed())
    ));
    Ok(())
}

fn format(workspace: &Workspace) -> Result<()> {
    report::step("formatting: cargo fmt --check");
    workspace
        .cargo(["fmt", "--all", "--check"])
        .show()
        .context("run `cargo fmt --all`")
}

fn lint(workspace: &Workspace) -> Result<()> {
    const DENY: [&str; 3] = ["--", "-D", "warnings"];
    report::step("lints: the workspace");
    workspace
        .cargo(["clippy", "--workspace", "--all-targets"])
        .args(DENY)
        .show()?;

    report::step("lints: the host without guests");
    workspace
        .cargo(["clippy", "--all-targets"])
        .args(WITHOUT_GUESTS)
        .args(DENY)
        .show()?;

    report::step("lints: the guests as WebAssembly");
    let guests = workspace.guest_packages();
    workspace
        .cargo(["clippy", "--profile", GUEST_PROFILE, "--target", GUEST_TARGET])
        .args(guests.iter().flat_map(|package| ["--package", package]))
        .args(DENY)
        .show()?;

    report::step("lints: the documentation");
    workspace
        .cargo(["doc", "--workspace", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .show()
}

fn test(workspace: &Workspace) -> Result<()> {
    report::step("build every library, program, test and example");
    workspace.cargo(["build", "--workspace", "--all-targets"]).show()?;

    report::step("tests: the workspace, with real guests, nodes and stock peers");
    with_artifacts(workspace, workspace.cargo(["test", "--workspace", "--no-fail-fast"])).show()
}

fn test_without_guests(workspace: &Workspace) -> Result<()> {
    report::step("tests: the host without guests");
    with_artifacts(
        workspace,
        workspace.cargo(["test", "--no-fail-fast"]).args(WITHOUT_GUESTS),
    )
    .show()?;

    report::step("the host without guests has no wasmtime");
    let tree = workspace
        .cargo(["tree", "--edges", "normal,build", "--prefix", "none"])
        .args(WITHOUT_GUESTS)
        .capture()?;
    match first_of_wasmtime(&tree) {
        None => Ok(()),
        Some(line) => {
            bail!("`cargo tree --package ractor-host --no-default-features` has `{line}`")
        }
    }
}

fn check_dependencies(workspace: &Workspace) -> Result<()> {
    report::step("dependencies: licences, bans and sources (deny.toml)");
    if workspace.cargo(["deny", "--version"]).capture().is_err() {
        report::note("NOT CHECKED: cargo-deny is not installed; `cargo install --locked cargo-deny` gets it");
        return Ok(());
    }
    workspace
        .cargo(["deny", "--workspace", "check", "licenses", "bans", "sources"])
        .show()
}

fn with_artifacts(workspace: &Workspace, run: Run) -> Run {
    run.env(GUESTS_VARIABLE, workspace.guests())
        .env(BINARIES_VARIABLE, workspace.binaries())
}

/// The first line of a `cargo tree` that is part of wasmtime.
fn first_of_wasmtime(tree: &str) -> Option<&str> {
    tree.lines()
        .find(|line| ["wasmtime", "cranelift"].iter().any(|name| line.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasmtime_is_found_in_a_tree() {
        assert_eq!(first_of_wasmtime("ractor-host v0.1.0\nbytes v1.0.0\n"), None);
        assert_eq!(
            first_of_wasmtime("bytes v1.0.0\nwasmtime-wasi v48.0.2\n"),
            Some("wasmtime-wasi v48.0.2")
        );
        assert_eq!(
            first_of_wasmtime("cranelift-codegen v0.135.0\n"),
            Some("cranelift-codegen v0.135.0")
        );
    }
}
