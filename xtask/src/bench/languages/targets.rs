//! What each language must reach.

use super::super::figures::Metric;
use super::super::guests::NATIVE;
use super::super::targets::{Of, Target};
use super::{CASTS, FIRST_CALL, LIST, SAVE, START};

const RUST: &str = "rust";
const C: &str = "c";
const TYPESCRIPT: &str = "typescript";
const PYTHON: &str = "python";
const GO: &str = "go";

pub(in crate::bench) const TARGETS: &[Target] = &[
    cast("cast to a counter in Rust, over a native actor, µs", RUST, 0.8),
    cast("cast to a counter in C, over a native actor, µs", C, 0.3),
    cast(
        "cast to a counter in TypeScript, over a native actor, µs",
        TYPESCRIPT,
        6.0,
    ),
    cast("cast to a counter in Python, over a native actor, µs", PYTHON, 5.0),
    cast("cast to a counter in Go, over a native actor, µs", GO, 2.5),
    idle("idle counter in C, KiB", C, 48.0),
    idle("idle counter in TypeScript, KiB", TYPESCRIPT, 240.0),
    idle("idle counter in Python, KiB", PYTHON, 850.0),
    idle("idle counter in Go, KiB", GO, 900.0),
    save("C, an edit until it runs, s", C, 1.0),
    save("TypeScript, an edit until it runs, s", TYPESCRIPT, 1.5),
    save("Python, an edit until it runs, s", PYTHON, 2.0),
    save("Go, an edit until it runs, s", GO, 3.0),
    first_call("Rust, from `new` to the first call, s", RUST),
    first_call("C, from `new` to the first call, s", C),
    first_call("TypeScript, from `new` to the first call, s", TYPESCRIPT),
    first_call("Python, from `new` to the first call, s", PYTHON),
    first_call("Go, from `new` to the first call, s", GO),
    list("a list of 1 M numbers through TypeScript, s", TYPESCRIPT),
    list("a list of 1 M numbers through Python, s", PYTHON),
];

const fn cast(what: &'static str, language: &'static str, must: f64) -> Target {
    target(what, Of::More(CASTS, language, NATIVE), must)
}

const fn idle(what: &'static str, language: &'static str, must: f64) -> Target {
    target(what, Of::Figure(START, Metric::MemoryEach, language), must)
}

const fn save(what: &'static str, language: &'static str, must: f64) -> Target {
    target(what, Of::Figure(SAVE, Metric::Save, language), must)
}

/// With tools that have to be installed.
const fn first_call(what: &'static str, language: &'static str) -> Target {
    target(what, Of::Figure(FIRST_CALL, Metric::FirstCallAnew, language), 60.0)
}

const fn list(what: &'static str, language: &'static str) -> Target {
    target(what, Of::Figure(LIST, Metric::List, language), 0.2)
}

const fn target(what: &'static str, of: Of, must: f64) -> Target {
    Target {
        what,
        of,
        must,
        aim: must,
    }
}
