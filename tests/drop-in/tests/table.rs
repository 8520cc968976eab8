//! The table of docs/drop-in.md against the program that proves it: each item of the table is used there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_item_of_the_table_is_used_by_the_program() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../../docs/drop-in.md")).unwrap();
    let (stock, _) = page.split_once("## What differs").unwrap();
    let items: BTreeSet<&str> = stock.lines().filter_map(first_column).flat_map(in_backticks).collect();
    assert!(items.len() > 60, "the table was not understood: {items:?}");

    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    let mut used: BTreeSet<String> = words(&manifest);
    for file in fs::read_dir(here.join("tests/api")).unwrap() {
        used.extend(words(&fs::read_to_string(file.unwrap().path()).unwrap()));
    }
    let unused: Vec<&str> = items
        .into_iter()
        .filter(|item| !words(item).iter().all(|word| used.contains(word)))
        .collect();
    assert!(unused.is_empty(), "in the table, but not in the program: {unused:?}");
}

fn first_column(line: &str) -> Option<&str> {
    line.strip_prefix("| ")?.split(" | ").next()
}

/// Every other piece between backticks.
fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
