//! A request ends with the guest that sent it, however that ends.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::web::WebServer;

use super::{ask, cast, fetcher, get, granted, is_back, is_logged, node, others_go_on, reply, with};

#[test]
fn a_stop_ends_the_requests_of_a_guest() {
    let server = WebServer::start();
    let node = node(&server, "");
    assert_eq!(ask(&node, "fetcher", &["Begin", &server.url("/never"), "3"]), "3");
    server.wait_open(3);
    cast(&node, &["fetcher", "Stop"]);
    server.wait_open(0);
    others_go_on(&node, &server);
}

#[test]
fn a_kill_ends_a_request_that_is_waited_for() {
    let server = WebServer::start();
    let rest = format!("capabilities = {{ spawn = [\"fetch\"], {} }}", granted(&server));
    let node = HostNode::start(
        "alpha",
        &with("", &[fetcher("fetcher", &rest), fetcher("bystander", &rest)]),
    );
    ask(&node, "fetcher", &["Send", &server.url("/never")]);
    server.wait_open(1);
    ask(&node, "fetcher", &["KillChild"]);
    server.wait_open(0);
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
    others_go_on(&node, &server);
}

#[test]
fn a_guest_that_traps_is_restarted_without_its_requests() {
    let server = WebServer::start();
    let node = node(&server, "http_requests = 3");
    assert_eq!(ask(&node, "fetcher", &["Begin", &server.url("/never"), "3"]), "3");
    server.wait_open(3);
    cast(&node, &["fetcher", "Trap"]);
    server.wait_open(0);
    is_back(&node, &server);
    others_go_on(&node, &server);
}

#[test]
fn a_message_that_waits_too_long_fails_with_its_request() {
    let server = WebServer::start();
    let mut node = node(&server, "message_time = \"500ms\"");
    assert_eq!(reply(&node, "fetcher", &["Get", &server.url("/never")]), None);
    is_logged(&mut node, &["actor \"fetcher\"", "message_time"]);
    server.wait_open(0);
    is_back(&node, &server);
    others_go_on(&node, &server);
}

#[test]
fn a_node_that_is_stopped_ends_all_requests() {
    let server = WebServer::start();
    let mut node = node(&server, "");
    assert_eq!(ask(&node, "fetcher", &["Begin", &server.url("/never"), "3"]), "3");
    server.wait_open(3);
    node.process().signal(ractor_host_tests::process::Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
    server.wait_open(0);
}
