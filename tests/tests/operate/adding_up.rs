//! The figures of actors and of the node add up to what the operating system says of the process, and each is true by itself.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use ractor_host_tests::wait;
use serde_json::Value;
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::figures::Shown;

const MIB: u64 = 1 << 20;

/// The memory that each large guest grows to: 40 MiB, and the page that it starts with.
const GROWN: u64 = 40 * MIB + 65_536;

/// Grows by 640 pages.
const GROW: &str = "(drop (memory.grow (i32.const 640)))";

/// And writes to each of them.
const FILL: &str = "(memory.fill (i32.const 65536) (i32.const 7) (i32.const 41943040))";

/// An actor that does this when it starts, and works a good while at each cast.
fn actor(start: &str) -> Vec<u8> {
    let core = format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (func $ok (result i32) (i32.store8 (i32.const 16) (i32.const 0)) (i32.const 16))
            (func (export "ractor:actor/actor@0.1.0#describe") (result i32) (i32.const 64))
            (func (export "ractor:actor/actor@0.1.0#pre-start") (param i32 i32) (result i32) {start} (call $ok))
            (func (export "ractor:actor/actor@0.1.0#post-start") (result i32) (call $ok))
            (func (export "ractor:actor/actor@0.1.0#handle-cast") (param i32 i32 i32 i32) (result i32)
                (local $left i32)
                (local.set $left (i32.const 200000000))
                (loop $again
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br_if $again (local.get $left)))
                (call $ok))
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

/// A node with some of these actors of each module, and the folder that the modules are in.
fn node(name: &str, modules: &[(&str, &str, u32)]) -> (Shown, TempDir) {
    let folder = tempfile::tempdir().expect("a folder for modules");
    let tables = modules.iter().map(|(module, start, count)| {
        let path = folder.path().join(format!("{module}.wasm"));
        fs::write(&path, actor(start)).expect("a component");
        format!(
            "[modules.{module}]\npath = {path:?}\n[[actors]]\nname = \"{module}\"\nmodule = \"{module}\"\ncount = {count}\n\
             [actors.limits]\ncpu_per_message = \"60s\"\n"
        )
    });
    let tables: String = tables.collect();
    (Shown::start(name, "", &tables), folder)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A figure of each actor of this module.
fn figures(actors: &Value, module: &str, figure: &str) -> Vec<u64> {
    let actors = actors["actors"].as_array().expect("actors").iter();
    actors
        .filter(|actor| actor["module"]["name"] == module)
        .map(|actor| number(&actor["figures"][figure]))
        .collect()
}

/// What the system says of the memory of a process.
fn resident(pid: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("its memory") * 1024
}

/// What the system says of the processor time of a process.
fn processor_time(pid: u64) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process");
    let (_, behind_name) = stat.rsplit_once(')').expect("its name");
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    // The kernel counts a hundred in a second here, whatever it counts by itself.
    Duration::from_millis(ticks * 10)
}

#[track_caller]
fn within_a_tenth(what: &str, one: u64, other: u64) {
    let (least, most) = (other / 10 * 9, other / 10 * 11);
    assert!((least..=most).contains(&one), "{what}: {one}, and {other}");
}

#[test]
fn the_memory_of_guests_and_of_the_node_is_that_of_the_process() {
    let modules = [
        ("filled", &*format!("{GROW}{FILL}"), 4),
        ("grown", GROW, 4),
        ("idle", "", 50),
    ];
    let (shown, _folder) = node("sum", &modules);
    let all = shown.json(&["ps"]);
    for memory in figures(&all, "filled", "resident_bytes") {
        assert!((GROWN - 65_536..=GROWN).contains(&memory), "what it filled: {memory}");
    }
    for module in ["filled", "grown"] {
        assert_eq!(figures(&all, module, "memory_bytes"), [GROWN; 4]);
    }
    for memory in [
        figures(&all, "grown", "resident_bytes"),
        figures(&all, "idle", "resident_bytes"),
    ]
    .concat()
    {
        assert!((4096..=65_536).contains(&memory), "what it touched: {memory}");
    }
    let of_actors: u64 = ["filled", "grown", "idle"]
        .iter()
        .flat_map(|module| figures(&all, module, "resident_bytes"))
        .sum();
    let before = shown.json(&["node"]);
    let (guests, own) = (&before["guests_resident_bytes"], &before["own"]["resident_bytes"]);
    within_a_tenth("actors and their sum", of_actors, number(guests));
    let pid = number(&before["process"]["pid"]);
    within_a_tenth(
        "guests, the node and the process",
        number(guests) + number(own),
        resident(pid),
    );
    // The node's own part is what is left of the process. So that this proves something, the largest part of the guests goes away.
    for actor in 1..=4 {
        shown.run(&["stop", &format!("filled-{actor}")]).answer();
    }
    let gone = wait::until(
        "the memory of the stopped guests to go",
        || shown.json(&["node"]),
        |node| number(&node["guests_resident_bytes"]) < 40 * MIB,
    );
    within_a_tenth(
        "the node itself, before and after",
        number(&gone["own"]["resident_bytes"]),
        number(own),
    );
    within_a_tenth(
        "what went with the guests",
        number(&before["process"]["resident_bytes"]) - resident(pid),
        160 * MIB,
    );
}

#[test]
fn a_guest_has_the_memory_that_it_has_after_a_restart_and_in_text() {
    let (shown, _folder) = node("again", &[("filled", &format!("{GROW}{FILL}"), 1)]);
    let resident = || figures(&shown.json(&["ps"]), "filled", "resident_bytes");
    assert_eq!(resident().len(), 1);
    shown.run(&["restart", "filled"]).answer();
    let again = wait::until("the guest to have started again", resident, |resident| {
        resident.first().is_some_and(|bytes| *bytes > 40 * MIB - 1)
    });
    assert!(again[0] <= GROWN, "{again:?}");
    let text = shown.run(&["ps"]);
    assert!(text.answer().contains("40.1 MiB"), "{}", text.stdout);
    let text = shown.run(&["show", "filled"]);
    assert!(text.answer().contains("resident; grown to 40.1 MiB"), "{}", text.stdout);
    let text = shown.run(&["node"]);
    assert!(text.answer().contains("of the node itself"), "{}", text.stdout);
}

#[test]
fn the_processor_time_of_guests_and_of_the_node_is_that_of_the_process() {
    let (shown, _folder) = node("time", &[("worker", "", 2)]);
    let before = shown.json(&["node"]);
    let pid = number(&before["process"]["pid"]);
    let took_before = processor_time(pid);
    for _ in 0..5 {
        for worker in ["worker-1", "worker-2"] {
            shown.cast(&[worker, "Work"]);
        }
    }
    let after = wait::until(
        "all of it to be done",
        || shown.json(&["node"]),
        |node| {
            let idle = node["waiting"] == 0;
            idle && number(&node["modules"][0]["messages"]) == 10
        },
    );
    let took = (processor_time(pid) - took_before).as_micros() as u64;
    let grown = |of: fn(&Value) -> &Value| number(of(&after)) - number(of(&before));
    let (guests, own) = (
        grown(|node| &node["guests_busy_us"]),
        grown(|node| &node["own"]["cpu_us"]),
    );
    within_a_tenth("guests, the node and the process", guests + own, took);
    // They did nearly nothing else, so that the guests' part is most of it.
    assert!(guests >= took / 10 * 8, "{guests} of {took} µs are the guests'");
}
