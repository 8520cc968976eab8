//! Python, by the SDK in guest-sdk/python: its own command makes a component that holds CPython with the program already imported.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Build, Guest, install_pypi, without_tools};
use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// The SDK, whose requirements.txt pins the tools of the guests too.
const SDK: &str = "guest-sdk/python";
/// What a component is made from, beside what its guest's folder has.
const INPUTS: [&str; 2] = ["guest-sdk/python/src", "guest-sdk/python/requirements.txt"];

pub(super) const COUNTER: Guest = Guest {
    name: "py-counter",
    recipe: include_str!("python.rs"),
    inputs: &INPUTS,
    install: tools,
    compile,
};

pub(super) const KITCHEN: Guest = Guest {
    name: "kitchen-py",
    ..COUNTER
};

/// The counter without the SDK: what the WIT alone takes.
pub(super) const RAW: Guest = Guest {
    name: "py-raw",
    inputs: &["guest-sdk/python/requirements.txt"],
    compile: compile_raw,
    ..COUNTER
};

fn tools(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    install_pypi(workspace, SDK, "sdk-python", folder)
}

fn compile(build: &Build<'_>) -> Result<()> {
    python(build.tools, &build.workspace.root().join(SDK))
        .args(["-m", "ractor", "build", "app", "-o"])
        .args([&build.component])
        .within(build.sources)
        .capture()
        .map(drop)
}

fn compile_raw(build: &Build<'_>) -> Result<()> {
    Run::new(build.tools.join("venv/bin/componentize-py"))
        .args(["--wit-path".as_ref(), build.wit.as_path()])
        .args(["--world", "reloadable-actor", "componentize", "app", "--output"])
        .args([&build.component])
        .within(build.sources)
        .capture()
        .map(drop)
}

/// Python with the SDK, which leaves nothing beside its sources.
fn python(tools: &Path, sdk: &Path) -> Run {
    Run::new(tools.join("venv/bin/python"))
        .env("PYTHONPATH", sdk.join("src"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

/// Runs the tests of the SDK with pytest, and shows its summary.
///
/// # Errors
/// A test fails. In continuous integration also: the tools are missing.
pub(super) fn test(workspace: &Workspace, folder: &Path) -> Result<()> {
    report::step(&format!("tests: {SDK}, with pytest and mypy --strict"));
    let tools = match tools(workspace, folder) {
        Ok(tools) => tools,
        Err(error) => return without_tools(SDK, error),
    };
    let sdk = workspace.root().join(SDK);
    let output = python(&tools, &sdk)
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider", "--no-header"])
        .within(&sdk)
        .capture()
        .with_context(|| format!("the tests of {SDK} fail"))?;
    match summary(&output) {
        Some(summary) => report::note(summary),
        None => bail!("pytest ran no tests of {SDK}"),
    }
    Ok(())
}

/// The line that says how many tests passed: `301 passed in 25.42s`.
fn summary(output: &str) -> Option<&str> {
    output.lines().rev().find(|line| line.contains(" passed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_what_pytest_says_last() {
        let output = "....  [100%]\n301 passed, 2 skipped in 25.42s\n\n";
        assert_eq!(summary(output), Some("301 passed, 2 skipped in 25.42s"));
        assert_eq!(summary("no tests ran in 0.01s\n"), None);
    }
}
