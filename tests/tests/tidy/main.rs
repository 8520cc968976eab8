//! Rules of this repository that no compiler knows: which layer may use what, how files look, what may not be left in
//! them. Every finding names file, line and rule.

#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod files;
mod guarantees;
mod layers;
mod policies;
mod table;
mod texts;
mod uses;
mod words;

use std::fmt;
use std::path::Path;

use self::files::{SourceFile, repository};

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: String,
}

impl Finding {
    fn new(file: &SourceFile, line: usize, rule: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            rule: rule.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// Applies one rule to every file of the repository and fails with all that it finds.
fn check(rule: impl Fn(&[SourceFile]) -> Vec<Finding>) {
    // Where cargo runs the test, which with a shared target folder need not be where it was built.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let files = repository(&Path::new(&package).join(".."));
    assert!(
        files.iter().any(|file| file.path == "host/src/lib.rs"),
        "this is not the repository"
    );
    let findings: Vec<String> = rule(&files).iter().map(Finding::to_string).collect();
    assert!(
        findings.is_empty(),
        "{} finding(s):\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn layers_use_only_what_they_may() {
    check(layers::imports);
}

#[test]
fn the_architecture_names_every_layer() {
    check(layers::described);
}

#[test]
fn every_source_file_says_what_it_is_for() {
    check(texts::headers);
}

#[test]
fn long_files_are_long_for_a_reason() {
    check(texts::lengths);
}

#[test]
fn nothing_is_left_to_do_and_no_machine_shows() {
    check(texts::leftovers);
}

#[test]
fn the_tests_that_guarantees_name_are_there() {
    check(guarantees::tests_are_there);
}

#[test]
fn every_policy_holds_on_every_path() {
    check(policies::hold_on_every_path);
}

#[test]
fn each_package_carries_the_world_of_a_guest() {
    check(texts::worlds);
}

#[test]
fn every_test_guest_has_a_test() {
    check(texts::guests);
}

#[test]
fn the_prose_has_none_of_the_phrases_that_crept_in() {
    check(words::habits);
}

#[test]
fn a_constant_is_described_by_a_noun() {
    check(words::constants);
}
