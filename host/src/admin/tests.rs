//! The admin HTTP without a node behind it: what it says while a node comes and goes, and how long it waits for clients.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::feed::Feed;
use super::openapi::DOCUMENT;
use super::server::{AdminServer, AdminSetup};
use super::state::{AdminNode, Health, Proofs, ProofsInForce};
use super::token::{AdminToken, Tokens};
use crate::control::idle::Idle;
use crate::control::{Asker, GivenUpStatus, RequestWorker, Role};
use crate::directory::BoxFuture;
use crate::metrics::Collector;

const IDLE: Idle = Idle { node: "idle@localhost" };

/// A node that has given up an actor.
struct GaveUp;

impl Health for GaveUp {
    fn given_up(&self) -> Vec<GivenUpStatus> {
        vec![GivenUpStatus {
            actor: "worker".to_owned(),
            supervisor: "root".to_owned(),
            reason: "too many restarts".to_owned(),
        }]
    }

    fn not_joined(&self) -> Option<String> {
        None
    }

    fn sessions(&self) -> BoxFuture<'_, Result<BTreeSet<String>, String>> {
        Box::pin(async { Ok(BTreeSet::new()) })
    }
}

async fn server(anonymous: Option<Role>) -> AdminServer {
    server_for(ProofsInForce {
        tokens: Tokens::default(),
        anonymous,
    })
    .await
}

async fn server_for(proofs: ProofsInForce) -> AdminServer {
    let setup = AdminSetup {
        node_name: "idle@localhost".to_owned(),
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        proofs: Proofs::new(proofs),
        client_role: None,
        allowed_hosts: Vec::new(),
        required_peers: Vec::new(),
        tls: None,
        metrics: None,
    };
    AdminServer::listen(setup).await.unwrap()
}

fn open(server: &AdminServer) -> Arc<RequestWorker> {
    let worker = Arc::new(RequestWorker::new(Arc::new(IDLE), None));
    server.open(AdminNode {
        worker: worker.clone(),
        health: Box::new(GaveUp),
        collector: Mutex::new(Collector::new(Arc::new(IDLE))),
        feed: Feed::new(Arc::new(IDLE)),
    });
    worker
}

/// The status and the body of the answer.
async fn ask(server: &AdminServer, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n\
         {body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    if path == "/v1/stream" {
        // It goes on; its head and its first event say enough.
        let mut bytes = Vec::new();
        while !bytes.windows(6).any(|six| six == b"data: ") && stream.read_buf(&mut bytes).await.unwrap() > 0 {}
        answer = String::from_utf8(bytes).unwrap();
    } else {
        stream.read_to_string(&mut answer).await.unwrap();
    }
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn slow_bodies_of_those_who_may_only_look_keep_nobody_else_waiting() {
    let token = AdminToken::from_variable("TOKEN", Ok("operate-0123456789abcdef".to_owned())).unwrap();
    let server = server_for(ProofsInForce {
        tokens: Tokens::new([(Role::Operate, &token)]),
        anonymous: Some(Role::Observe),
    })
    .await;
    open(&server);
    let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let begun = format!("POST /v1/ask {head}Content-Length: 10\r\n\r\n{{");
        stream.write_all(begun.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let cast = r#"{"target":"a","message":"B"}"#;
    let request = format!(
        "POST /v1/cast {head}Authorization: Bearer operate-0123456789abcdef\r\nContent-Length: {}\r\n\r\n{cast}",
        cast.len()
    );
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    // Well below the time that the others have for theirs.
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .unwrap()
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn whoever_asks_is_told_that_a_node_comes_and_that_it_goes() {
    let server = server(Some(Role::Deploy)).await;
    let starting = (503, "not ready\nthe node is starting\n".to_owned());
    assert_eq!(ask(&server, "GET", "/readyz", "").await, starting);
    let (status, body) = ask(&server, "GET", "/v1/status", "").await;
    assert!(status == 503 && body.contains("problem:starting"), "{status} {body}");
    open(&server);
    let given_up = (503, "not ready\nactor worker: too many restarts\n".to_owned());
    assert_eq!(ask(&server, "GET", "/readyz", "").await, given_up);
    let cast = r#"{"target":"a","message":"B"}"#;
    assert_eq!(
        ask(&server, "POST", "/v1/cast", cast).await,
        (200, r#"{"actors":0}"#.to_owned())
    );
    server.drain();
    let (status, body) = ask(&server, "GET", "/readyz", "").await;
    assert!(
        status == 503 && body.contains("the node is stopping"),
        "{status} {body}"
    );
    assert_eq!(
        ask(&server, "GET", "/v1/status", "").await.0,
        200,
        "it can still be looked at"
    );
    let (status, body) = ask(&server, "POST", "/v1/cast", cast).await;
    assert!(status == 503 && body.contains("problem:stopping"), "{status} {body}");
    let address = server.address();
    server.close().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_go_on_is_cut_off() {
    let server = server(Some(Role::Deploy)).await;
    open(&server);
    for (sent, expected) in [
        ("", ""),
        ("GET /healthz HTTP/1.1\r\nHost: local", ""),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200"),
        (
            "POST /v1/cast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
            "HTTP/1.1 408",
        ),
    ] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends when the server ends it, however that looks from here.
        stream.read_to_end(&mut answer).await.ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with(expected) && (!expected.is_empty() || answer.is_empty()),
            "{sent}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_waits_for_nothing_any_more() {
    let server = server(Some(Role::Observe)).await;
    let worker = open(&server);
    let observer = Asker::Elsewhere(Role::Observe);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = "GET /v1/events?next=0&wait_ms=25000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    while worker.waiting(observer) == 0 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let gone = async {
        while worker.waiting(observer) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // Far less than it asked to wait.
    tokio::time::timeout(Duration::from_secs(15), gone).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_as_a_problem_with_a_fitting_status() {
    let server = server(Some(Role::Deploy)).await;
    open(&server);
    for (method, path, body, expected) in [
        ("GET", "/v1/actors/%FF", "", (400, "problem:bad-request")),
        ("GET", "/page/%FF", "", (400, "problem:bad-request")),
        ("GET", "/v1/actors/nobody", "", (404, "problem:no-target")),
        (
            "POST",
            "/v1/loglevels",
            r#"{"change":"reset","second":5}"#,
            (400, "problem:bad-request"),
        ),
        (
            "POST",
            "/v1/loglevels",
            r#"{"change":"all","directive":"info","seconds":5}"#,
            (409, "it was asked"),
        ),
        (
            "POST",
            "/v1/loglevels",
            r#"{"change":"actor","actor":"a","level":"debug"}"#,
            (409, "it was asked"),
        ),
    ] {
        let (status, answer) = ask(&server, method, path, body).await;
        assert!(
            status == expected.0 && answer.contains(expected.1),
            "{method} {path} {body}: {status} {answer}"
        );
    }
}

/// Asks on a connection of its own, and reads until this is there.
async fn begin(server: &AdminServer, path: &str, until: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(until) && stream.read_buf(&mut answer).await.unwrap() > 0 {}
    stream
}

#[tokio::test]
async fn connections_that_do_nothing_keep_nobody_out_and_end_no_answer_that_goes_on() {
    let server = server(Some(Role::Deploy)).await;
    let worker = open(&server);
    let mut live = begin(&server, "/v1/stream", "data: ").await;
    let _waits = begin(&server, "/v1/events?next=0&wait_ms=25000", "").await;
    while worker.waiting(Asker::Elsewhere(Role::Deploy)) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut idle = Vec::new();
    for number in 0..400 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        // Some have said nothing, and some not all of it.
        if number % 2 == 0 {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: lo").await.unwrap();
        }
        idle.push(stream);
    }
    let asked = tokio::time::timeout(Duration::from_secs(10), ask(&server, "GET", "/healthz", ""));
    assert_eq!(asked.await.expect("it answers at once").0, 200);
    // Those that came first have ended; the places are no more than they were.
    let mut left = 0;
    for (number, stream) in idle.iter_mut().enumerate() {
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read_u8());
        let is_open = read.await.is_err();
        left += usize::from(is_open);
        assert!(
            !is_open || number >= 400 - 254,
            "{number} is older than others that ended"
        );
    }
    assert!((200..=254).contains(&left), "{left}");
    assert_eq!(worker.waiting(Asker::Elsewhere(Role::Deploy)), 1, "it waits still");
    server.close().await;
    let mut rest = String::new();
    live.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("the node has stopped"), "{rest}");
}

/// A `$ref` of the document leads to something in it.
fn resolves(document: &Value, reference: &str) -> bool {
    reference
        .strip_prefix('#')
        .and_then(|pointer| document.pointer(pointer))
        .is_some()
}

fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref") {
                assert!(resolves(document, reference.as_str().unwrap()), "{reference}");
            }
            object.values().for_each(|value| check_references(document, value));
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(document, value)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_of_the_openapi_document_is_there_and_no_other() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    check_references(&document, &document);
    let server = server(Some(Role::Deploy)).await;
    open(&server);
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = ["get", "post", "put", "delete", "patch"];
        let concrete = path.replace("{module}", "m").replace("{id}", "0000000000000001");
        let concrete = concrete.replace("{target}", "a");
        let concrete = concrete.replace("{digest}", &format!("sha256:{:064x}", 1));
        for method in methods {
            let (status, body) = ask(&server, &method.to_uppercase(), &concrete, "{}").await;
            let is_routed = status != 405 && !body.contains("problem:not-found");
            let operation = item.get(method);
            assert_eq!(is_routed, operation.is_some(), "{method} {path}: {status} {body}");
            let Some(operation) = operation else { continue };
            assert!(
                operations.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{path}"
            );
            let responses = operation["responses"].as_object().unwrap();
            let is_declared = responses.contains_key(&status.to_string());
            assert!(
                is_declared || responses.contains_key("default"),
                "{method} {path}: {status}"
            );
        }
    }
    assert_eq!(
        operations.len(),
        38,
        "a route that is added or goes is one of the document, too: {operations:?}"
    );
}
