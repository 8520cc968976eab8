//! Hosts with native actors, in this process. Names are unique per test: ractor's registries are process-wide.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ractor::{Actor, ActorProcessingErr, ActorRef, pg, registry};
use tokio::net::TcpStream;

use super::*;
use crate::config::NodeConfig;

/// Adds what it is sent to its start argument and to the sum that the test looks at.
struct Adder {
    sum: Arc<AtomicU64>,
}

impl Actor for Adder {
    type Msg = u64;
    type State = ();
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<u64>, start: u64) -> Result<(), ActorProcessingErr> {
        if start == 13 {
            return Err("it is Friday".into());
        }
        self.sum.fetch_add(start, Ordering::SeqCst);
        Ok(())
    }

    async fn handle(&self, _: ActorRef<u64>, number: u64, (): &mut ()) -> Result<(), ActorProcessingErr> {
        // Others get to run between two messages, as they do in actors that have something to wait for.
        tokio::task::yield_now().await;
        self.sum.fetch_add(number, Ordering::SeqCst);
        Ok(())
    }
}

/// A host that knows `adder`, the configuration with these lines, and the sum of all adders.
fn host(lines: &str) -> (HostBuilder, NodeConfig, Arc<AtomicU64>) {
    let sum = Arc::new(AtomicU64::new(0));
    let builder = Host::builder().native("adder", {
        let sum = sum.clone();
        move || Adder { sum: sum.clone() }
    });
    let config = config(&builder, lines);
    (builder, config, sum)
}

/// The configuration with these lines, beginning within `[node]`.
pub(super) fn config(builder: &HostBuilder, lines: &str) -> NodeConfig {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    let cookie = folder.path().join("cookie");
    std::fs::write(&cookie, "secret").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&cookie, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(
        &file,
        format!("[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n{lines}"),
    )
    .unwrap();
    builder.config(&file).unwrap_or_else(|error| panic!("{error}"))
}

async fn refused(lines: &str) -> String {
    let (builder, config, _) = host(lines);
    match builder.start(config).await {
        Ok(host) => panic!("started: {host:?}"),
        Err(error) => error.to_string(),
    }
}

fn adder(name: &str, rest: &str) -> String {
    format!("[[actors]]\nname = \"{name}\"\nnative = \"adder\"\n{rest}\n")
}

#[tokio::test]
async fn natives_start_as_configured_and_can_be_found() {
    let (builder, config, sum) = host(&adder(
        "found",
        "arguments = \"u64:5\"\ngroups = [\"finders\"]\ncount = 2",
    ));
    let host = builder.start(config).await.unwrap();
    assert_eq!(host.node_name(), "alpha@localhost");
    let names: Vec<&str> = host.actors().iter().map(|actor| actor.name.as_str()).collect();
    assert_eq!(names, ["found-1", "found-2"]);
    assert!(registry::where_is("found-2").is_some());
    assert_eq!(pg::get_members(&"finders".to_owned()).len(), 2);
    assert_eq!(sum.load(Ordering::SeqCst), 10);
    TcpStream::connect(host.listen_addr()).await.unwrap();
    host.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_handles_what_was_sent_and_frees_everything() {
    let (builder, config, sum) = host(&adder("drained", "arguments = \"u64:0\""));
    let host = builder.start(config).await.unwrap();
    let address = host.listen_addr();
    let adder = ActorRef::<u64>::from(host.actors()[0].cell.clone());
    for _ in 0..1000 {
        adder.cast(1).unwrap();
    }
    host.shutdown().await;
    assert_eq!(sum.load(Ordering::SeqCst), 1000);
    assert!(registry::where_is("drained").is_none());
    TcpListener::bind(address).unwrap();
}

#[tokio::test]
async fn a_failed_start_says_why_and_leaves_nothing_behind() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("listen = \"127.0.0.1:{port}\"\n");
    let error = refused(&format!(
        "{listen}{}{}",
        adder("early", "arguments = \"u64:1\""),
        adder("late", "")
    ))
    .await;
    assert!(
        error.contains(
            "node.toml:10:8: actor `late`: its `arguments` have 0 bytes, which are not one value of type u64; write for \
             example `arguments = \"u64:0\"`"
        ),
        "{error}"
    );
    assert!(registry::where_is("early").is_none());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[tokio::test]
async fn an_actor_that_refuses_to_start_is_quoted() {
    let error = refused(&adder("unlucky", "arguments = \"u64:13\"")).await;
    assert_eq!(error, "actor `unlucky` (native `adder`) did not start: it is Friday");
}

#[tokio::test]
async fn a_name_of_this_process_is_not_given_twice() {
    let sum = Arc::new(AtomicU64::new(0));
    let (taken, _) = Actor::spawn(Some("taken".to_owned()), Adder { sum }, 0).await.unwrap();
    let error = refused(&adder("taken", "arguments = \"u64:0\"")).await;
    assert!(
        error.contains("the name is taken by another actor of this process"),
        "{error}"
    );
    assert!(registry::where_is("taken").is_some(), "the first one keeps its name");
    taken.stop(None);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let error = refused(&format!("listen = \"{address}\"\n")).await;
    assert!(
        error.starts_with(&format!("cannot listen on {address}: Address already in use")),
        "{error}"
    );
}

#[tokio::test]
async fn a_configuration_for_another_host_is_refused() {
    let (_, config, _) = host(&adder("foreign", ""));
    let error = Host::builder().start(config).await.unwrap_err().to_string();
    assert!(
        error.starts_with("actor `foreign`: this host has no native actor `adder`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_peer_that_comes_up_later_is_dialled_until_it_answers() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (builder, config, _) = host(&format!("peers = [\"{address}\"]\n"));
    let host = builder.start(config).await.unwrap();
    let peer = tokio::net::TcpListener::bind(address).await.unwrap();
    peer.accept().await.unwrap();
    host.shutdown().await;
}
