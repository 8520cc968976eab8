//! What a guest may take for its requests.

use ractor_host_tests::wait;
use ractor_host_tests::web::WebServer;

use super::{ask, cast, get, is_back, is_logged, node, others_go_on, reply};

#[test]
fn requests_at_once_are_limited() {
    let server = WebServer::start();
    let mut node = node(&server, "http_requests = 4");
    let never = server.url("/never");
    let begun = ask(&node, "fetcher", &["Begin", &never, "1000"]);
    assert!(
        begun.starts_with("4, then ") && begun.ends_with("ConnectionLimitReached"),
        "{begun}"
    );
    server.wait_open(4);
    let refused = get(&node, "fetcher", &server.url("/hello"));
    assert!(refused.ends_with("ConnectionLimitReached"), "{refused}");
    is_logged(&mut node, &["actor=\"fetcher\"", "limit=\"http_requests\""]);
    others_go_on(&node, &server);
    // What is given up makes room.
    ask(&node, "fetcher", &["Forget"]);
    server.wait_open(0);
    wait::until(
        "room for a request",
        || get(&node, "fetcher", &server.url("/hello")),
        |answer| answer == "200 hello",
    );
}

#[test]
fn requests_that_were_answered_make_room_for_others() {
    let server = WebServer::start();
    let node = node(&server, "http_requests = 2");
    for path in ["/hello", "/redirect", "/short", "/nonsense"].repeat(3) {
        let answer = get(&node, "fetcher", &server.url(path));
        assert!(!answer.ends_with("ConnectionLimitReached"), "{path}: {answer}");
    }
    server.wait_open(0);
}

#[test]
fn requests_that_are_given_up_leave_nothing_behind() {
    let server = WebServer::start();
    let node = node(&server, "http_requests = 4");
    let begun = ask(&node, "fetcher", &["GiveUp", &server.url("/never"), "2000"]);
    assert!(begun.parse::<u32>().is_ok_and(|begun| begun >= 4), "{begun}");
    server.wait_open(0);
    wait::until(
        "room for a request",
        || get(&node, "fetcher", &server.url("/hello")),
        |answer| answer == "200 hello",
    );
    others_go_on(&node, &server);
}

#[test]
fn bodies_that_are_too_large_are_not_sent() {
    let server = WebServer::start();
    let mut node = node(&server, "http_request_bytes = \"64KiB\"");
    let echo = server.url("/echo");
    let sent = ask(&node, "fetcher", &["Upload", &echo, "65536"]);
    assert_eq!(sent.len(), "200 POST ".len() + 65536);
    let refused = ask(&node, "fetcher", &["Upload", &echo, "65537"]);
    assert!(refused.contains("HttpRequestBodySize"), "{refused}");
    is_logged(&mut node, &["actor=\"fetcher\"", "limit=\"http_request_bytes\""]);
    server.wait_open(0);
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
    others_go_on(&node, &server);
}

#[test]
fn headers_are_hoarded_within_the_limit_on_handles() {
    let server = WebServer::start();
    let mut node = node(&server, "handles = 256");
    cast(&node, &["fetcher", "Hoard", "8192"]);
    is_logged(&mut node, &["actor \"fetcher\"", "256 live handles (handles)"]);
    is_back(&node, &server);
    others_go_on(&node, &server);
}

#[test]
fn headers_that_are_too_large_fail_the_guest() {
    let server = WebServer::start();
    let mut node = node(&server, "http_header_bytes = \"8KiB\"");
    let hello = server.url("/hello");
    assert_eq!(ask(&node, "fetcher", &["GetWithHeader", &hello, "4096"]), "200 hello");
    assert_eq!(reply(&node, "fetcher", &["GetWithHeader", &hello, "16384"]), None);
    is_logged(&mut node, &["actor \"fetcher\"", "http_header_bytes"]);
    is_back(&node, &server);
    others_go_on(&node, &server);
}
