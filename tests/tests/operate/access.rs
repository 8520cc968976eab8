//! Who may do what by the admin HTTP, and what strangers can make a node do.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use ractor_host_tests::certificates::Ca;
use ractor_host_tests::cli::end;
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;
use serde_json::json;

use crate::http::{admin_node, ask, bearer, get, post, url};
use crate::operator::{at, json};

const ALL: [&str; 3] = ["observe", "operate", "deploy"];

#[test]
fn a_token_allows_what_its_role_does() {
    let mut alpha = admin_node("alpha", &ALL, "");
    let url = url(&mut alpha);
    let cast = json!({"target": "counter", "message": "Add", "arguments": [1]});
    for (role, path, body, expected) in [
        (None, "v1/actors", None, (401, "no-token")),
        (None, "metrics", None, (401, "no-token")),
        (None, "v1/cast", Some(&cast), (401, "no-token")),
        (Some("observe"), "v1/cast", Some(&cast), (403, "role")),
        (
            Some("operate"),
            "v1/modules/counter/rollback",
            Some(&json!({})),
            (403, "role"),
        ),
        (
            Some("observe"),
            "v1/ask",
            Some(&json!({"ask": "rollback", "id": "00ff00ff00ff00ff", "module": "counter"})),
            (403, "role"),
        ),
    ] {
        let to = format!("{url}/{path}");
        let answered = match body {
            Some(body) => post(&to, role, body),
            None => get(&to, role),
        };
        let (status, kind, detail) = answered.problem();
        assert_eq!((status, kind.as_str()), expected, "{role:?} {path}: {detail}");
        assert!(detail.contains("_token_file` in [admin]"), "{detail}");
    }
    for role in ALL {
        assert_eq!(get(&format!("{url}/v1/actors"), Some(role)).status, 200);
    }
    assert_eq!(post(&format!("{url}/v1/cast"), Some("deploy"), &cast).status, 200);
}

#[test]
fn without_tokens_this_machine_may_look_and_nothing_more() {
    let mut alpha = admin_node("alpha", &[], "");
    let url = url(&mut alpha);
    assert_eq!(get(&format!("{url}/v1/actors"), None).status, 200);
    let cast = json!({"target": "counter", "message": "Add", "arguments": [1]});
    let (status, kind, detail) = post(&format!("{url}/v1/cast"), None, &cast).problem();
    assert_eq!((status, kind.as_str()), (403, "role"));
    assert!(detail.contains("operate_token_file"), "{detail}");
}

#[test]
fn a_wrong_token_is_refused_and_a_flood_of_them_is_one_line_of_the_log() {
    let mut alpha = admin_node("alpha", &ALL, "");
    let url = url(&mut alpha);
    for wrong in ["Bearer wrong", "Basic b2JzZXJ2ZQ==", "Bearer ", ""] {
        for path in ["healthz", "v1/actors"] {
            let answered = ask("GET", &format!("{url}/{path}"), &[("authorization", wrong)], None);
            let (status, kind, _) = answered.problem();
            assert_eq!((status, kind.as_str()), (401, "wrong-token"), "{wrong}");
            assert_eq!(answered.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        }
    }
    let turned_away = |log: &Vec<String>| log.iter().filter(|line| line.contains("was turned away")).count();
    let log = wait::until(
        "a line of the log",
        || alpha.process().lines(Stream::Stderr),
        |log| turned_away(log) > 0,
    );
    // Two only if all of this took longer than the log is silent for.
    assert!(turned_away(&log) <= 2, "{log:?}");
    assert!(!log.iter().any(|line| line.contains("b2JzZXJ2ZQ")), "{log:?}");
}

#[test]
fn pages_of_other_sites_get_nothing_from_a_node_on_this_machine() {
    let mut alpha = admin_node("alpha", &["observe"], "allowed_hosts = [\"Node.example\"]");
    let url = url(&mut alpha);
    let token = bearer(Some("observe")).expect("a token");
    let own = url.as_str();
    let (_, port) = own.rsplit_once(':').expect("a port");
    let of_localhost = format!("localhost:{port}");
    for (headers, expected) in [
        (&[("host", "evil.example")][..], (421, "host")),
        (&[("host", "127.0.0.1.evil.example:80")], (421, "host")),
        (&[("origin", "http://evil.example")], (403, "foreign-origin")),
        (&[("origin", "null")], (403, "foreign-origin")),
        (&[("origin", "http://127.0.0.1:1")], (403, "foreign-origin")),
        (
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "empty")],
            (403, "foreign-origin"),
        ),
        (
            &[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "script")],
            (403, "foreign-origin"),
        ),
    ] {
        let headers = [headers, &[("authorization", token.as_str())]].concat();
        let (status, kind, _) = ask("GET", &format!("{url}/v1/actors"), &headers, None).problem();
        assert_eq!((status, kind.as_str()), expected, "{headers:?}");
    }
    for headers in [
        &[("host", of_localhost.as_str())][..],
        &[("host", "node.example")],
        &[("origin", own)],
        &[("sec-fetch-site", "same-origin")],
        // Somebody has followed a link.
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")],
    ] {
        let headers = [headers, &[("authorization", token.as_str())]].concat();
        let answered = ask("GET", &format!("{url}/v1/actors"), &headers, None);
        assert_eq!(answered.status, 200, "{headers:?}: {}", answered.body);
        assert_eq!(answered.header("access-control-allow-origin"), "");
        assert_eq!(answered.header("x-content-type-options"), "nosniff");
        assert_eq!(answered.header("cache-control"), "no-store");
        assert_eq!(
            answered.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
    }
    // What a browser asks before it sends JSON for another site.
    let preflight = [("origin", own), ("access-control-request-method", "POST")];
    let refused = ask("OPTIONS", &format!("{url}/v1/cast"), &preflight, None);
    assert_eq!(refused.status, 405);
    assert_eq!(refused.header("access-control-allow-methods"), "");
}

#[test]
fn what_is_no_request_for_the_node_is_explained() {
    let mut alpha = admin_node("alpha", &ALL, "");
    let url = url(&mut alpha);
    let token = bearer(Some("deploy")).expect("a token");
    let deploy = ("authorization", token.as_str());
    let json_type = ("content-type", "application/json");
    let large = vec![b' '; (5 << 20) + 1];
    for (method, path, headers, body, expected) in [
        ("GET", "nothing", &[deploy][..], None, (404, "not-found")),
        ("GET", "page/nothing.js", &[deploy], None, (404, "not-found")),
        ("GET", "v2/actors", &[deploy], None, (404, "not-found")),
        (
            "POST",
            "v1/actors",
            &[deploy, json_type],
            Some(&b"{}"[..]),
            (405, "method"),
        ),
        ("GET", "v1/call", &[deploy], None, (405, "method")),
        ("POST", "v1/call", &[deploy], Some(b"{}"), (415, "media-type")),
        (
            "POST",
            "v1/call",
            &[deploy, ("content-type", "text/plain")],
            Some(b"{}"),
            (415, "media-type"),
        ),
        (
            "POST",
            "v1/call",
            &[deploy, json_type],
            Some(b"{"),
            (400, "bad-request"),
        ),
        (
            "POST",
            "v1/call",
            &[deploy, json_type],
            Some(b"\xff\xfe"),
            (400, "bad-request"),
        ),
        (
            "POST",
            "v1/call",
            &[deploy, json_type],
            Some(&large),
            (413, "too-large"),
        ),
        (
            "POST",
            "v1/ask",
            &[deploy, json_type],
            Some(b"{\"ask\":\"nothing\"}"),
            (400, "bad-request"),
        ),
        ("GET", "v1/requests/12", &[deploy], None, (400, "bad-request")),
        (
            "GET",
            "v1/requests/0000000000000001",
            &[deploy],
            None,
            (404, "no-record"),
        ),
        (
            "PUT",
            "v1/components/sha256:00?offset=0",
            &[deploy],
            Some(b"x"),
            (400, "bad-request"),
        ),
        (
            "POST",
            "v1/modules/counter/reload",
            &[deploy, json_type],
            Some(b"{\"digest\":\"md5:0\"}"),
            (400, "bad-request"),
        ),
        (
            "POST",
            "v1/modules/counter/reload",
            &[deploy, json_type],
            Some(b"{\"mode\":\"hope\"}"),
            (400, "bad-request"),
        ),
    ] {
        let (status, kind, detail) = ask(method, &format!("{url}/{path}"), headers, body).problem();
        assert_eq!((status, kind.as_str()), expected, "{method} {path}: {detail}");
        assert!(!detail.is_empty(), "{method} {path}");
    }
    assert_eq!(get(&format!("{url}/v1/actors"), Some("observe")).status, 200);
}

#[test]
fn what_is_not_http_ends_its_connection_alone() {
    let mut alpha = admin_node("alpha", &[], "");
    let url = url(&mut alpha);
    let address = url.strip_prefix("http://").expect("an address");
    let endless = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ".as_slice(),
        &[b'x'; 64 << 10],
    ]
    .concat();
    for (bytes, expected) in [
        (&b"\x16\x03\x01\0\0"[..], "HTTP/1.1 400"),
        (b"nonsense\r\n\r\n", "HTTP/1.1 400"),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 400",
        ),
        (&endless, "HTTP/1.1 431"),
    ] {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
        // What isn't read before the answer may come back as an error.
        stream.write_all(bytes).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with(expected),
            "{:?}: {answer}",
            String::from_utf8_lossy(bytes.get(..20).unwrap_or(bytes))
        );
    }
    assert_eq!(get(&format!("{url}/healthz"), None).status, 200);
}

/// What a new connection gets for this request, in so much time.
fn answer(address: &str, request: &str, patience: Duration) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(patience)).expect("a timeout");
    stream.write_all(request.as_bytes()).ok();
    let mut answer = String::new();
    // However it ends, what came of it came.
    stream.read_to_string(&mut answer).ok();
    answer
}

#[test]
fn a_thousand_connections_are_bounded_and_cost_the_actors_nothing() {
    const PROBE: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut alpha = admin_node("alpha", &[], "");
    let url = url(&mut alpha);
    let address = url.strip_prefix("http://").expect("an address");
    let idle: Vec<TcpStream> = (0..1000)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    // Far less than the time that an idle connection has.
    let probed = answer(address, PROBE, Duration::from_secs(10));
    assert!(probed.starts_with("HTTP/1.1 200"), "{probed}");
    let open_files = json(&alpha, &["node"])[0]["process"]["open_files"].as_u64();
    assert!(open_files.is_some_and(|files| files < 400), "{open_files:?}");
    // Requests that are being worked on, one for each place: none of them gives way.
    const HALF: &str =
        "POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    let half = || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(HALF.as_bytes()).expect("a request");
        stream
    };
    let mut busy: Vec<TcpStream> = (0..256).map(|_| half()).collect();
    let full = wait::until(
        "a connection that there is no room for",
        || {
            let answered = answer(address, "", wait::POLL);
            // This one may have taken the place of one whose request was not read yet.
            busy.push(half());
            answered
        },
        |answer| !answer.is_empty(),
    );
    assert!(full.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{full}");
    assert!(full.contains("urn:ractor-host:problem:busy"), "{full}");
    assert!(at(&alpha, &["ps"]).answer().contains("counter"));
    drop((idle, busy));
    wait::until(
        "the node to have room again",
        || answer(address, PROBE, wait::PATIENCE),
        |answer| answer.starts_with("HTTP/1.1 200"),
    );
}

#[test]
fn a_certificate_proves_a_role_where_there_is_a_ca() {
    let (ca, foreign) = (Ca::new("operators"), Ca::new("others"));
    let (server, client, stranger) = (ca.issue(&ca), ca.issue(&ca), foreign.issue(&ca));
    let tls = server.node_toml().replace("[node.tls]", "[admin.tls]") + "client_role = \"operate\"\n";
    let mut alpha = admin_node("alpha", &[], &tls);
    let url = url(&mut alpha);
    assert!(url.starts_with("https://"), "{url}");
    let curl = |more: &[String], path: &str| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--cacert"]).arg(client.ca());
        command
            .args(more)
            .arg(format!("{}{path}", url.replace("127.0.0.1", "localhost")));
        end("curl", &mut command)
    };
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("NOT TESTED with certificates: that takes curl");
        return;
    }
    let shown = |certificates: &ractor_host_tests::certificates::Certificates| {
        let file = |name: &str| certificates.ca().with_file_name(name).display().to_string();
        vec![
            "--cert".to_owned(),
            file("cert.pem"),
            "--key".to_owned(),
            file("key.pem"),
        ]
    };
    let body = [
        "--json",
        r#"{"target":"counter","message":"AddAndGet","arguments":[5]}"#,
    ]
    .map(str::to_owned);
    let called = curl(&[shown(&client), body.to_vec()].concat(), "/v1/call");
    assert!(
        called.answer().contains(r#""reply":5"#),
        "{}{}",
        called.stdout,
        called.stderr
    );
    for refused in [curl(&[], "/v1/actors"), curl(&shown(&stranger), "/v1/actors")] {
        assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    }
}
