//! C and C++, by zig's clang: one package for every system, with a libc for WebAssembly in it. And Zig itself.
//!
//! `guest-sdk/c/ractor.c` has the imports and exports of an actor, so nothing is generated: what the compiler makes becomes a component
//! by [`C_GUEST`].

use std::path::Path;

use anyhow::Result;

use super::{Build, Guest};
use crate::process::Run;
use crate::programs;

/// The program of this workspace that makes a component of a core module.
pub(super) const C_GUEST: &str = "c-guest";
/// The folder that pins zig for all of them.
pub(super) const PINS: &str = "tests/guests/c-counter";
/// Also with the tests of the SDK itself.
pub(crate) const WARNINGS: [&str; 3] = ["-Wall", "-Wextra", "-Werror"];
/// Where the SDK is, in the repository.
pub(crate) const SDK: &str = "guest-sdk/c";
/// The bytes of the stack of C in a guest's memory: beyond it, a guest traps. Zig's default is 16 MiB, which count for each instance.
const STACK: &str = "-Wl,-z,stack-size=1048576";
const INPUTS: [&str; 6] = [
    "guest-sdk/c/ractor.c",
    "guest-sdk/c/ractor.h",
    "guest-sdk/c/ractor.zig",
    "xtask/c-guest/src/main.rs",
    "xtask/c-guest/Cargo.toml",
    "Cargo.lock",
];

pub(super) const COUNTER: Guest = Guest {
    name: "c-counter",
    pins: PINS,
    recipe: include_str!("c.rs"),
    inputs: &INPUTS,
    install: |tools| tools.pypi(),
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
    zig(build.tools, build.workspace.target(), build.sources)
        .args(["build-obj", "-target", "wasm32-wasi", "-OReleaseSmall", "-lc"])
        .args(["-femit-bin=actor.o", "--dep", "ractor", "-Mroot=counter.zig"])
        .args([format!("-Mractor={}", sdk.display())])
        .capture()?;
    link(build)
}

/// One of zig's two compilers of that kind, making an object file.
fn clang(build: &Build<'_>, compiler: &str, object: &str, options: &[&str]) -> Run {
    zig(build.tools, build.workspace.target(), build.sources)
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
    zig(build.tools, build.workspace.target(), build.sources)
        .args(["cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-g", STACK])
        .args(["actor.o", "ractor.o", "-o", "core.wasm"])
        .capture()?;
    let c_guest = programs::build(build.workspace, [C_GUEST])?.join(C_GUEST);
    Run::new(&c_guest)
        .args([build.wit.as_path(), "complete-actor".as_ref()])
        .args(["core.wasm".as_ref(), build.component.as_path()])
        .within(build.sources)
        .capture()
        .map(drop)
}

/// Zig out of a Python environment, with a cache under the target folder.
pub(crate) fn zig(tools: &Path, target: &Path, within: &Path) -> Run {
    let cache = target.join("tools/zig-cache");
    Run::new(tools.join("python"))
        .args(["-m", "ziglang"])
        .env("ZIG_GLOBAL_CACHE_DIR", &cache)
        .env("ZIG_LOCAL_CACHE_DIR", &cache)
        .within(within)
}
