//! One component to three nodes.

use std::time::Instant;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::wait;

use crate::lab::Lab;
use crate::versions::{Fail, failing, padded, version};

/// Three nodes, of which the last two dial the first.
#[track_caller]
fn three(lab: &Lab) -> [HostNode; 3] {
    let alpha = lab.node("alpha", &version(1));
    let [beta, gamma] = ["beta", "gamma"].map(|name| {
        lab.write(&format!("{name}.wasm"), &version(1));
        HostNode::start(name, &lab.toml(name, &[alpha.address()], "", ""))
    });
    [alpha, beta, gamma]
}

#[test]
fn all_nodes_that_the_first_one_knows_are_deployed_to() {
    let lab = Lab::new();
    let nodes = three(&lab);
    let status = || lab.control("status", &[nodes[0].address()], &["--all-nodes"]).stdout;
    wait::until("three nodes", status, |status| {
        status.contains("beta@") && status.contains("gamma@")
    });
    let new = lab.write("new.wasm", &padded(&version(2), 18 << 20, 1));
    let started = Instant::now();
    let rest = ["counter", "--all-nodes", "--file", new.to_str().expect("a path")];
    let deployed = lab.control("reload", &[nodes[0].address()], &rest);
    let took = started.elapsed();
    let report = deployed.answer();
    assert_eq!(report.matches("done, 1 actors").count(), 3, "{report}");
    for node in &nodes {
        assert_eq!(lab.ask(node, "version"), 2, "{}", node.name());
    }
    println!("18 MiB to three nodes: {took:?}\n{report}");
    let again = lab.control("reload", &[nodes[0].address()], &rest);
    assert_eq!(
        again.answer().matches("has the component already").count(),
        3,
        "{}",
        again.stdout
    );
}

/// A node may be frozen, or at an address that can't be reached from here.
#[test]
fn what_a_node_runs_is_told_though_another_one_does_not_answer() {
    let lab = Lab::new();
    let mut nodes = three(&lab);
    let [alpha, beta, gamma] = nodes.each_ref().map(|node| node.address().to_owned());
    nodes[1].process().freeze();
    let status = lab.control("status", &[&beta, &alpha, &gamma], &[]);
    nodes[1].process().thaw();
    let (out, error) = (&status.stdout, &status.stderr);
    assert!(
        out.contains("alpha@") && out.contains("gamma@") && !out.contains("beta@"),
        "{out}"
    );
    assert!(error.contains(&beta), "{error}");
    assert_eq!(status.code, Some(1));
}

#[test]
fn the_first_failure_ends_a_rollout() {
    let lab = Lab::new();
    let nodes = three(&lab);
    // More than the new version takes over, which only its `restore` finds out.
    lab.add(&nodes[1], 150);
    lab.wait_for(&nodes[1], "get", 150);
    let new = lab.write("new.wasm", &failing(2, Fail::RestoreOfMuch));
    let addresses = [0, 1, 2].map(|index: usize| nodes[index].address());
    let deployed = lab.control(
        "reload",
        &addresses,
        &["counter", "--file", new.to_str().expect("a path")],
    );
    assert_eq!(deployed.code, Some(1), "{}", deployed.stdout);
    let lines: Vec<&str> = deployed.stdout.lines().collect();
    let line = |start: &str| {
        lines
            .iter()
            .rfind(|line| line.starts_with(start))
            .copied()
            .unwrap_or_default()
    };
    assert!(line("alpha@").ends_with("done, 1 actors"), "{lines:?}");
    assert!(line("beta@").contains("FAILED: it runs"), "{lines:?}");
    assert!(line("gamma@").contains("not reached"), "{lines:?}");
    assert!(deployed.stdout.contains("counter: failed at restore"), "{lines:?}");
    let versions = [0, 1, 2].map(|index: usize| lab.ask(&nodes[index], "version"));
    assert_eq!(versions, [2, 1, 1]);
    assert_eq!(lab.ask(&nodes[1], "get"), 150, "its state is as it was");
}

#[test]
fn nothing_is_touched_anywhere_if_one_node_would_refuse() {
    let lab = Lab::new();
    let alpha = lab.node("alpha", &version(1));
    let beta = lab.node("beta", &crate::versions::component(1, 2, Fail::Nowhere));
    let new = lab.write("new.wasm", &version(2));
    let rest = ["counter", "--file", new.to_str().expect("a path")];
    let deployed = lab.control("reload", &[alpha.address(), beta.address()], &rest);
    assert_eq!(deployed.code, Some(1));
    assert!(
        deployed.stdout.contains("beta@localhost: nothing was touched"),
        "{}",
        deployed.stdout
    );
    assert_eq!((lab.ask(&alpha, "version"), lab.ask(&beta, "version")), (1, 1));
}
