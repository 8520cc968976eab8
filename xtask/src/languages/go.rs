//! Go, by its own compiler out of a Python package, and the SDK in guest-sdk/go, which has the imports and exports of an actor: nothing is
//! generated, and no module of others is needed.

use std::path::Path;

use anyhow::{Context, Result};

use super::c::C_GUEST;
use super::{Build, Guest, tools_of, without_tools};
use crate::process::Run;
use crate::programs;
use crate::report;
use crate::workspace::Workspace;

/// Where the SDK is, in the repository. It pins the compiler.
const SDK: &str = "guest-sdk/go";
/// The module that it is.
const MODULE: &str = "ractor-host/ractor";
const INPUTS: [&str; 5] = [
    SDK,
    "xtask/c-guest/src/main.rs",
    "project/src/build/go_module",
    "xtask/c-guest/Cargo.toml",
    "Cargo.lock",
];

pub(super) const COUNTER: Guest = Guest {
    name: "go-counter",
    pins: SDK,
    recipe: include_str!("go.rs"),
    inputs: &INPUTS,
    install: |tools| tools.pypi(),
    compile,
};

pub(super) const KITCHEN: Guest = Guest {
    name: "kitchen-go",
    ..COUNTER
};

fn compile(build: &Build<'_>) -> Result<()> {
    let sdk = build.workspace.root().join(SDK);
    go(build.tools, build.workspace, build.sources)
        .args(["mod", "edit", &format!("-replace={MODULE}={}", sdk.display())])
        .capture()?;
    // What debuggers read is left out. The names of functions stay, for traps.
    go(build.tools, build.workspace, build.sources)
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
    let c_guest = programs::build(build.workspace, [C_GUEST])?.join(C_GUEST);
    Run::new(&c_guest)
        .args([build.wit.as_path(), "complete-actor".as_ref()])
        .args(["core.wasm".as_ref(), build.component.as_path()])
        .within(build.sources)
        .capture()
        .map(drop)
}

/// Go out of a Python environment, which asks nobody for anything, with its caches under the target folder.
fn go(tools: &Path, workspace: &Workspace, within: &Path) -> Run {
    let caches = workspace.target().join("tools/go-cache");
    Run::new(tools.join("go"))
        .env("GOCACHE", caches.join("build"))
        .env("GOPATH", caches.join("path"))
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
    let tools = match tools_of(workspace, SDK, folder).pypi() {
        Ok(tools) => tools,
        Err(error) => return without_tools("the SDK for Go", error),
    };
    let sdk = workspace.root().join(SDK);
    for system in [&[][..], &[("GOOS", "wasip1"), ("GOARCH", "wasm")]] {
        system
            .iter()
            .fold(go(&tools, workspace, &sdk), |run, (name, value)| run.env(name, value))
            .args(["vet", "./..."])
            .capture()
            .with_context(|| format!("`go vet` finds something in {SDK}"))?;
    }
    for folder in [SDK, "tests/guests/go-counter"] {
        let said = go(&tools, workspace, &workspace.root().join(folder))
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
