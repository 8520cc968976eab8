//! C and C++, by zig's clang: one package for every system, with a libc for WebAssembly in it. And Zig itself.
//!
//! `guest-sdk/c/ractor.c` has the imports and exports of an actor, so nothing is generated: what the compiler makes becomes a component
//! as in a project.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ractor_host_project::parts::{self, STACK};

use super::{Build, Guest};
use crate::process::Run;

/// The world that guests without a generator are made for.
pub(super) const WORLD: &str = "complete-actor";
/// Also with the tests of the SDK itself.
pub(crate) const WARNINGS: [&str; 3] = ["-Wall", "-Wextra", "-Werror"];
/// Where the SDK is, in the repository.
pub(crate) const SDK: &str = "guest-sdk/c";
const INPUTS: [&str; 7] = [
    "guest-sdk/c/ractor.c",
    "guest-sdk/c/ractor.h",
    "guest-sdk/c/ractor.zig",
    "project/pins/c.txt",
    "project/src/build/c.rs",
    "project/src/build/component.rs",
    "Cargo.lock",
];

pub(super) const COUNTER: Guest = Guest {
    name: "c-counter",
    recipe: include_str!("c.rs"),
    inputs: &INPUTS,
    install: |_, folder| tools(folder),
    compile: |build| compile_c(build, "counter.c"),
};

pub(super) const KITCHEN: Guest = Guest {
    name: "kitchen-c",
    compile: |build| compile_c(build, "kitchen.c"),
    ..COUNTER
};

pub(super) const CPP_COUNTER: Guest = Guest {
    name: "cpp-counter",
    compile: compile_cpp,
    ..COUNTER
};

pub(super) const ZIG_COUNTER: Guest = Guest {
    name: "zig-counter",
    compile: compile_zig,
    ..COUNTER
};

/// Zig, as projects in C have it.
pub(super) fn tools(folder: &Path) -> Result<PathBuf> {
    super::install(&parts::C, folder)
}

fn compile_c(build: &Build<'_>, source: &str) -> Result<()> {
    clang(build, "cc", "actor.o", &[])
        .args([WARNINGS.as_slice(), &[source]].concat())
        .capture()?;
    link(build)
}

/// Without exceptions and types at run time: the first don't run here, and both are large.
fn compile_cpp(build: &Build<'_>) -> Result<()> {
    clang(build, "c++", "actor.o", &["-std=c++20", "-fno-exceptions", "-fno-rtti"])
        .args([WARNINGS.as_slice(), &["counter.cc"]].concat())
        .capture()?;
    link(build)
}

fn compile_zig(build: &Build<'_>) -> Result<()> {
    let sdk = build.workspace.root().join(SDK).join("ractor.zig");
    zig(build.tools, build.sources)
        .args(["build-obj", "-target", "wasm32-wasi", "-OReleaseSmall", "-lc"])
        .args(["-femit-bin=actor.o", "--dep", "ractor", "-Mroot=counter.zig"])
        .args([format!("-Mractor={}", sdk.display())])
        .capture()?;
    link(build)
}

/// One of zig's two compilers of that kind, making an object file.
fn clang(build: &Build<'_>, compiler: &str, object: &str, options: &[&str]) -> Run {
    zig(build.tools, build.sources)
        .args([compiler, "-target", "wasm32-wasi", "-Os", "-g", "-I"])
        .args([build.workspace.root().join(SDK)])
        .args(["-c", "-o", object])
        .args(options)
}

/// Links the actor with the SDK, and makes a component of the result.
fn link(build: &Build<'_>) -> Result<()> {
    clang(build, "cc", "ractor.o", &WARNINGS)
        .args([build.workspace.root().join(SDK).join("ractor.c")])
        .capture()?;
    zig(build.tools, build.sources)
        // With the options of projects, so that zig compiles one libc for both.
        .args([
            "cc",
            "-target",
            "wasm32-wasi",
            "-mexec-model=reactor",
            "-Os",
            "-g",
            STACK,
        ])
        .args(["actor.o", "ractor.o", "-o", "core.wasm"])
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

/// Zig out of a Python environment. What it compiles of its libc the first time goes where it is.
pub(super) fn zig(tools: &Path, within: &Path) -> Run {
    let cache = tools.join("cache");
    Run::new(tools.join("venv/bin/python"))
        .args(["-m", "ziglang"])
        .env("ZIG_GLOBAL_CACHE_DIR", &cache)
        .env("ZIG_LOCAL_CACHE_DIR", &cache)
        .within(within)
}
