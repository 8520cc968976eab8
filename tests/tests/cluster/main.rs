//! Nodes that find each other through a PostgreSQL that is killed meanwhile.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod entities;
mod on_demand;
mod ring;
mod rolling;

use std::collections::BTreeMap;
use std::net::TcpListener;

use postgres_server::Server;
use ractor_host_tests::cli::{self, Ended};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter, node_toml};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::{COOKIE, programs, wait};
use serde_json::Value;

/// The variable that the nodes find the URL in.
const VARIABLE: &str = "RACTOR_TEST_STORE";

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn cluster(port: u16) -> String {
    format!(
        "[cluster]\nstore_env = \"{VARIABLE}\"\nadvertise = \"127.0.0.1:{port}\"\nlease = \"3s\"\nlabels = {{ zone = \"b\" }}\n"
    )
}

/// A node with a counter of its name in the group `counters`, and no `peers`.
fn start(name: &str, number: u64, url: &str) -> HostNode {
    let port = free_port();
    let counter = guest_counter(&format!("counter-{name}"), "counters", number);
    let rest = format!("{}[runtime]\nstate_dir = \"state\"\n{counter}", cluster(port));
    HostNode::start_by(name, COOKIE, &rest, |mut command| {
        let listen = format!("node.listen=\"127.0.0.1:{port}\"");
        command.args(["--set", &listen]).env(VARIABLE, url);
        Process::start(&format!("{name} (ractor-host run)"), &mut command)
    })
}

/// The nodes that this one has sessions with, and the numbers of these.
fn links(node: &HostNode) -> BTreeMap<String, u64> {
    let mut command = programs::ractor_host();
    command
        .current_dir(node.file(""))
        .env(VARIABLE, "postgres://nobody@127.0.0.1/nothing");
    command.args(["nodes", "--output", "json"]);
    let ended = cli::end("ractor-host nodes", &mut command);
    let all: Value = serde_json::from_str(ended.answer()).unwrap();
    let links = all[0]["links"].as_array().unwrap();
    let link = |link: &Value| {
        (
            link["name"].as_str().unwrap().to_owned(),
            link["session"].as_u64().unwrap(),
        )
    };
    // The command itself is none.
    links
        .iter()
        .map(link)
        .filter(|(name, _)| name.ends_with("@localhost"))
        .collect()
}

fn names(node: &HostNode) -> Vec<String> {
    links(node).into_keys().collect()
}

/// What the counters of other nodes have together, as one node's counter learns it from their group.
fn sum(node: &HostNode, name: &str) -> Ended {
    let counter = format!("counter-{name}");
    cli::message(
        "call",
        node.address(),
        &node.cookie_file(),
        &[&counter, "SumOf", "str:counters", "--reply", "u64"],
    )
}

/// A command about the store of this node.
fn store(verb: &str, node_toml: &std::path::Path, url: &str) -> Ended {
    let mut command = programs::ractor_host();
    command.args(["store", verb]).arg(node_toml).env(VARIABLE, url);
    cli::end(&format!("ractor-host store {verb}"), &mut command)
}

#[test]
fn three_nodes_find_each_other_and_notice_neither_the_end_of_the_store_nor_its_return() {
    let Some(mut server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let alpha = start("alpha", 1, &url);
    let beta = start("beta", 10, &url);
    let mut gamma = start("gamma", 100, &url);
    let others = ["beta@localhost", "gamma@localhost"];
    wait::until("the sessions of alpha", || names(&alpha), |names| *names == others);
    wait::until(
        "the sessions of beta",
        || names(&beta),
        |names| *names == ["alpha@localhost", "gamma@localhost"],
    );
    wait::until(
        "the counters of all",
        || sum(&alpha, "alpha").stdout,
        |said| said.trim() == "110",
    );
    let status = store("status", &alpha.file("node.toml"), &url);
    for said in [
        "PostgreSQL",
        "node alpha@localhost at 127.0.0.1:",
        "node gamma@localhost",
        "no standby is synchronous",
    ] {
        assert!(status.answer().contains(said), "{said}: {}", status.stdout);
    }
    let before = links(&alpha);

    server.kill();
    // For longer than any lease: each node says that it is away, and goes on.
    let says = "the store of the cluster can't be asked";
    gamma
        .process()
        .wait_line(Stream::Stderr, 0, "the outage", |line| line.contains(says));
    let begun = std::time::Instant::now();
    wait::until(
        "the outage to be longer than a lease",
        || {
            assert_eq!(sum(&alpha, "alpha").stdout.trim(), "110");
            begun.elapsed().as_secs()
        },
        |seconds| *seconds >= 8,
    );
    assert_eq!(links(&alpha), before);
    let refused = store("status", &alpha.file("node.toml"), &url);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("no connection to PostgreSQL"),
        "{}",
        refused.stderr
    );

    server.run();
    let says = "answers again";
    gamma
        .process()
        .wait_line(Stream::Stderr, 0, "the return", |line| line.contains(says));
    assert_eq!(links(&alpha), before);

    // A node that dies is ended by the others, and its place in the store is free.
    gamma.process().kill();
    let listed = || store("status", &alpha.file("node.toml"), &url).stdout;
    wait::until("the end of gamma", listed, |said| !said.contains("gamma@localhost"));
    assert_eq!(names(&alpha), ["beta@localhost"]);
    assert_eq!(sum(&alpha, "alpha").stdout.trim(), "10");
}

#[test]
fn a_node_starts_without_its_store_and_joins_when_that_is_there() {
    let Some(mut server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    server.stop();
    let mut alpha = start("alpha", 1, &url);
    let says = "the cluster can't be joined yet";
    alpha
        .process()
        .wait_line(Stream::Stderr, 0, "why it hasn't joined", |line| line.contains(says));
    server.run();
    let beta = start("beta", 10, &url);
    wait::until(
        "the sessions of alpha",
        || names(&alpha),
        |names| *names == ["beta@localhost"],
    );
    // One that stops in order is not waited for: its row is gone before a lease is over.
    let mut beta = beta;
    beta.process().signal(Signal::TERM);
    beta.process().wait_exit();
    let listed = store("status", &alpha.file("node.toml"), &url).stdout;
    assert!(!listed.contains("beta@localhost"), "{listed}");
}

#[test]
fn what_is_wrong_with_a_cluster_is_said_and_its_password_is_not() {
    let folder = NodeFolder::new(&node_toml("alpha", &cluster(4_697)), "sixteen bytes and more");
    let path = folder.path("node.toml");
    let check = |url: &str| {
        let mut command = programs::ractor_host();
        command.arg("check").arg(&path).env(VARIABLE, url);
        cli::end("ractor-host check", &mut command)
    };
    let good = check("postgres://ann:s3cret@db.internal/app");
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert!(
        good.stdout.contains("store db.internal:5432/app, not asked"),
        "{}",
        good.stdout
    );
    let bad = check("mysql://ann:s3cret@db.internal/app");
    assert_eq!(bad.code, Some(2));
    assert!(bad.stderr.contains("isn't written as `postgres://"), "{}", bad.stderr);
    for said in [&good.stdout, &good.stderr, &bad.stdout, &bad.stderr] {
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn the_tables_are_made_ahead_and_a_doctor_looks_at_the_store() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let folder = NodeFolder::new(&node_toml("alpha", &cluster(4_697)), "sixteen bytes and more");
    let path = folder.path("node.toml");
    let doctor = || {
        let mut command = programs::ractor_host();
        command.args(["doctor", "-f"]).arg(&path).env(VARIABLE, &url);
        cli::end("ractor-host doctor", &mut command).stdout
    };
    assert!(doctor().contains("the first node makes them"), "{}", doctor());
    let made = store("init", &path, &url);
    assert!(
        made.answer().contains("the tables are made, version 2"),
        "{}",
        made.stdout
    );
    let again = store("init", &path, &url);
    assert!(
        again.answer().contains("the tables are there, version 2"),
        "{}",
        again.stdout
    );
    let said = doctor();
    assert!(
        said.contains("no standby is synchronous") && !said.contains("makes them"),
        "{said}"
    );
}
