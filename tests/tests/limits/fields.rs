//! The tables of what can be filled are complete: each function that a guest can import, as the WIT has it, is in `imports.txt`,
//! and each key of node.toml, as the program reads it, in `keys.txt`. What they name is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use ractor_host::guest::{Capability, Limits};
use wit_parser::{InterfaceId, Resolve, WorldItem};

const IMPORTS: &str = include_str!("imports.txt");
const KEYS: &str = include_str!("keys.txt");

/// A row for one thing: what bounds it, and the test that fills it, if anything stays.
struct Row {
    bounds: Vec<String>,
    shown: Option<String>,
}

/// The rows by what they are about: `INTERFACE FUNCTION` or `FILE KEY`.
#[track_caller]
fn rows(table: &str) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (whose, rest) = line.split_once(": ").unwrap();
        let (what, rest) = rest.split_once(" -> ").unwrap();
        let (bounds, shown) = rest
            .split_once(" | ")
            .map_or((rest, None), |(bounds, shown)| (bounds, Some(shown)));
        for what in what.split(' ') {
            let row = Row {
                bounds: bounds.split(' ').map(str::to_owned).collect(),
                shown: shown.map(str::to_owned),
            };
            assert!(
                rows.insert(format!("{whose} {what}"), row).is_none(),
                "{whose} {what} has two rows"
            );
        }
    }
    rows
}

pub(crate) fn file_keys() -> BTreeSet<String> {
    let rows = rows(KEYS).into_iter();
    let files = rows.filter(|(_, row)| row.bounds == ["file"]);
    files.map(|(key, _)| key).collect()
}

#[track_caller]
fn are_the_same(what: &str, rows: &BTreeMap<String, Row>, found: &BTreeSet<String>) {
    let missing: Vec<_> = found.iter().filter(|found| !rows.contains_key(*found)).collect();
    assert!(
        missing.is_empty(),
        "{what} without a row, which says what bounds what it makes the node keep: {missing:?}"
    );
    let idle: Vec<_> = rows.keys().filter(|row| !found.contains(*row)).collect();
    assert!(idle.is_empty(), "rows for what is no {what}: {idle:?}");
}

#[test]
fn every_function_that_a_guest_can_import_has_a_row() {
    let rows = rows(IMPORTS);
    are_the_same("function", &rows, &imports());
    let keys: BTreeSet<String> = keys()
        .iter()
        .filter_map(|key| key.split(' ').next_back())
        .map(str::to_owned)
        .collect();
    for (function, row) in &rows {
        let nothing = row.bounds == ["-"];
        let known = row.bounds.iter().all(|bound| keys.contains(bound));
        assert!(
            nothing || known,
            "{function}: {:?} are no keys of node.toml",
            row.bounds
        );
        assert!(nothing || row.shown.is_some(), "{function}: no test fills it");
    }
    are_there(&rows);
}

#[test]
fn every_key_of_node_toml_has_a_row() {
    let rows = rows(KEYS);
    are_the_same("key", &rows, &keys());
    for (key, row) in &rows {
        let kind = row.bounds.first().map(String::as_str);
        let known = ["text", "number", "file", "table", "folder"];
        assert!(
            kind.is_some_and(|kind| known.contains(&kind)),
            "{key}: {:?}",
            row.bounds
        );
        assert!(kind != Some("folder") || row.shown.is_some(), "{key}: no test fills it");
    }
    are_there(&rows);
}

/// The tests that rows name, `file.rs::test`.
#[track_caller]
fn are_there(rows: &BTreeMap<String, Row>) {
    let mut sources = Vec::new();
    for folder in [
        "tests/tests",
        "host/tests",
        "host/src",
        "cluster/src",
        "sandbox/src",
        "files/src",
        "directory/src",
        "entities/src",
    ] {
        collect(&workspace().join(folder), &mut sources);
    }
    let shown: BTreeSet<&str> = rows.values().filter_map(|row| row.shown.as_deref()).collect();
    for test in shown {
        let (file, function) = test.split_once("::").unwrap();
        let there = sources
            .iter()
            .filter(|path| path.ends_with(file))
            .any(|path| fs::read_to_string(path).unwrap().contains(&format!("fn {function}(")));
        assert!(there, "there is no test {test}");
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// `INTERFACE FUNCTION` for all that the node links: what our world imports, what command-line programs of WASI may, and
/// `wasi:http` as far as it is there.
fn imports() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let ours = parse(&workspace().join("wit"));
    of_world(&ours, "ractor:actor", "complete-actor", &mut found);
    // Of no world yet: whoever uses it imports it besides.
    let of_no_world = ours
        .interfaces
        .iter()
        .filter(|(_, interface)| matches!(interface.name.as_deref(), Some("entities" | "reminders")));
    of_no_world.for_each(|(id, _)| of_interface(&ours, id, &mut found));
    let wasi = parse(&wasi_wit());
    of_world(&wasi, "wasi:cli", "imports", &mut found);
    for (id, interface) in &wasi.interfaces {
        let package = interface.package.map(|package| &wasi.packages[package].name);
        let is_http = package.is_some_and(|package| package.namespace == "wasi" && package.name == "http");
        let is_linked = matches!(interface.name.as_deref(), Some("types" | "outgoing-handler"));
        if is_http && is_linked {
            of_interface(&wasi, id, &mut found);
        }
    }
    found
}

#[track_caller]
fn parse(folder: &Path) -> Resolve {
    let mut resolve = Resolve::default();
    resolve.push_dir(folder).unwrap();
    resolve
}

#[track_caller]
fn of_world(resolve: &Resolve, package: &str, world: &str, found: &mut BTreeSet<String>) {
    let (_, world) = resolve
        .worlds
        .iter()
        .find(|(_, each)| {
            let its = each.package.map(|package| &resolve.packages[package].name);
            each.name == world && its.is_some_and(|its| format!("{}:{}", its.namespace, its.name) == package)
        })
        .unwrap();
    for item in world.imports.values() {
        if let WorldItem::Interface { id, .. } = item {
            of_interface(resolve, *id, found);
        }
    }
}

fn of_interface(resolve: &Resolve, id: InterfaceId, found: &mut BTreeSet<String>) {
    let interface = &resolve.interfaces[id];
    let package = &resolve.packages[interface.package.unwrap()].name;
    let name = interface.name.as_deref().unwrap();
    for function in interface.functions.keys() {
        // `[method]pollable.ready`
        let function = function.rsplit(']').next().unwrap_or_default();
        found.insert(format!("{}:{}/{name} {function}", package.namespace, package.name));
    }
}

/// The WIT of the WASI that is linked, as wasmtime has it.
#[track_caller]
fn wasi_wit() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // Crates of other platforms need not be here.
        .args(["--filter-platform", &platform()])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let text = String::from_utf8(metadata.stdout).unwrap();
    let manifests = text
        .split("\"manifest_path\":\"")
        .filter_map(|rest| rest.split('"').next());
    let mut folders = manifests.filter_map(|manifest| Path::new(manifest).parent());
    let of_http = |folder: &&Path| {
        folder
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("wasmtime-wasi-http"))
    };
    folders.find(of_http).unwrap().join("wit")
}

/// The target triple of this machine.
#[track_caller]
fn platform() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let mut lines = version.lines();
    lines.find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// `FILE KEY` for each key that a file of the configuration layer knows.
fn keys() -> BTreeSet<String> {
    let mut files = Vec::new();
    collect(&workspace().join("host/src/config"), &mut files);
    // Rows of a table in the crate of guests, which these files read.
    let of_guests = [("limits.rs", Limits::KEYS), ("capabilities.rs", Capability::KEYS)];
    let mut found: BTreeSet<String> = of_guests
        .iter()
        .flat_map(|(file, keys)| keys.iter().map(move |key| format!("{file} {key}")))
        .collect();
    for path in files
        .iter()
        .filter(|path| path.parent().is_some_and(|folder| folder.ends_with("config")))
    {
        let file = path.file_name().unwrap().to_string_lossy();
        let text = fs::read_to_string(path).unwrap();
        for list in text.split("known: &[").skip(1) {
            let list = list.split(']').next().unwrap_or_default();
            let keys = list.split('"').skip(1).step_by(2);
            found.extend(keys.map(|key| format!("{file} {key}")));
        }
        // The limits of a node, each of which has its key.
        let limits = text.split("\n    key: \"").skip(1);
        let keys = limits.filter_map(|limit| limit.split('"').next());
        found.extend(keys.map(|key| format!("{file} {key}")));
    }
    assert!(found.len() > 120, "the keys are written in another way now: {found:?}");
    found
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
