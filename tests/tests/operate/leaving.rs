//! Nodes that leave their cluster in order.

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::process::{Signal, Stream};
use ractor_host_tests::{programs, wait};

use crate::operator::{at, command, json, node};

#[test]
fn a_node_that_is_drained_ends_well_and_its_peers_know_why() {
    let mut alpha = node("alpha", "");
    let rest = format!(
        "peers = [{:?}]\n[runtime]\nstate_dir = \"state\"\n{}",
        alpha.address(),
        guest_counter("other", "counters", 0)
    );
    let mut beta = HostNode::start("beta", &rest);
    let elsewhere = |beta: &HostNode| {
        json(beta, &["groups"])[0]["groups"][0]["elsewhere"]
            .as_array()
            .map_or(0, Vec::len)
    };
    wait::until(
        "a member of the other node",
        || elsewhere(&beta),
        |members| *members == 1,
    );

    let drained = at(&alpha, &["drain", "--wait"]);
    assert_eq!(drained.answer(), "alpha@localhost is down");
    assert_eq!(alpha.process().wait_exit().code(), Some(0));
    let log = alpha.process().lines(Stream::Stderr).join("\n");
    assert!(log.contains("stopping, because an operator has asked for it"), "{log}");
    beta.process()
        .wait_line(Stream::Stderr, 0, "why the session ended", |line| {
            line.contains("the peer has left: it stopped in order") && line.contains("alpha@localhost")
        });
    wait::until("its members to be gone", || elsewhere(&beta), |members| *members == 0);
}

/// A node with a counter, and behind it an actor that is at one message for half a minute: it is the first to be asked to end, and the
/// counter is asked five seconds later.
fn busy() -> HostNode {
    let path = programs::guest("asker");
    let counter = guest_counter("counter", "counters", 0);
    let mut alpha = HostNode::start(
        "alpha",
        &format!(
            "[runtime]\nstate_dir = \"state\"\n{counter}[modules.asker]\npath = {path:?}\n[[actors]]\nname = \"cook\"\nmodule = \"asker\"\n\
             arguments = \"str:print begun; sleep 30000; print finished\"\n"
        ),
    );
    alpha
        .process()
        .wait_line(Stream::Stderr, 0, "the beginning of its work", |line| {
            line.contains("begun")
        });
    alpha
}

#[test]
fn a_node_that_leaves_is_not_ready_and_takes_no_orders() {
    let mut alpha = busy();
    assert_eq!(at(&alpha, &["drain"]).answer(), "alpha@localhost leaves");
    let status = json(&alpha, &["status"]);
    assert_eq!(
        (&status[0]["leaving"], &status[0]["ready"]),
        (&true.into(), &false.into())
    );
    assert!(at(&alpha, &["status"]).answer().starts_with("alpha@localhost, LEAVING"));
    wait::until(
        "it to take no orders",
        || at(&alpha, &["restart", "cook"]).stderr,
        |said| said.contains("the node is stopping"),
    );
    // A service manager says the same with a signal, and that is no impatience. The second one is.
    alpha.process().signal(Signal::TERM);
    alpha
        .process()
        .wait_line(Stream::Stderr, 0, "the first signal to be seen", |line| {
            line.contains("another signal stops at once")
        });
    alpha.process().signal(Signal::INT);
    assert_eq!(alpha.process().wait_exit().code(), Some(130));
}

#[test]
fn a_second_signal_ends_a_node_at_once_and_its_exit_code_says_so() {
    let mut alpha = busy();
    alpha.process().signal(Signal::TERM);
    alpha
        .process()
        .wait_line(Stream::Stderr, 0, "the beginning of the stop", |line| {
            line.contains("a second signal stops at once")
        });
    assert_eq!(json(&alpha, &["status"])[0]["leaving"], true);
    alpha.process().signal(Signal::TERM);
    assert_eq!(alpha.process().wait_exit().code(), Some(143));
}

#[test]
fn a_node_is_drained_from_elsewhere_by_whoever_may_operate() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("operate.key");
    std::fs::write(&key, "operate 0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
    let mut alpha = node("alpha", &format!("[control]\noperate_key_file = {key:?}\n"));
    let mut drain = command(
        keys.path(),
        &["drain", "--wait", "--node", alpha.address(), "--cookie-file"],
    );
    drain.arg(alpha.cookie_file()).arg("--key-file").arg(&key);
    let drained = ractor_host_tests::cli::end("ractor-host drain --node", &mut drain);
    assert_eq!(drained.answer(), "alpha@localhost is down");
    assert_eq!(alpha.process().wait_exit().code(), Some(0));
}

#[test]
fn whoever_leaves_is_sent_no_more_by_way_of_its_groups() {
    let mut alpha = busy();
    let rest = format!("peers = [{:?}]\n[runtime]\nstate_dir = \"state\"\n", alpha.address());
    let beta = HostNode::start("beta", &rest);
    let groups = |of: &HostNode| json(of, &["groups"])[0]["groups"].to_string();
    wait::until(
        "the group of the other node",
        || groups(&beta),
        |groups| groups.contains("alpha@localhost"),
    );
    assert_eq!(at(&alpha, &["drain"]).answer(), "alpha@localhost leaves");
    // The counter is still there, and in its group.
    wait::until(
        "it to have no member there",
        || groups(&beta),
        |groups| !groups.contains("alpha@localhost"),
    );
    assert!(
        groups(&alpha).contains("\"here\":1"),
        "within the node the group is as it was"
    );
    alpha.process().kill();
}
