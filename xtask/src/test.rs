//! `cargo xtask test`: everything that has to hold, in the order that fails soonest.
//!
//! The steps are cut so that they share what they build. The programs are those that `cargo xtask demo` builds, all
//! lints share their check artifacts, and all tests of the workspace are one build, which has its wasmtime from the programs. What is
//! built twice has different features each time, which is the point: programs as their users get them, and the cluster layer alone.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::bench::micro;
use crate::deny;
use crate::guests;
use crate::languages;
use crate::long;
use crate::programs;
use crate::report;
use crate::suites::{self, GUESTS_VARIABLE, PROGRAMS_VARIABLE};
use crate::workspace::{GUEST_PROFILE, GUEST_TARGET, GuestApart, Workspace};

/// The two lines by which a program gets the cluster layer alone.
const CLUSTER_ALONE: [&[&str]; 2] = [
    &["--package", "ractor-host-cluster", "--no-default-features"],
    &["--package", "ractor-host", "--no-default-features"],
];
/// What neither of them may bring.
const NOT_IN_THE_CLUSTER: [&str; 4] = ["clap", "cranelift", "toml", "wasmtime"];
/// What guests in Rust are written with.
const SDK: &str = "ractor-guest";
/// The cargo features that `ractor_cluster` has and the host therefore too.
const STOCK_FEATURES: [&str; 3] = ["monitors", "async-trait", "message_span_propogation"];

/// Runs every check, or with `quick` those that run code.
///
/// # Errors
/// Formatting, lints and what can't be built end it at once. Of the checks that run code, which take longest, all are run, and those
/// that failed are named at the end.
pub(crate) fn run(workspace: &Workspace, quick: bool) -> Result<()> {
    let started = Instant::now();
    let mut failed = Vec::new();
    let mut check = |outcome: Result<()>| {
        if let Err(error) = &outcome {
            report::note(&format!("failed: {error:#}"));
        }
        failed.extend(outcome.err());
    };
    if !quick {
        format(workspace)?;
    }
    let guests = guests::build_all(workspace)?;
    if !quick {
        lint(workspace)?;
    }
    check(languages::test_sdks(workspace));
    let programs = programs::build_all(workspace)?;
    check(suites::run(workspace, &guests, &programs));
    check(suites::one_wasmtime(workspace));
    check(test_cluster_alone(workspace));
    check(test_features(workspace));
    check(test_guests_apart(workspace, &guests, &programs));
    if !quick {
        check(micro::run(workspace, false));
        check(deny::check(workspace));
    }
    report::note(&long::summary(workspace));
    report::step("where the time went");
    report::note(&report::where_time_went());
    all_of(failed)?;
    let left_out = if quick {
        " (formatting, lints, instruction counts and the dependency policy left out)"
    } else {
        ""
    };
    report::step(&format!(
        "all passed in {}{left_out}",
        report::spoken(started.elapsed())
    ));
    Ok(())
}

/// One error of all that failed: the only one as it is, several by a line each.
fn all_of(mut failed: Vec<anyhow::Error>) -> Result<()> {
    match failed.len() {
        0 => Ok(()),
        1 => Err(failed.remove(0)),
        count => {
            let lines = failed.iter().map(|error| format!("\n- {error:#}"));
            bail!("{count} checks failed:{}", lines.collect::<String>())
        }
    }
}

fn format(workspace: &Workspace) -> Result<()> {
    report::step("formatting: cargo fmt --check");
    workspace
        .cargo(["fmt", "--all", "--check"])
        .show()
        .context("not formatted as agreed; `cargo fmt --all` does it")?;

    // Nothing else here looks at that package, which takes a nightly compiler.
    let fuzz = workspace.root().join("fuzz/Cargo.toml");
    report::step("the lock file of the fuzz targets");
    workspace
        .cargo(["tree", "--locked", "--depth", "0", "--manifest-path"])
        .args([fuzz])
        .show()
        .context("fuzz/Cargo.lock is stale; `cp Cargo.lock fuzz/ && cargo metadata --manifest-path fuzz/Cargo.toml` makes it anew")
}

fn lint(workspace: &Workspace) -> Result<()> {
    const DENY: [&str; 3] = ["--", "-D", "warnings"];
    report::step("lints: the workspace");
    workspace
        .cargo(["clippy", "--workspace", "--all-targets"])
        .args(DENY)
        .show()?;

    // As programs get it: without what simulations and fuzzers reach.
    for alone in CLUSTER_ALONE {
        report::step(&format!("lints: the cluster layer alone, {}", alone.join(" ")));
        workspace.cargo(["clippy"]).args(alone).args(DENY).show()?;
    }

    report::step("lints: the guests as WebAssembly");
    let guests = workspace.guest_packages();
    workspace
        .cargo(["clippy", "--profile", GUEST_PROFILE, "--target", GUEST_TARGET])
        .args(guests.iter().flat_map(|package| ["--package", package]))
        .args(DENY)
        .show()?;

    for GuestApart { package, feature } in workspace.guests_apart() {
        report::step(&format!("lints: the guest {package}, with its feature {feature}"));
        let apart = ["--package", &package, "--features", &feature];
        workspace
            .cargo(["clippy", "--profile", GUEST_PROFILE, "--target", GUEST_TARGET])
            .args(apart)
            .args(DENY)
            .show()?;
        workspace
            .cargo(["clippy", "--all-targets"])
            .args(apart)
            .args(DENY)
            .show()?;
    }

    report::step("lints: the documentation");
    workspace
        .cargo(["doc", "--workspace", "--lib", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .show()
}

fn test_cluster_alone(workspace: &Workspace) -> Result<()> {
    for alone in CLUSTER_ALONE {
        let line = alone.join(" ");
        report::step(&format!("the cluster layer alone has nothing of guests, {line}"));
        let tree = workspace
            .cargo(["tree", "--edges", "normal,build", "--prefix", "none"])
            .args(alone)
            .capture()?;
        if let Some(found) = first_of(&tree, &NOT_IN_THE_CLUSTER) {
            bail!("`cargo tree {line}` has `{found}`");
        }
    }
    Ok(())
}

/// The tests of the workspace run without these features, because they would be switched on for every package in it.
fn test_features(workspace: &Workspace) -> Result<()> {
    for feature in STOCK_FEATURES {
        for alone in CLUSTER_ALONE {
            report::step(&format!(
                "the cluster layer with the feature `{feature}` alone, {}",
                alone.join(" ")
            ));
            workspace.cargo(["check", "--features", feature]).args(alone).show()?;
        }
    }
    report::step(
        "tests: the same program on the cluster layer, on the host and on ractor_cluster, with all features of the latter",
    );
    workspace
        .cargo([
            "test",
            "--no-fail-fast",
            "--package",
            "drop-in",
            "--package",
            "drop-in-host",
            "--package",
            "drop-in-stock",
        ])
        .args(["--features", &STOCK_FEATURES.join(",")])
        .show()
}

/// The tests of the guests that are built apart, and those of the SDK, which then has their features.
fn test_guests_apart(workspace: &Workspace, guests: &Path, programs: &Path) -> Result<()> {
    for GuestApart { package, feature } in workspace.guests_apart() {
        report::step(&format!(
            "tests: the guest {package} and the guest SDK, with the feature {feature}"
        ));
        workspace
            .cargo(["test", "--no-fail-fast", "--package", SDK, "--package", &package])
            .args(["--features", &format!("{package}/{feature}")])
            .env(GUESTS_VARIABLE, guests)
            .env(PROGRAMS_VARIABLE, programs)
            .show()?;
    }
    Ok(())
}

/// The first line of a `cargo tree` that is a crate with one of these names, or of the family of one.
fn first_of<'a>(tree: &'a str, names: &[&str]) -> Option<&'a str> {
    tree.lines().find(|line| {
        let package = line.split(' ').next().unwrap_or_default();
        names.iter().any(|name| {
            let rest = package.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-') || rest.starts_with('_'))
        })
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn whatever_failed_is_named_at_the_end() {
        assert!(all_of(Vec::new()).is_ok());
        assert_eq!(all_of(vec![anyhow!("one")]).unwrap_err().to_string(), "one");
        let two = vec![anyhow!("deep").context("one"), anyhow!("two")];
        assert_eq!(
            all_of(two).unwrap_err().to_string(),
            "2 checks failed:\n- one: deep\n- two"
        );
    }

    #[test]
    fn what_does_not_belong_is_found_in_a_tree() {
        let found = |tree| first_of(tree, &NOT_IN_THE_CLUSTER);
        assert_eq!(found("ractor-host v0.1.0\nbytes v1.0.0\n"), None);
        assert_eq!(
            found("bytes v1.0.0\nwasmtime-wasi v48.0.2\n"),
            Some("wasmtime-wasi v48.0.2")
        );
        assert_eq!(found("clap_builder v4.6.0\n"), Some("clap_builder v4.6.0"));
        assert_eq!(found("toml v1.0.0 (*)\n"), Some("toml v1.0.0 (*)"));
    }
}
