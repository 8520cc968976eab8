//! The run of all tests of the workspace: built once, and then what waits beside what works.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::browser::{self, AXE_VARIABLE, BROWSER_VARIABLE};
use crate::faketime::{self, FAKETIME_VARIABLE};
use crate::postgres;
use crate::process::Run;
use crate::programs;
use crate::report;
use crate::workspace::Workspace;

/// Where the tests find the components.
pub(crate) const GUESTS_VARIABLE: &str = "RACTOR_TEST_GUESTS";
/// Where the tests find `ractor-host` and the programs it is tested against.
pub(crate) const PROGRAMS_VARIABLE: &str = "RACTOR_TEST_BIN_DIR";

/// The variable with the number of tests of a suite that run at once.
const THREADS_VARIABLE: &str = "RUST_TEST_THREADS";
/// The number of them for each processor: tests with nodes as processes wait for more than half of their time.
const THREADS_OF_A_PROCESSOR: usize = 2;

/// Tests that go on for a fixed time and wait for nearly all of it, as (suite, test). They run beside all others.
const BESIDE: [(&str, &str); 3] = [
    ("soak", "a_node_that_is_used_for_long_takes_no_more_of_the_machine"),
    (
        "histories",
        "whatever_happens_messages_come_in_order_and_once_and_none_is_lost_without_a_reason",
    ),
    (
        "linearizability",
        "whatever_fails_callers_see_entities_that_handle_one_call_after_the_other_and_lose_none",
    ),
];

/// Runs them all.
///
/// # Errors
/// One of them fails, or doesn't compile.
pub(crate) fn run(workspace: &Workspace, guests: &Path, programs: &Path) -> Result<()> {
    let browser = browser::install(workspace)?;
    let postgres = postgres::install(workspace)?;
    let faketime = faketime::install(workspace)?;
    let tests = || {
        let threads = thread::available_parallelism().map_or(1, usize::from) * THREADS_OF_A_PROCESSOR;
        let threads = std::env::var_os(THREADS_VARIABLE).unwrap_or_else(|| threads.to_string().into());
        let tests = workspace
            .cargo(["test", "--workspace", "--no-fail-fast"])
            .env(GUESTS_VARIABLE, guests)
            .env(PROGRAMS_VARIABLE, programs)
            .env(THREADS_VARIABLE, threads);
        let tests = postgres
            .iter()
            .fold(tests, |tests, (variable, got)| tests.env(variable, got));
        let tests = match &faketime {
            Some(library) => tests.env(FAKETIME_VARIABLE, library),
            None => tests,
        };
        match &browser {
            Some(browser) => tests
                .env(BROWSER_VARIABLE, &browser.root)
                .env(AXE_VARIABLE, &browser.axe),
            None => tests,
        }
    };
    report::step("build the tests of the workspace");
    tests().args(["--no-run", "--quiet"]).show()?;

    report::step("tests: the workspace, with real guests, nodes and stock peers");
    let mut output = tempfile::tempfile().context("cannot keep the output of tests")?;
    let beside = tests()
        .args(BESIDE.iter().flat_map(|(suite, _)| ["--test", suite]))
        .args(["--", "--exact"])
        .args(BESIDE.map(|(_, test)| test));
    let others = tests()
        .args(["--"])
        .args(BESIDE.iter().flat_map(|(_, test)| ["--skip", test]));
    let (others, beside) = thread::scope(|scope| {
        let beside = scope.spawn(|| beside.show_later(&output));
        let others = others.show();
        let beside = beside.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")));
        (others, beside)
    });
    report::step("tests: those that ran beside these");
    print(&mut output)?;
    others.and(beside)
}

/// The programs and the tests have the same wasmtime: nothing takes longer to compile.
///
/// # Errors
/// They have two, or cargo can't say.
pub(crate) fn one_wasmtime(workspace: &Workspace) -> Result<()> {
    report::step("wasmtime is compiled once, for programs and tests");
    let built = |command: Run| -> Result<Vec<String>> {
        let messages = command.args(["--quiet", "--message-format", "json"]).capture()?;
        Ok(libraries_of("wasmtime", &messages))
    };
    let of_programs = built(workspace.cargo(programs::nodes_with_guests()))?;
    let of_tests = built(workspace.cargo(["test", "--workspace", "--no-run"]))?;
    if of_programs != of_tests {
        bail!(
            "it is compiled twice, as {} and as {}; tests/one-build/src/lib.rs says why, and what to do",
            of_programs.join(", "),
            of_tests.join(", ")
        );
    }
    Ok(())
}

/// The files that cargo says it built of the library with this name.
fn libraries_of(name: &str, messages: &str) -> Vec<String> {
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let files = artifacts.filter(|artifact| artifact.target.name == name);
    files
        .flat_map(|artifact| artifact.filenames)
        .filter(|file| file.ends_with(".rlib"))
        .collect()
}

/// What cargo says about something that it built or found built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    filenames: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn print(output: &mut File) -> Result<()> {
    let mut bytes = Vec::new();
    output.seek(SeekFrom::Start(0))?;
    output.read_to_end(&mut bytes)?;
    eprint!("{}", String::from_utf8_lossy(&bytes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_built_is_read_from_its_messages() {
        let messages = r#"
{"reason":"compiler-message","target":{"name":"wasmtime"},"message":{}}
{"reason":"compiler-artifact","target":{"name":"wasmtime"},"filenames":["/t/libwasmtime-1.rlib","/t/libwasmtime-1.rmeta"]}
{"reason":"compiler-artifact","target":{"name":"wasmtime_wasi"},"filenames":["/t/libwasmtime_wasi-2.rlib"]}
not json
"#;
        assert_eq!(libraries_of("wasmtime", messages), ["/t/libwasmtime-1.rlib"]);
        assert!(libraries_of("serde", messages).is_empty());
    }

    #[test]
    fn the_tests_that_run_beside_others_are_there() {
        let soak = include_str!("../../tests/tests/soak/main.rs");
        let histories = include_str!("../../tests/tests/histories/main.rs");
        let linearizability = include_str!("../../tests/tests/linearizability/main.rs");
        for ((_, test), source) in BESIDE.iter().zip([soak, histories, linearizability]) {
            assert!(source.contains(&format!("fn {test}()")), "no test is named {test}");
        }
    }
}
