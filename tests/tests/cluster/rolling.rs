//! What operators do to a cluster that is in use, one node after the other: new programs, and new code.

use std::fs;
use std::path::Path;

use postgres_server::Server;
use ractor_host_tests::process::Signal;
use ractor_host_tests::programs;
use tempfile::tempdir;

use crate::entities::{Callers, KEYS, key, wait_for_all};
use crate::ring::{Answer, Member};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// A node whose counters run this component.
fn start(name: &str, url: &str, counter: &Path) -> Member {
    let entities = format!(
        "[modules.counter]\npath = {counter:?}\n[entities.count]\nmodule = \"counter\"\narguments = \"u64:0\"\nshards = 32\n\
         durability = \"before-reply\"\n"
    );
    Member::start_node(name, url, &entities)
}

#[test]
fn a_rolling_restart_and_a_rolling_reload_fail_no_call_and_each_is_handled_once() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let folder = tempdir().expect("a folder");
    let counter = folder.path().join("counter.wasm");
    let component = fs::read(programs::guest("counter")).expect("the counter");
    fs::write(&counter, &component).expect("a component");
    let mut members = NAMES.map(|name| start(name, &url, &counter));
    wait_for_all(&members[0]);
    // Whom the callers speak to. It has no entities, knows of those of the others, and is not restarted.
    let door = Member::start_node("door", &url, "");
    wait_for_all(&door);

    let callers = Callers::new();
    callers.run_during(&[&door], || {
        for (member, name) in members.iter_mut().zip(NAMES) {
            callers.wait_for_more(30);
            member.node.process().signal(Signal::TERM);
            member.node.process().wait_exit();
            callers.wait_for_more(30);
            *member = start(name, &url, &counter);
            wait_for_all(member);
        }
        // The same code in other bytes: a custom section at its end, which says nothing.
        fs::write(&counter, [component.as_slice(), b"\0\x05\x04next"].concat()).expect("a component");
        for member in &members {
            callers.wait_for_more(30);
            let reloaded = member.json(&["reload", "counter"]);
            assert_eq!(reloaded["nodes"][0]["report"]["verdict"], "reloaded", "{reloaded}");
        }
        callers.wait_for_more(30);
    });
    assert_eq!(callers.check(&door), 0, "no call failed");
    let counts: Vec<_> = (0..KEYS).map(|number| door.get(&key(number))).collect();
    assert_eq!(
        counts.iter().sum::<u64>(),
        callers.calls(),
        "each call was handled once: {counts:?}"
    );
    // What comes to life now runs the new code, too.
    assert_eq!(door.add("new"), Answer::Count(1));
}
