//! `watch = true`: the file changes, and the actors with it.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_host::Host;
use ractor_host_tests::host::{HostNode, node_toml};
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;

use crate::ONE_NODE_HERE;
use crate::lab::Lab;
use crate::versions::{Fail, failing, padded, version};

fn watching(lab: &Lab) -> HostNode {
    lab.write("alpha.wasm", &version(1));
    let node = HostNode::start("alpha", &lab.toml("alpha", &[], "watch = true", ""));
    lab.add(&node, 5);
    lab.wait_for(&node, "get", 5);
    node
}

#[test]
fn a_file_that_changes_is_reloaded_with_the_state() {
    let lab = Lab::new();
    let mut node = watching(&lab);
    lab.write("alpha.wasm", &version(2));
    lab.wait_for(&node, "version", 2);
    // As most tools do it: a new file takes the place of the old one.
    lab.write("other.wasm", &version(3));
    std::fs::rename(lab.path("other.wasm"), lab.path("alpha.wasm")).expect("a file");
    lab.wait_for(&node, "version", 3);
    assert_eq!(lab.ask(&node, "get"), 5);
    let lines = node.process().lines(Stream::Stderr);
    assert_eq!(
        lines.iter().filter(|line| line.contains("module reloaded")).count(),
        2,
        "one line each: {lines:?}"
    );
}

/// Saves another version of a module as it starts, which is after the module was loaded.
struct Editor(std::path::PathBuf);

impl Actor for Editor {
    type Msg = ();
    type State = ();
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<()>, _: u64) -> Result<(), ActorProcessingErr> {
        std::fs::write(&self.0, version(2))?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_saved_between_its_load_and_the_first_look_at_it_is_reloaded() {
    let _alone = ONE_NODE_HERE.lock().await;
    let lab = Lab::new();
    let wasm = lab.write("alpha.wasm", &version(1));
    let editor = "[[actors]]\nname = \"editor\"\nnative = \"editor\"\narguments = \"u64:0\"\n";
    let toml = node_toml("alpha", &lab.toml("alpha", &[], "watch = true", editor));
    let toml = lab.write("node.toml", toml.as_bytes());
    let builder = Host::builder().native("editor", move || Editor(wasm.clone()));
    let config = builder.config(&toml).expect("a node.toml");
    let host = builder.start(config).await.expect("a node");
    let address = host.listen_addr().to_string();
    let (done, lab) = tokio::task::spawn_blocking(move || {
        let status = || lab.control("status", &[&address], &[]).stdout;
        let new = ractor_host::guest::Digest::of(&version(2)).to_string();
        let done = wait::until("the new code", status, |status| status.contains(&new[..19]));
        (done, lab)
    })
    .await
    .expect("a status");
    assert!(done.contains("1 actors"), "{done}");
    host.shutdown().await;
    drop(lab);
}

#[test]
fn a_file_that_is_half_written_is_not_touched() {
    let lab = Lab::new();
    let mut node = watching(&lab);
    let bytes = padded(&version(2), 1 << 20, 3);
    for quarter in 1..=3 {
        lab.write("alpha.wasm", &bytes[..bytes.len() * quarter / 4]);
        // Longer than a file has to be at rest.
        std::thread::sleep(Duration::from_millis(600));
    }
    assert_eq!(lab.ask(&node, "version"), 1);
    lab.write("alpha.wasm", &bytes);
    lab.wait_for(&node, "version", 2);
    let log = node.process().lines(Stream::Stderr).join("\n");
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_version_that_fails_is_logged_and_the_old_one_goes_on() {
    let lab = Lab::new();
    let mut node = watching(&lab);
    lab.write("alpha.wasm", &failing(2, Fail::Restore));
    let is_told = |line: &str| line.contains("the reload failed") && line.contains("restore");
    node.process().wait_line(Stream::Stderr, 0, "the failure", is_told);
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 5));
    lab.write("alpha.wasm", &failing(3, Fail::Snapshot));
    lab.wait_for(&node, "version", 3);
}
