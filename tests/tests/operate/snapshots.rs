//! What people see: the output of commands as it stands in `snapshots/`, with what differs from run to run masked.
//! `RACTOR_BLESS=1` writes the files anew.

use std::fs;
use std::path::Path;

use ractor_host_tests::host::{HostNode, another_counter, guest_counter};
use ractor_host_tests::wait;
use regex::Regex;

use crate::operator::{at, json};

/// What differs from run to run, and what stands in its place. The first that fits is taken first.
const MASKS: [(&str, &str); 15] = [
    (r"(127\.0\.0\.1|localhost):[0-9]+", "ADDRESS"),
    (
        r"pid [0-9]+, [0-9]+ threads \([0-9]+ for actors\), [0-9]+ open files",
        "PROCESS",
    ),
    (r"[0-9]+ components; [0-9]+ more", "N components; N more"),
    (r"(@|sha256:)[0-9a-f]{12}\b", "${1}DIGEST"),
    (r"pid:[0-9]+", "pid:N"),
    (r"[0-9.]+ (B|KiB|MiB|GiB)\b", "SIZE"),
    (r"[0-9.]+%", "SHARE"),
    (r"\b[0-9]+(d [0-9]+h|h [0-9]+m|m [0-9]+s)", "TIME"),
    (r"\b[0-9.]+(ms|µs|s)\b", "TIME"),
    (r"ractor-host [0-9]+\.[0-9]+\.[0-9]+", "ractor-host VERSION"),
    // Rates, pids and counts that grow by themselves.
    (r"\b[0-9]{5,}\b", "NUMBER"),
    (r"cli-[0-9a-z-]+", "cli"),
    // Columns are as wide as what is in them.
    (r" {2,}", "  "),
    (r"TIME  TIME  [0-9.]+  [0-9.]+  SIZE", "TIME  TIME  RATE  RATE  SIZE"),
    (r"[0-9.]+  SHARE  SIZE", "RATE  SHARE  SIZE"),
];

fn masked(text: &str) -> String {
    let mut masked = text.to_owned();
    for (pattern, instead) in MASKS {
        masked = Regex::new(pattern)
            .expect("a pattern")
            .replace_all(&masked, instead)
            .into_owned();
    }
    masked
}

#[track_caller]
fn check(name: &str, shown: &str) {
    let shown = masked(shown) + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/operate/snapshots")
        .join(format!("{name}.txt"));
    if std::env::var_os("RACTOR_BLESS").is_some() {
        fs::write(&path, &shown).expect("a snapshot");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        shown,
        expected,
        "{} has something else; RACTOR_BLESS=1 writes it",
        path.display()
    );
}

/// Lines that a command of the test itself may add.
fn without_own(text: &str) -> String {
    text.lines()
        .filter(|line| !line.contains("cli-"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn people_see_what_they_are_used_to() {
    let state = "[runtime]\nstate_dir = \"state\"\n";
    let alpha = HostNode::start("alpha", &format!("{state}{}", guest_counter("counter", "counters", 0)));
    let more = another_counter("second", "counters", 7);
    let peers = format!("peers = [{:?}]\n", alpha.address());
    let beta = HostNode::start(
        "beta",
        &format!("{peers}{state}{}{more}", guest_counter("first", "counters", 0)),
    );
    wait::until(
        "the members of both nodes",
        || json(&beta, &["groups"]),
        |groups| groups[0]["groups"][0]["elsewhere"][0]["members"] == 1,
    );
    wait::until(
        "a ping, and a look at what was done lately",
        || json(&beta, &["nodes"]),
        |nodes| {
            let figures = &nodes[0]["links"][0]["figures"];
            figures["round_trip_us"].is_u64() && figures["lately"].is_object()
        },
    );
    wait::until(
        "figures of what was done lately",
        || json(&beta, &["ps"]),
        |nodes| {
            nodes[0]["actors"]
                .as_array()
                .is_some_and(|all| all.iter().all(|actor| actor["figures"]["lately"].is_object()))
        },
    );
    for words in [&["ps"][..], &["tree"], &["groups"], &["node"], &["status"]] {
        check(words[0], at(&beta, words).answer());
    }
    check("nodes", &without_own(at(&beta, &["nodes"]).answer()));
    check("show", at(&beta, &["show", "first"]).answer());
    at(&beta, &["stop", "second"]).answer();
    check("status-stopped", at(&beta, &["status"]).answer());
}
