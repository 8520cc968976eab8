//! Servers that misbehave: the guest hears an error, and the node goes on.

use std::net::TcpListener;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::Stream;
use ractor_host_tests::web::WebServer;

use super::{ask, fetcher, get, is_logged, node, others_go_on, with};

const MIB: u64 = 1 << 20;

/// The additional memory that a node may have after it was flooded: what its guests and their reading take for a while.
const SLACK: u64 = 48 * MIB;

#[test]
fn a_server_that_never_answers_is_not_waited_for_long() {
    let server = WebServer::start();
    let mut node = node(&server, "http_wait = \"200ms\"");
    for path in ["/never", "/stuck", "/continue"] {
        let failed = get(&node, "fetcher", &server.url(path));
        assert!(failed.ends_with("ConnectionReadTimeout"), "{path}: {failed}");
        server.wait_open(0);
    }
    is_logged(&mut node, &["actor=\"fetcher\"", "limit=\"http_wait\""]);
    // A guest may have less patience than that.
    let failed = ask(&node, "bystander", &["GetWithin", &server.url("/never"), "50"]);
    assert!(failed.ends_with("ConnectionReadTimeout"), "{failed}");
    let strikes = node.process().lines(Stream::Stderr);
    let struck = |line: &&String| line.contains("actor=\"bystander\"") && line.contains("http_wait");
    assert_eq!(strikes.iter().find(struck), None, "nobody's limit but its own wish");
    others_go_on(&node, &server);
}

#[test]
fn a_handshake_that_never_ends_is_not_waited_for_long() {
    // The system accepts for it, and it says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("https://{}", listener.local_addr().expect("an address"));
    let rest = format!("capabilities = {{ http = [\"{silent}\"] }}\nlimits = {{ http_wait = \"200ms\" }}");
    let node = HostNode::start("alpha", &with("", &[fetcher("fetcher", &rest)]));
    let failed = get(&node, "fetcher", &silent);
    assert!(failed.ends_with("ConnectionTimeout"), "{failed}");
}

#[test]
fn floods_end_at_the_limits_and_leave_nothing_behind() {
    let server = WebServer::start();
    let mut node = node(&server, "http_response_bytes = \"1MiB\"");
    let flood = |node: &_| {
        let failed = get(node, "fetcher", &server.url("/flood"));
        assert!(failed.contains("HttpResponseBodySize"), "{failed}");
        let failed = get(node, "fetcher", &server.url("/headers"));
        assert!(failed.contains("HttpResponseHeaderSectionSize"), "{failed}");
        server.wait_open(0);
    };
    flood(&node);
    let before = node.process().memory();
    for _ in 0..10 {
        flood(&node);
    }
    let after = node.process().memory();
    assert!(after < before + SLACK, "{before} bytes have become {after}");
    is_logged(&mut node, &["actor=\"fetcher\"", "limit=\"http_response_bytes\""]);
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
    others_go_on(&node, &server);
}

#[test]
fn what_is_not_http_is_an_error() {
    let server = WebServer::start();
    let node = node(&server, "");
    for (path, code) in [("/short", "HttpResponseIncomplete"), ("/nonsense", "HttpProtocolError")] {
        let failed = get(&node, "fetcher", &server.url(path));
        assert!(failed.ends_with(code), "{path}: {failed}");
    }
    others_go_on(&node, &server);
}

#[test]
fn nobody_there_is_an_error() {
    let server = WebServer::start();
    // The port of somebody who has gone.
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let nobody = format!("http://127.0.0.1:{port}");
    let rest = format!(
        "capabilities = {{ http = [\"{nobody}\", \"http://no-such-host.invalid\", \"{}\"] }}",
        server.url("")
    );
    let node = HostNode::start("alpha", &with("", &[fetcher("fetcher", &rest)]));
    let failed = get(&node, "fetcher", &nobody);
    assert!(failed.ends_with("ConnectionRefused"), "{failed}");
    let failed = get(&node, "fetcher", "http://no-such-host.invalid/");
    assert!(failed.contains("DnsError"), "{failed}");
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
}
