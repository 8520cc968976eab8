//! A component just beyond each limit on what guests start with, and what `check`, `inspect` and `run` say of it.

use std::path::Path;

use ractor_host_tests::COOKIE;
use ractor_host_tests::cli::{Ended, end, ractor_host};
use ractor_host_tests::host::{HostNode, NodeFolder, node_toml, run};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The smallest actor, with these in its module besides.
fn actor(more: &str) -> Vec<u8> {
    let core = format!(
        r#"(module
            (memory (export "memory") 1) {more}
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (func $ok (result i32) (i32.store8 (i32.const 16) (i32.const 0)) (i32.const 16))
            (func (export "ractor:actor/actor@0.1.0#describe") (result i32) (i32.const 64))
            (func (export "ractor:actor/actor@0.1.0#pre-start") (param i32 i32) (result i32) (call $ok))
            (func (export "ractor:actor/actor@0.1.0#post-start") (result i32) (call $ok))
            (func (export "ractor:actor/actor@0.1.0#handle-cast") (param i32 i32 i32 i32) (result i32) (call $ok))
            (func (export "ractor:actor/actor@0.1.0#handle-call") (param i32 i32 i32 i32 i64) (result i32) unreachable)
            (func (export "ractor:actor/actor@0.1.0#handle-supervisor-evt")
                (param i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32) (call $ok))
            (func (export "ractor:actor/actor@0.1.0#post-stop") (result i32) (call $ok)))"#
    );
    let mut module = wat::parse_str(core).expect("a module");
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(wit).expect("the world");
    let world = resolve
        .select_world(&[package], Some("guest-actor"))
        .expect("the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a component");
    let encoded = ComponentEncoder::default()
        .module(&module)
        .expect("a component")
        .encode();
    encoded.expect("a component")
}

/// A module of nothing, and one with a table.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0";
const WITH_TABLE: &[u8] = b"\0asm\x01\0\0\0\x04\x04\x01\x70\x00\x01";

/// The actor with this many instances of a module besides.
fn in_parts(module: &[u8], instances: usize) -> Vec<u8> {
    let mut component = actor("");
    let number = modules(&component);
    section(&mut component, 1, module);
    let mut body = leb(instances);
    for _ in 0..instances {
        // Instantiate this module with no arguments.
        body.extend([0, number, 0]);
    }
    section(&mut component, 2, &body);
    component
}

/// How many modules a component has: the number that the next one gets.
fn modules(component: &[u8]) -> u8 {
    let (mut at, mut modules) = (8, 0);
    while let Some(id) = component.get(at) {
        modules += u8::from(*id == 1);
        at += 1;
        let (mut size, mut shift) = (0, 0);
        while let Some(byte) = component.get(at) {
            size |= usize::from(byte & 0x7f) << shift;
            (at, shift) = (at + 1, shift + 7);
            if byte & 0x80 == 0 {
                break;
            }
        }
        at += size;
    }
    modules
}

fn section(component: &mut Vec<u8>, id: u8, body: &[u8]) {
    component.push(id);
    component.extend(leb(body.len()));
    component.extend(body);
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The rest of a node.toml that starts this many actors of the component in this file.
fn actors(file: &Path, count: u32, runtime: &str, limits: &str) -> String {
    format!(
        "[runtime]\n{runtime}\n[modules.m]\npath = {file:?}\n[[actors]]\nname = \"x\"\nmodule = \"m\"\ncount = {count}\n\
         [actors.limits]\n{limits}\n"
    )
}

fn folder(component: &[u8], count: u32, runtime: &str, limits: &str) -> NodeFolder {
    let rest = actors(Path::new("guest.wasm"), count, runtime, limits);
    let folder = NodeFolder::new(&node_toml("alpha", &rest), COOKIE);
    folder.write("guest.wasm", component);
    folder
}

/// Starts the node of the folder, and ends it.
fn starts(folder: &NodeFolder, count: u32, runtime: &str, limits: &str) {
    check(folder).answer();
    HostNode::start("alpha", &actors(&folder.path("guest.wasm"), count, runtime, limits));
}

fn check(folder: &NodeFolder) -> Ended {
    ractor_host(&["check", &folder.path("node.toml").to_string_lossy()])
}

fn inspect(folder: &NodeFolder) -> Ended {
    ractor_host(&["inspect", &folder.path("guest.wasm").to_string_lossy()])
}

#[test]
fn each_ceiling_is_named_alike_by_check_inspect_and_run() {
    let globals = "(global i32 (i32.const 0))";
    let cases = [
        (in_parts(EMPTY, 300), "core_instances"),
        (actor(&"(memory 0)".repeat(16)), "memories"),
        (actor("(memory 1024)"), "memory_bytes"),
        (in_parts(WITH_TABLE, 130), "tables"),
        (actor("(table 100001 funcref)"), "table_elements"),
        (actor(&globals.repeat(270_000)), "instance_bytes"),
    ];
    for (component, key) in cases {
        let folder = folder(&component, 1, "", "");
        let named = format!("({key})");
        let checked = check(&folder);
        assert_eq!(checked.code, Some(2), "{key}: {checked:?}");
        assert!(checked.stderr.contains(&named), "{key}: {}", checked.stderr);
        let inspected = inspect(&folder);
        assert!(inspected.answer().contains(&named), "{key}: {}", inspected.stdout);
        let ran = end("run", &mut run(&folder.path("node.toml")));
        assert_eq!(ran.code, Some(2), "{key}: {ran:?}");
        assert_eq!(error_of(&checked), error_of(&ran), "{key}");
    }
}

fn error_of(ended: &Ended) -> Option<&str> {
    ended.stderr.lines().find(|line| line.starts_with("error: "))
}

#[test]
fn a_key_that_is_raised_lets_the_component_run() {
    let cases = [
        (in_parts(EMPTY, 300), "", "core_instances = 400"),
        (actor(&"(memory 0)".repeat(16)), "", "memories = 17"),
        (actor("(memory 1024)"), "", "memory_bytes = \"65MiB\""),
        (in_parts(WITH_TABLE, 130), "", "tables = 130"),
        (actor("(table 100001 funcref)"), "", "table_elements = 100001"),
        (actor("(func)"), "instance_bytes = \"4KiB\"", ""),
    ];
    for (component, runtime, limits) in cases {
        starts(&folder(&component, 1, runtime, limits), 1, runtime, limits);
    }
}

#[test]
fn what_the_file_reserves_is_named_when_its_own_guests_need_more() {
    let cases = [
        (actor("(memory 1)"), "max_memories = 3", "max_memories"),
        (actor("(table 1 funcref)"), "max_tables = 1", "max_tables"),
        (
            actor("(memory 17)"),
            "memory_reservation = \"1MiB\"",
            "memory_reservation",
        ),
        (
            actor("(table 11 funcref)"),
            "table_reservation = 10",
            "table_reservation",
        ),
        (actor("(func)"), "instance_bytes = \"1KiB\"", "instance_bytes"),
    ];
    for (component, runtime, key) in cases {
        let folder = folder(&component, 2, runtime, "");
        for ended in [check(&folder), end("run", &mut run(&folder.path("node.toml")))] {
            assert_eq!(ended.code, Some(2), "{key}: {ended:?}");
            let error = error_of(&ended).unwrap_or_default();
            assert!(error.contains(key), "{key}: {}", ended.stderr);
        }
    }
}

#[test]
fn as_many_guests_start_as_are_configured_however_many_parts_they_have() {
    let runtime = "max_guests = 600";
    starts(&folder(&in_parts(EMPTY, 31), 600, runtime, ""), 600, runtime, "");
}

#[test]
fn a_module_with_two_memories_runs() {
    let folder = folder(&actor("(memory 2)"), 2, "", "");
    let inspected = inspect(&folder);
    assert!(
        inspected.answer().contains("2 memories, 196608 bytes together"),
        "{}",
        inspected.stdout
    );
    starts(&folder, 2, "", "");
}
