//! An actor goes on in another language.

use std::path::Path;
use std::thread;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::languages::{self, component as guest};
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::programs;

use crate::lab::Lab;
use crate::versions::{Fail, component};

#[test]
fn a_counter_in_rust_goes_on_in_python_and_back() {
    let Some(python) = languages::component("py_raw") else {
        return;
    };
    let lab = Lab::new();
    lab.write("alpha.wasm", &contents(&programs::guest("counter")));
    let actor = "groups = [\"counters\"]\narguments = \"u64:100\"\n";
    let node = HostNode::start("alpha", &lab.toml("alpha", &[], "", actor));
    let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", node.address()]);
    stock.wait("members counters", "remote:counter");
    let pid = stock.run("pid counters");
    // More than a byte of state.
    stock.run("cast counters Add 300");
    let mut count = 400;

    let python = python.to_str().expect("a path");
    for rest in [vec!["reload", "counter", "--file", python], vec!["rollback", "counter"]] {
        let (verb, rest) = rest.split_first().expect("a verb");
        let ended = thread::scope(|scope| {
            let changes = scope.spawn(|| lab.control(verb, &[node.address()], rest));
            while !changes.is_finished() {
                stock.run("cast counters Add 1");
                count += 1;
            }
            changes.join().expect("the command ends")
        });
        assert!(ended.answer().contains("done, 1 actors"), "{verb}: {}", ended.stdout);
        assert_eq!(stock.run("call counters Get"), count.to_string(), "after {verb}");
        assert_eq!(stock.run("pid counters"), pid, "after {verb}");
        assert_eq!(stock.run("call counters Name"), "counter", "after {verb}");
    }
}

#[test]
fn a_state_that_python_does_not_understand_stays_with_the_old_code() {
    let Some(python) = languages::component("py_raw") else {
        return;
    };
    let lab = Lab::new();
    // Its state is four bytes, of which Python would read one as a count.
    let node = lab.node("alpha", &component(1, 0, Fail::Nowhere));
    lab.add(&node, 7);
    lab.wait_for(&node, "get", 7);
    let python = python.to_str().expect("a path");
    // By force, because the node's own entry has no argument, which Python's counter would miss at the next start.
    let refused = lab.control("reload", &[node.address()], &["counter", "--file", python, "--force"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    for expected in ["failed at restore", "4 bytes that are no count"] {
        assert!(refused.stdout.contains(expected), "{expected} in {}", refused.stdout);
    }
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 7));
}

#[test]
fn a_counter_in_c_goes_on_in_zig_and_in_cpp() {
    goes_on_through(["c_counter", "zig_counter", "cpp_counter", "c_counter"]);
}

#[test]
fn a_counter_in_go_goes_on_in_c_and_back() {
    goes_on_through(["go_counter", "c_counter", "go_counter"]);
}

/// Replaces the code of a counter by that of each component in turn, with its count.
#[track_caller]
fn goes_on_through<const N: usize>(names: [&'static str; N]) {
    let components: Vec<_> = names.into_iter().filter_map(guest).collect();
    let [first, others @ ..] = components.as_slice() else {
        return;
    };
    if components.len() < N {
        return;
    }
    let lab = Lab::new();
    lab.write("alpha.wasm", &contents(first));
    let actor = "groups = [\"counters\"]\narguments = \"u64:100\"\n";
    let node = HostNode::start("alpha", &lab.toml("alpha", &[], "", actor));
    let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", node.address()]);
    stock.wait("members counters", "remote:counter");
    for (component, count) in others.iter().zip(101..) {
        let file = component.to_str().expect("a path");
        let ended = lab.control("reload", &[node.address()], &["counter", "--file", file]);
        assert!(ended.answer().contains("done, 1 actors"), "{file}: {}", ended.stdout);
        stock.run("cast counters Add 1");
        assert_eq!(stock.run("call counters Get"), count.to_string(), "{file}");
    }
}

fn contents(file: &Path) -> Vec<u8> {
    std::fs::read(file).expect("a component")
}
