//! examples/polyglot as its README has it: played from the first order to the last count, and the tests of its guests.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is said where a language can't be had: its program is missing, or the network.
const MISSING: [&str; 4] = [
    " is needed to ",
    "can't be reached",
    "or later is needed",
    "python3-venv",
];

fn both(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// What it said. None if the tools of a language can't be had here, which is said loudly; in continuous integration, that is a failure.
#[track_caller]
fn succeed(command: &mut Command) -> Option<String> {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?} does not start: {error}"),
    };
    let said = both(&output);
    if output.status.success() {
        return Some(said);
    }
    let is_complete = env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(
        !is_complete && MISSING.iter().any(|text| said.contains(text)),
        "{command:?}: {said}"
    );
    drop(writeln!(std::io::stderr(), "NOT TESTED: the example polyglot: {said}"));
    None
}

/// Where the tools of the languages are installed, once for all tests that need them.
fn tools() -> PathBuf {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("project-tools");
    env::var_os("RACTOR_HOST_CACHE").map_or(shared, PathBuf::from)
}

/// `ractor-host test` of a guest, in the copy that the demo built.
#[track_caller]
fn test_guest(folder: &Path, guest: &str) -> Option<String> {
    let programs = env::var_os("RACTOR_TEST_BIN_DIR").map_or_else(|| folder.join("../programs"), PathBuf::from);
    let mut command = Command::new(programs.join("ractor-host"));
    command.args(["test", guest]).current_dir(folder.join("projects"));
    command.env("RACTOR_HOST_CACHE", tools());
    command.env("CARGO_TARGET_DIR", folder.join("cargo"));
    succeed(&mut command)
}

#[test]
fn the_example_in_four_languages_loses_no_order_while_its_python_is_edited() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_xtask"));
    demo.args(["demo", "polyglot"]).env("RACTOR_HOST_CACHE", tools());
    let Some(said) = succeed(&mut demo) else { return };
    assert!(said.contains("5000 orders sent, 5000 answers, 0 lost"), "{said}");

    // Where cargo keeps what tests make is within its target folder.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../polyglot");
    for (guest, sign) in [("partner", "2 passed"), ("scoring", "2 passed"), ("desk", "# pass 3")] {
        let Some(said) = test_guest(&folder, guest) else { return };
        assert!(said.contains(sign), "{guest}: {said}");
    }
}
