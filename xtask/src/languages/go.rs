//! Go, by its own compiler out of a Python package, and the SDK in guest-sdk/go, which has the imports and exports of an actor: nothing is
//! generated, and no module of others is needed.

use std::path::Path;

use anyhow::{Context, Result};
use ractor_host_project::parts;

use super::c::WORLD;
use super::{Build, Guest, install, without_tools};
use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// Where the SDK is, in the repository.
const SDK: &str = "guest-sdk/go";
/// The module that it is.
const MODULE: &str = "ractor-host/ractor";
const INPUTS: [&str; 5] = [
    SDK,
    "project/pins/go.txt",
    "project/src/build/component.rs",
    "project/src/build/go_module",
    "Cargo.lock",
];

pub(super) const COUNTER: Guest = Guest {
    name: "go-counter",
    recipe: include_str!("go.rs"),
    inputs: &INPUTS,
    install: |_, folder| install(&parts::GO, folder),
    compile,
};

pub(super) const KITCHEN: Guest = Guest {
    name: "kitchen-go",
    ..COUNTER
};

fn compile(build: &Build<'_>) -> Result<()> {
    let sdk = build.workspace.root().join(SDK);
    go(build.tools, build.sources)
        .args(["mod", "edit", &format!("-replace={MODULE}={}", sdk.display())])
        .capture()?;
    // What debuggers read is left out. The names of functions stay, for traps.
    go(build.tools, build.sources)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .args([
            "build",
            "-buildmode=c-shared",
            "-trimpath",
            "-ldflags=-w",
            "-o",
            "core.wasm",
            ".",
        ])
        .capture()?;
    let core = build.sources.join("core.wasm");
    Ok(parts::component(
        &build.wit,
        WORLD,
        &core,
        parts::Debugging::LeftOut,
        &build.component,
    )?)
}

/// Go out of a Python environment, which asks nobody for anything. What it compiles of its library the first time goes where it is.
fn go(tools: &Path, within: &Path) -> Run {
    Run::new(tools.join("venv/bin/go"))
        .env("GOCACHE", tools.join("cache"))
        .env("GOPATH", tools.join("path"))
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .within(within)
}

/// Runs the tests of the SDK, natively, and looks through its source as it is natively and as a guest.
///
/// # Errors
/// A test fails, or there is something to find. In continuous integration also: the compiler is missing.
pub(super) fn test(workspace: &Workspace, folder: &Path) -> Result<()> {
    report::step("tests: the SDK for Go, natively");
    let tools = match install(&parts::GO, folder) {
        Ok(tools) => tools,
        Err(error) => return without_tools("the SDK for Go", error),
    };
    let sdk = workspace.root().join(SDK);
    for system in [&[][..], &[("GOOS", "wasip1"), ("GOARCH", "wasm")]] {
        system
            .iter()
            .fold(go(&tools, &sdk), |run, (name, value)| run.env(name, value))
            .args(["vet", "./..."])
            .capture()
            .with_context(|| format!("`go vet` finds something in {SDK}"))?;
    }
    for folder in [SDK, "tests/guests/go-counter"] {
        let said = go(&tools, &workspace.root().join(folder))
            .args(["test", "./..."])
            .env("RACTOR_PORTABLE_STATE", workspace.root().join("tests/portable-state"))
            .capture()
            .with_context(|| format!("the tests of {folder} fail"))?;
        said.lines()
            .filter(|line| line.starts_with("ok"))
            .for_each(report::note);
    }
    Ok(())
}
