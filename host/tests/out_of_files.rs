//! A node whose process has no file descriptors left, in a process of its own because the limit is the process's.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ractor::Actor;
use ractor_host::node::{handshake_stats, listen_addr};
use ractor_host::{NodeServer, NodeServerMessage, client_connect};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn node(name: &str) -> NodeServer {
    let (cookie, hostname) = ("cookie".to_owned(), "localhost".to_owned());
    NodeServer::new(0, cookie, name.to_owned(), hostname, None, None).with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..1500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came about that {what}");
}

#[tokio::test]
async fn a_node_accepts_again_once_there_are_files_again() {
    let (server, _) = Actor::spawn(None, node("server"), ()).await.unwrap();
    let addr = listen_addr(&server).await.unwrap();
    let (client, _) = Actor::spawn(None, node("client"), ()).await.unwrap();

    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(64),
            ..getrlimit(Resource::Nofile)
        },
    )
    .unwrap();
    let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(!files.is_empty());
    // One descriptor for the end that dials, none for the end that accepts.
    files.pop();
    client_connect(&client, addr).await.unwrap();
    until("the node has failed to accept", async || {
        handshake_stats(&server).await.unwrap().failed.contains_key("accept")
    })
    .await;

    drop(files);
    until("the one who waited is let in", async || {
        let sessions = server
            .call(NodeServerMessage::GetSessions, None)
            .await
            .unwrap()
            .unwrap();
        sessions.len() == 1
    })
    .await;
}
