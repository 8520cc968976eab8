//! `cargo xtask fuzz`: what the fuzz targets check, on mutations of their corpora, with the stable compiler.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use clap::Args;

use crate::process::Run;
use crate::report;
use crate::span::Span;
use crate::workspace::Workspace;

/// Where the tests read how long they try mutations, in seconds.
const SECONDS_VARIABLE: &str = "RACTOR_FUZZ_SECONDS";
/// Where they read the number that their choices begin with.
const SEED_VARIABLE: &str = "RACTOR_FUZZ_SEED";
/// The tests that try mutations, by how their full names begin.
const MODULE: &str = "fuzzing::tests::";
/// The most targets that there are: each may have to wait for all others.
const MOST_TARGETS: u64 = 16;

/// What is run, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Only tests with this in their name, such as `node_toml` or `disk`
    #[arg(value_name = "PATTERN")]
    only: Option<String>,
    /// For how long each target is run: `90s`, `15m`, `8h`. As many run at once as there are processors
    #[arg(long = "for", value_name = "TIME", default_value = "1m")]
    length: Span,
    /// Where the choices begin; another number each time unless it is given
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs them.
///
/// # Errors
/// No test has the pattern in its name, or an input broke a rule. Such an input is kept in `fuzz/artifacts`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let pattern = options.only.as_deref().unwrap_or_default();
    let seed = options.seed.unwrap_or_else(seed_by_clock);
    try_mutations(workspace, &tests(workspace, pattern)?, options.length, seed)
}

/// Runs all of them, each for as long as `length` says, which gets the number of tests.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_all(workspace: &Workspace, length: impl FnOnce(usize) -> Span) -> Result<()> {
    let tests = tests(workspace, "")?;
    let length = length(tests.len());
    try_mutations(workspace, &tests, length, seed_by_clock())
}

/// A number to begin choices with that no run before began with.
pub(crate) fn seed_by_clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn try_mutations(workspace: &Workspace, tests: &[String], length: Span, seed: u64) -> Result<()> {
    report::step(&format!(
        "fuzzing without a fuzzer, {} s each, seed {seed}",
        length.seconds()
    ));
    cargo(workspace)
        .args(["--", "--exact", "--nocapture"])
        .args(tests)
        .env(SECONDS_VARIABLE, length.seconds().to_string())
        .env(SEED_VARIABLE, seed.to_string())
        .limit_minutes(length.limit_minutes() * MOST_TARGETS)
        .show()
}

/// The full names of the tests with this pattern in the name of what they check.
fn tests(workspace: &Workspace, pattern: &str) -> Result<Vec<String>> {
    let listed = cargo(workspace).args(["--", "--list", MODULE]).capture()?;
    matching(&listed, pattern)
}

/// The same, of a list that the test runner printed.
fn matching(listed: &str, pattern: &str) -> Result<Vec<String>> {
    let all: Vec<&str> = listed.lines().filter_map(check_of).collect();
    let is_meant = |name: &&&str| name.contains(pattern);
    let meant: Vec<String> = all
        .iter()
        .filter(is_meant)
        .map(|name| format!("{MODULE}{name}"))
        .collect();
    ensure!(
        !meant.is_empty(),
        "no check has `{pattern}` in its name; there are {}",
        all.join(", ")
    );
    Ok(meant)
}

/// What a line of a list of tests names: a check of this module, or something else, such as a test of the mutations themselves.
fn check_of(line: &str) -> Option<&str> {
    let name = line.strip_suffix(": test")?.strip_prefix(MODULE)?;
    (!name.contains("::")).then_some(name)
}

fn cargo(workspace: &Workspace) -> Run {
    workspace.cargo(["test", "--package", "ractor-host", "--lib", "--no-fail-fast"])
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        _options: Options,
    }

    /// The list that the test runner would print of the checks as they are.
    fn listed() -> String {
        let source = include_str!("../../host/src/fuzzing/tests.rs");
        let tests = source.split("#[test]\nfn ").skip(1);
        let names = tests.filter_map(|test| test.split_once('(')).map(|(name, _)| name);
        let lines = names.map(|name| format!("{MODULE}{name}: test\n"));
        lines
            .chain([format!("{MODULE}mutations::the_same_disk: test\n")])
            .collect()
    }

    #[test]
    fn a_pattern_is_looked_for_anywhere_in_the_name_of_a_check() -> Result<()> {
        assert_eq!(
            matching(&listed(), "node_toml")?,
            ["fuzzing::tests::what_a_node_toml_says"]
        );
        let all = matching(&listed(), "")?;
        assert!(
            all.len() > 5 && !all.iter().any(|name| name.contains("mutations::")),
            "{all:?}"
        );
        Ok(())
    }

    #[test]
    fn the_patterns_that_the_help_names_match() -> Result<()> {
        let help = Command::command().render_long_help().to_string();
        let line = help.lines().find(|line| line.contains("such as `"));
        let named: Vec<&str> = line
            .into_iter()
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect();
        assert_eq!(named.len(), 2, "{help}");
        named
            .iter()
            .try_for_each(|pattern| matching(&listed(), pattern).map(drop))
    }

    #[test]
    fn a_pattern_that_nothing_matches_is_an_error_with_what_there_is() {
        let error = matching(&listed(), "sauce").expect_err("there is none").to_string();
        assert!(
            error.contains("`sauce`") && error.contains("what_a_node_toml_says"),
            "{error}"
        );
    }
}
