//! Thousands of guests in one node. `--example density` measures ten thousand.
#![cfg(target_os = "linux")]

use std::fs;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::Stream;
use ractor_host_tests::{cli, programs, wait};

/// What a guest may take at most: in the debug build, whose futures are larger, and with what the allocator wastes.
const MOST_KIB: u64 = 160;
const MOST_MAPPINGS: u64 = 5;

/// What a guest of node.toml may leave behind when it has ended: the cell that the host knows it by has 11 KiB, and lies
/// among what is free.
const MOST_LEFT_KIB: u64 = 36;

/// A node with this many guests of one module, and room for as many as its neighbours.
fn node(name: &str, guests: u64, runtime: &str) -> HostNode {
    let path = programs::guest("counter");
    HostNode::start(
        name,
        &format!(
            "[runtime]\n{runtime}\n[modules.counter]\npath = {path:?}\n\
             [[actors]]\nname = \"{name}\"\nmodule = \"counter\"\narguments = \"u64:1\"\ncount = {guests}\n"
        ),
    )
}

/// The memory of a node, in KiB, and its memory mappings.
fn usage(node: &mut HostNode) -> (u64, u64) {
    let process = node.process();
    let maps = fs::read_to_string(format!("/proc/{}/maps", process.id())).expect("a process");
    (process.memory() / 1024, maps.lines().count() as u64)
}

/// How many mappings with code a node has.
fn mappings_of_code(node: &mut HostNode) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", node.process().id())).expect("a process");
    maps.lines().filter(|line| line.contains(" r-x")).count()
}

#[test]
fn an_idle_guest_is_small_and_has_no_code_of_its_own() {
    let runtime = "max_guests = 2000\ncopy_on_write = false";
    let (few, many) = (100, 2000);
    let (mut few_guests, mut many_guests) = (node("few-guests", few, runtime), node("many-guests", many, runtime));
    assert_eq!(mappings_of_code(&mut many_guests), mappings_of_code(&mut few_guests));
    let (few_take, many_take) = (usage(&mut few_guests), usage(&mut many_guests));
    let each = |few_take: u64, many_take: u64| many_take.saturating_sub(few_take) / (many - few);
    let (kib, mappings) = (each(few_take.0, many_take.0), each(few_take.1, many_take.1));
    assert!(kib <= MOST_KIB, "{kib} KiB each: {few_take:?} and {many_take:?}");
    // The stacks, two mappings each, are there from the beginning.
    assert!(
        mappings + 2 <= MOST_MAPPINGS,
        "{mappings} mappings each: {few_take:?} and {many_take:?}"
    );
}

#[test]
#[cfg(target_env = "gnu")]
fn the_memory_of_guests_that_ended_returns() {
    let path = programs::guest("parity");
    let guests = 2000;
    let module = format!("[runtime]\nmax_guests = 2000\ncopy_on_write = false\n[modules.parity]\npath = {path:?}\n");
    let mut without = HostNode::start("nobody", &module);
    let mut node = HostNode::start(
        "leavers",
        &format!(
            "{module}[[actors]]\nname = \"leaver\"\nmodule = \"parity\"\ngroups = [\"leavers\"]\n\
             restart = \"temporary\"\ncount = {guests}\n"
        ),
    );
    let nobody = usage(&mut without).0;
    let each = |node: &mut HostNode| usage(node).0.saturating_sub(nobody) / guests;
    let living = each(&mut node);
    assert!(living > MOST_LEFT_KIB, "{living} KiB each");
    let stop = ["--all", "group:leavers", "Stop", "str:done"];
    cli::message("cast", node.address(), &node.cookie_file(), &stop).answer();
    let what = format!("at most {MOST_LEFT_KIB} KiB to be left of each guest");
    wait::until(&what, || each(&mut node), |left| *left <= MOST_LEFT_KIB);
}

#[test]
fn more_guests_than_the_machine_has_room_for_are_warned_of() {
    let mut node = node("roomy", 1, "max_guests = 1000000");
    let warned = |line: &str| line.contains("1000000 guests are configured, and only about");
    let (_, line) = node.process().wait_line(Stream::Stderr, 0, "the warning", warned);
    assert!(line.contains("WARN"), "{line}");
}
