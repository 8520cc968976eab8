//! The control actor of a node outlives its failures.

use ractor::registry;
use ractor_host::Host;
use ractor_host_tests::COOKIE;
use ractor_host_tests::host::node_toml;
use tokio::time::{Duration, sleep, timeout};

use crate::ONE_NODE_HERE;
use crate::lab::Lab;
use crate::versions::version;

const CONTROL: &str = "ractor-host.control";

#[tokio::test(flavor = "multi_thread")]
async fn a_control_actor_that_ends_is_started_again() {
    let _alone = ONE_NODE_HERE.lock().await;
    let lab = Lab::new();
    lab.write_secret("cookie", COOKIE);
    lab.write("alpha.wasm", &version(1));
    let toml = lab.write(
        "node.toml",
        node_toml("alpha", &lab.toml("alpha", &[], "", "")).as_bytes(),
    );
    let builder = Host::builder();
    let config = builder.config(&toml).expect("a node.toml");
    let host = builder.start(config).await.expect("a node");
    let address = host.listen_addr().to_string();
    let first = registry::where_is(CONTROL).expect("a control actor");
    first.kill();
    let again = async {
        while registry::where_is(CONTROL).is_none_or(|now| now.get_id() == first.get_id()) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), again).await.expect("another one");
    let status = tokio::task::spawn_blocking(move || lab.control("status", &[&address], &[]).stdout);
    let status = status.await.expect("a status");
    assert!(status.contains("version 1.0.0, 1 actors"), "{status}");

    host.shutdown().await;
    // It isn't started again when it ends with its node.
    assert!(registry::where_is(CONTROL).is_none());
}
