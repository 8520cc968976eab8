//! JavaScript and TypeScript, by the SDK in guest-sdk/js: its own program bundles a guest and puts it into QuickJS.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::digest::NODE_MODULES;
use super::{Build, Guest, install_npm, without_tools};
use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// The SDK, whose package-lock.json pins the tools of the guests too.
const SDK: &str = "guest-sdk/js";
/// What a component is made from, beside what its guest's folder has.
const INPUTS: [&str; 4] = [
    "guest-sdk/js/src",
    "guest-sdk/js/types",
    "guest-sdk/js/wit",
    "guest-sdk/js/package-lock.json",
];
const PROGRAM: &str = "bin/ractor-guest.js";
/// What node's test runner puts in front of the lines of its summary, and of the list of tests that failed.
const SUMMARY: &str = "\u{2139} ";
const FAILURES: &str = "\u{2716} failing tests:";

pub(super) const COUNTER: Guest = Guest {
    name: "js-counter",
    recipe: include_str!("javascript.rs"),
    inputs: &INPUTS,
    install: tools,
    compile: |build| compile(build, "counter.js"),
};

pub(super) const KITCHEN: Guest = Guest {
    name: "kitchen-ts",
    compile: |build| compile(build, "kitchen.ts"),
    ..COUNTER
};

fn tools(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    install_npm(workspace, SDK, "sdk-js", folder)
}

fn compile(build: &Build<'_>, source: &str) -> Result<()> {
    let sdk = build.workspace.root().join(SDK);
    link_packages(build.tools, &sdk)?;
    link_packages(build.tools, build.sources)?;
    Run::new("node")
        .args([
            sdk.join(PROGRAM).as_path(),
            "build".as_ref(),
            source.as_ref(),
            "-o".as_ref(),
        ])
        .args([&build.component])
        .within(build.sources)
        .capture()
        .map(drop)
}

/// Makes the installed packages those of a folder: Node looks for packages beside whoever imports them.
fn link_packages(tools: &Path, folder: &Path) -> Result<()> {
    let packages = tools.join(NODE_MODULES);
    let link = folder.join(NODE_MODULES);
    if fs::read_link(&link).is_ok_and(|target| target == packages) {
        return Ok(());
    }
    match fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} isn't a link, which it should be: remove it", link.display()))
        }
        _ => symlink(&packages, &link).with_context(|| format!("cannot link {}", link.display())),
    }
}

/// Runs the tests of the SDK with node's own runner, and shows its summary.
///
/// # Errors
/// A test fails. In continuous integration also: the tools are missing.
pub(super) fn test(workspace: &Workspace, folder: &Path) -> Result<()> {
    report::step(&format!("tests: {SDK}, with node --test"));
    let tools = match tools(workspace, folder) {
        Ok(tools) => tools,
        Err(error) => return without_tools(SDK, error),
    };
    let sdk = workspace.root().join(SDK);
    link_packages(&tools, &sdk)?;
    let scratch = tempfile::tempdir_in(workspace.target()).context("cannot keep the output of tests")?;
    let output = scratch.path().join("output");
    let ran = Run::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args([format!("--test-reporter-destination={}", output.display())])
        .args(test_files(&sdk.join("test"))?)
        .within(&sdk)
        .capture();
    let output = fs::read_to_string(&output).unwrap_or_default();
    if let Err(error) = ran {
        let failures = output.find(FAILURES).and_then(|at| output.get(at..));
        report::note(failures.unwrap_or(&output));
        return Err(error.context(format!("the tests of {SDK} fail")));
    }
    let summary: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix(SUMMARY)).collect();
    if summary.is_empty() {
        bail!("node ran no tests of {SDK}");
    }
    report::note(&summary.join(", "));
    Ok(())
}

/// The files with tests: node 20 takes no pattern.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = super::digest::files(folder)?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.js"));
    Ok(files)
}
