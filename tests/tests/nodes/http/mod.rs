//! HTTP requests of guests: to whom they are granted and to nobody else, over a real server's good and bad behaviour.

mod endings;
mod failures;
mod grants;
mod limits;

use ractor_host_tests::cli::message;
use ractor_host_tests::host::{HostNode, NodeFolder};
use ractor_host_tests::process::Stream;
use ractor_host_tests::web::WebServer;
use ractor_host_tests::{COOKIE, programs, wait};

/// A guest that sends requests, under this name; what it may and takes, as the rest of its entry in node.toml.
fn fetcher(name: &str, rest: &str) -> String {
    format!("[[actors]]\nname = \"{name}\"\nmodule = \"fetch\"\n{rest}\n")
}

/// A node.toml with these guests, and tables before them.
fn with(tables: &str, fetchers: &[String]) -> String {
    let path = programs::guest("fetch");
    format!("{tables}\n[modules.fetch]\npath = {path:?}\n{}", fetchers.concat())
}

/// May send requests to this server by its address.
fn granted(server: &WebServer) -> String {
    format!("http = [\"{}\"]", server.url(""))
}

/// A node with the guest `fetcher` under these limits, and the guest `bystander`; both may send requests to the server.
#[track_caller]
fn node(server: &WebServer, limits: &str) -> HostNode {
    let rest = format!("capabilities = {{ {} }}\nlimits = {{ {limits} }}", granted(server));
    let bystander = format!("capabilities = {{ {} }}", granted(server));
    HostNode::start(
        "alpha",
        &with("", &[fetcher("fetcher", &rest), fetcher("bystander", &bystander)]),
    )
}

/// What the guest replies; none if it doesn't.
#[track_caller]
fn reply(node: &HostNode, actor: &str, rest: &[&str]) -> Option<String> {
    let folder = NodeFolder::new("", COOKIE);
    let rest = [&[actor], rest, &["--timeout", "60s"]].concat();
    let ended = message("call", node.address(), &folder.path("cookie"), &rest);
    (ended.code == Some(0)).then(|| ended.answer().to_owned())
}

/// What comes of this message to the guest.
#[track_caller]
fn ask(node: &HostNode, actor: &str, rest: &[&str]) -> String {
    let reply = reply(node, actor, rest);
    assert!(reply.is_some(), "{actor} doesn't answer {rest:?}");
    reply.unwrap_or_default()
}

/// What comes of getting this URL.
#[track_caller]
fn get(node: &HostNode, actor: &str, url: &str) -> String {
    ask(node, actor, &["Get", url])
}

#[track_caller]
fn cast(node: &HostNode, rest: &[&str]) {
    let folder = NodeFolder::new("", COOKIE);
    let ended = message("cast", node.address(), &folder.path("cookie"), rest);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Another guest of the node sends requests as ever.
#[track_caller]
fn others_go_on(node: &HostNode, server: &WebServer) {
    assert_eq!(get(node, "bystander", &server.url("/hello")), "200 hello");
}

/// Waits until the guest answers again.
#[track_caller]
fn is_back(node: &HostNode, server: &WebServer) {
    let hello = server.url("/hello");
    wait::until(
        "the guest's restart",
        || reply(node, "fetcher", &["Get", &hello]),
        |answer| answer.as_deref() == Some("200 hello"),
    );
}

/// Waits for a line of the log with all of this in it.
#[track_caller]
fn is_logged(node: &mut HostNode, parts: &[&str]) {
    let what = format!("a line with {parts:?}");
    node.process().wait_line(Stream::Stderr, 0, &what, |line| {
        parts.iter().all(|part| line.contains(part))
    });
}
