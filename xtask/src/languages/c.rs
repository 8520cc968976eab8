//! C, by zig's clang: one package for every system, with a libc for WebAssembly in it.

use std::path::Path;

use anyhow::Result;

use super::{Build, Guest};
use crate::process::Run;
use crate::programs;

/// What makes the bindings and the component. A program of this workspace.
const C_GUEST: &str = "c-guest";
const WARNINGS: [&str; 3] = ["-Wall", "-Wextra", "-Werror"];

pub(super) const GUEST: Guest = Guest {
    name: "c-counter",
    pins: "tests/guests/c-counter",
    recipe: include_str!("c.rs"),
    inputs: &["xtask/c-guest/src/main.rs", "xtask/c-guest/Cargo.toml", "Cargo.lock"],
    install: |tools| tools.pypi(),
    compile,
};

fn compile(build: &Build<'_>) -> Result<()> {
    let c_guest = programs::build(build.workspace, [C_GUEST])?.join(C_GUEST);
    Run::new(&c_guest)
        .args(["bindings".as_ref(), build.wit.as_path()])
        .args(["guest-actor", "."])
        .within(build.sources)
        .capture()?;
    let cache = build.workspace.target().join("tools/zig-cache");
    zig(build, &cache)
        .args(["-c", "counter.c", "-o", "counter.o"])
        .args(WARNINGS)
        .capture()?;
    // What is generated has no warnings to heed.
    zig(build, &cache)
        .args(["-mexec-model=reactor", "counter.o", "guest_actor.c"])
        .args(["guest_actor_component_type.o", "-o", "core.wasm"])
        .capture()?;
    Run::new(&c_guest)
        .args(["component".as_ref(), "core.wasm".as_ref(), build.component.as_path()])
        .within(build.sources)
        .capture()
        .map(drop)
}

fn zig(build: &Build<'_>, cache: &Path) -> Run {
    Run::new(build.tools.join("python"))
        .args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-Os"])
        .env("ZIG_GLOBAL_CACHE_DIR", cache)
        .env("ZIG_LOCAL_CACHE_DIR", cache)
        .within(build.sources)
}
