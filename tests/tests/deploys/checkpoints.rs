//! States that outlive their instances and nodes.

use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor_host::host::HostError;
use ractor_host::{Host, directory};
use ractor_host_tests::cli::message;
use ractor_host_tests::host::{HostNode, node_toml};
use ractor_host_tests::process::{Signal, Stream};
use ractor_host_tests::wait;
use tokio::time::{sleep, timeout};

use crate::ONE_NODE_HERE;
use crate::lab::{Lab, STATE_FILES, names};
use crate::versions::{Fail, component, failing, version};

const OFTEN: &str = "checkpoint = { every = \"20ms\", keep = 3 }";

impl Lab {
    /// True once a database has a checkpoint: it grows by more than its frame.
    pub(crate) fn written(&self, database: &std::path::Path) -> bool {
        std::fs::read(database).is_ok_and(|bytes| bytes.windows(7).any(|window| window == b"counter"))
    }

    #[track_caller]
    fn counter(&self, component: &[u8]) -> HostNode {
        self.write("alpha.wasm", component);
        HostNode::start("alpha", &self.toml("alpha", &[], "", OFTEN))
    }
}

#[test]
fn a_trapped_actor_goes_on_from_its_checkpoint() {
    let lab = Lab::new();
    let mut node = lab.counter(&version(1));
    lab.add(&node, 40);
    lab.wait_for(&node, "get", 40);
    // Longer than it takes to be kept.
    std::thread::sleep(Duration::from_millis(500));
    message("cast", node.address(), &lab.path("cookie"), &["counter", "trap"]).answer();
    let process = node.process();
    process.wait_line(Stream::Stderr, 0, "the failure", |line| {
        line.contains("the actor failed")
    });
    process.wait_line(Stream::Stderr, 0, "the checkpoint", |line| {
        line.contains("goes on from its checkpoint")
    });
    assert_eq!(lab.ask(&node, "get"), 40);
}

#[test]
fn a_node_that_is_stopped_in_order_loses_nothing() {
    let lab = Lab::new();
    lab.write("alpha.wasm", &version(1));
    let rarely = "checkpoint = { every = \"1h\" }";
    let mut node = HostNode::start("alpha", &lab.toml("alpha", &[], "", rarely));
    lab.add(&node, 40);
    lab.wait_for(&node, "get", 40);
    node.process().signal(Signal::TERM);
    node.process().wait_exit();
    node.crash_and_restart(&lab.toml("alpha", &[], "", rarely));
    assert_eq!(lab.ask(&node, "get"), 40);
}

/// One that would have waited for an hour to be started again.
#[test]
fn a_stop_does_not_leave_behind_what_was_sent_to_an_actor_that_is_to_be_restarted() {
    let lab = Lab::new();
    lab.write("alpha.wasm", &version(1));
    let more = format!("{OFTEN}\n[supervisors.root]\nbackoff = \"1h\"\nmax_backoff = \"1h\"");
    let toml = lab.toml("alpha", &[], "", &more);
    let mut node = HostNode::start("alpha", &toml);
    message("cast", node.address(), &lab.path("cookie"), &["counter", "trap"]).answer();
    let failed = |line: &str| line.contains("the actor failed; it is restarted");
    node.process().wait_line(Stream::Stderr, 0, "the failure", failed);
    lab.add(&node, 2);
    node.process().signal(Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
    node.crash_and_restart(&toml);
    assert_eq!(lab.ask(&node, "get"), 2);
}

/// Killed again and again while it writes: what comes back is always a state that it had, and never an older one than
/// the last time.
#[test]
fn a_node_that_is_killed_while_it_keeps_states_comes_back_with_one_of_them() {
    let lab = Lab::new();
    let mut node = lab.counter(&version(1));
    let mut last = 0;
    let mut came_back = 0;
    for round in 0..8 {
        for _ in 0..3 {
            lab.add(&node, 1);
        }
        std::thread::sleep(Duration::from_millis(7 * round));
        node.crash_and_restart(&lab.toml("alpha", &[], "", OFTEN));
        let now = lab.ask(&node, "get");
        assert!((last..=last + 3).contains(&now), "round {round}: {now} after {last}");
        came_back += u64::from(now > 0);
        last = now;
    }
    assert!(came_back > 0, "no checkpoint was ever used");
    assert_eq!(names(&lab.path("state-alpha")), STATE_FILES, "none was damaged");
}

#[test]
fn a_damaged_file_is_put_aside_and_the_actor_starts_afresh() {
    let lab = Lab::new();
    let mut node = lab.counter(&version(1));
    lab.add(&node, 40);
    let database = lab.path("state-alpha").join("checkpoints.redb");
    wait::until("a checkpoint", || lab.written(&database), |written| *written);
    node.process().kill();
    let mut bytes = std::fs::read(&database).expect("a database");
    let half = bytes.len() / 2;
    bytes.truncate(half);
    lab.write("state-alpha/checkpoints.redb", &bytes);
    node.crash_and_restart(&lab.toml("alpha", &[], "", OFTEN));
    assert_eq!(lab.ask(&node, "get"), 0);
    let aside = names(&lab.path("state-alpha"));
    assert!(aside.iter().any(|name| name.contains("damaged")), "{aside:?}");
}

#[test]
fn a_checkpoint_that_cant_be_restored_is_left_aside() {
    let lab = Lab::new();
    let mut node = lab.counter(&version(1));
    lab.add(&node, 90);
    lab.wait_for(&node, "get", 90);
    std::thread::sleep(Duration::from_millis(500));
    lab.add(&node, 90);
    lab.wait_for(&node, "get", 180);
    std::thread::sleep(Duration::from_millis(500));
    // It takes over less than 100: the older of the two.
    lab.write("alpha.wasm", &failing(2, Fail::RestoreOfMuch));
    node.crash_and_restart(&lab.toml("alpha", &[], "", OFTEN));
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (2, 90));
    lab.write("alpha.wasm", &component(3, 1, Fail::Restore));
    node.crash_and_restart(&lab.toml("alpha", &[], "", OFTEN));
    assert_eq!(
        (lab.ask(&node, "version"), lab.ask(&node, "get")),
        (3, 0),
        "none can be restored"
    );
}

#[test]
fn an_actor_whose_state_cant_be_had_is_refused_at_the_start() {
    let lab = Lab::new();
    let plain = ractor_host_tests::programs::guest("greeter");
    lab.write("alpha.wasm", &std::fs::read(plain).expect("a guest"));
    let toml = ractor_host_tests::host::node_toml("alpha", &lab.toml("alpha", &[], "", OFTEN));
    lab.write("node.toml", toml.as_bytes());
    let path = lab.path("node.toml");
    let ended = ractor_host_tests::cli::ractor_host(&["run", path.to_str().expect("a path")]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("does not export the interface `reload`"),
        "{}",
        ended.stderr
    );
}

/// The good states are there when the code that wrote them is back, whatever was kept meanwhile.
#[test]
fn states_that_new_code_cant_restore_are_there_for_the_old_code() {
    let lab = Lab::new();
    let mut node = lab.counter(&version(1));
    lab.add(&node, 90);
    lab.wait_for(&node, "get", 90);
    let database = lab.path("state-alpha").join("checkpoints.redb");
    wait::until("a checkpoint", || lab.written(&database), |written| *written);
    lab.write("alpha.wasm", &component(2, 1, Fail::Restore));
    for _ in 0..2 {
        node.crash_and_restart(&lab.toml("alpha", &[], "", OFTEN));
        assert_eq!(lab.ask(&node, "get"), 0, "none can be restored");
        // More states than are kept.
        for count in 1..=6 {
            let before = kept(&database);
            lab.add(&node, 1);
            lab.wait_for(&node, "get", count);
            wait::until("another checkpoint", || kept(&database) != before, |is_kept| *is_kept);
        }
    }
    lab.write("alpha.wasm", &failing(3, Fail::RestoreOfLittle));
    node.crash_and_restart(&lab.toml("alpha", &[], "", OFTEN));
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (3, 90));
}

/// What the file looks like, to see when it changes.
fn kept(database: &std::path::Path) -> Vec<u8> {
    std::fs::read(database).unwrap_or_default()
}

/// It has more to do than a stop has time for, and would not be asked for its state within an hour.
#[tokio::test(flavor = "multi_thread")]
async fn an_actor_that_is_killed_at_its_work_keeps_what_it_has_done() {
    const WAITING: usize = 2000;
    let _alone = ONE_NODE_HERE.lock().await;
    let lab = Lab::new();
    lab.write("alpha.wasm", &version(1));
    let rarely = "checkpoint = { every = \"1h\" }";
    let toml = node_toml("alpha", &lab.toml("alpha", &[], "", rarely));
    let toml = lab.write("node.toml", toml.as_bytes());
    let start = async || {
        let builder = Host::builder();
        let config = builder.config(&toml).expect("a node.toml");
        builder.start(config).await
    };
    // An actor that was killed holds the database until the message that it was at gives way.
    let start = async || loop {
        match start().await {
            Ok(host) => break host,
            Err(HostError::Checkpoints(_)) => sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    let host = start().await;
    let counter = directory::where_is("counter").expect("a counter");
    for _ in 0..WAITING {
        let slow = SerializedMessage::Cast {
            variant: "slow".to_owned(),
            args: Vec::new(),
            metadata: None,
        };
        counter.send_serialized(slow).expect("it lives");
    }
    assert_eq!(host.shutdown().await, ["counter"], "it was not done");

    let host = timeout(Duration::from_secs(60), start()).await.expect("a node, again");
    let counter = directory::where_is("counter").expect("a counter");
    let (port, reply) = ractor::concurrency::oneshot();
    let get = SerializedMessage::Call {
        variant: "get".to_owned(),
        args: Vec::new(),
        reply: port.into(),
        metadata: None,
    };
    counter.send_serialized(get).expect("it lives");
    let done = reply.await.expect("a reply");
    assert_ne!(done, 0_u64.to_be_bytes(), "nothing of what it had done was kept");
    host.shutdown().await;
}
