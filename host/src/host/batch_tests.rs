//! The actors of one entry of node.toml, started together.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, registry};
use tokio::sync::Barrier;

use super::*;
use crate::config::NodeConfig;

/// Starts only when this many others do at the same time, and not at all if told to.
struct Twin {
    all: Arc<Barrier>,
}

impl Actor for Twin {
    type Msg = ();
    type State = ();
    type Arguments = String;

    async fn pre_start(&self, myself: ActorRef<()>, outcome: String) -> Result<(), ActorProcessingErr> {
        self.all.wait().await;
        let name = myself.get_name().unwrap_or_default();
        match outcome.strip_prefix(&name) {
            Some(" fails") => Err("not today".into()),
            #[expect(clippy::panic, reason = "the test wants it")]
            Some(" panics") => panic!("not at all"),
            _ => Ok(()),
        }
    }
}

/// Three twins of this name.
fn host(name: &str, outcome: &str) -> (HostBuilder, NodeConfig) {
    let folder = tempfile::tempdir().unwrap();
    let cookie = folder.path().join("cookie");
    std::fs::write(&cookie, "a cookie of decent length").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&cookie, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let file = folder.path().join("node.toml");
    let actors = format!("[[actors]]\nname = \"{name}\"\nnative = \"twin\"\ncount = 3\narguments = \"str:{outcome}\"");
    std::fs::write(
        &file,
        format!("[node]\nname = \"{name}\"\ncookie_file = \"cookie\"\n{actors}"),
    )
    .unwrap();
    let all = Arc::new(Barrier::new(3));
    let builder = Host::builder().native("twin", move || Twin { all: all.clone() });
    let config = builder.config(&file).unwrap();
    (builder, config)
}

#[tokio::test]
async fn they_need_not_wait_for_each_other() {
    let (builder, config) = host("twin", "");
    let host = builder.start(config).await.unwrap();
    let names: Vec<&str> = host.actors().iter().map(|actor| actor.name.as_str()).collect();
    assert_eq!(names, ["twin-1", "twin-2", "twin-3"]);
    host.shutdown().await;
}

#[tokio::test]
async fn one_that_fails_or_panics_is_named_and_the_others_end() {
    for (name, outcome, expected) in [
        (
            "failing",
            "failing-2 fails",
            "actor `failing-2` (native `twin`) did not start: not today",
        ),
        (
            "panicking",
            "panicking-2 panics",
            "actor `panicking-2` (native `twin`) did not start: ",
        ),
    ] {
        let (builder, config) = host(name, outcome);
        let error = builder.start(config).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        for number in 1..=3 {
            assert!(
                registry::where_is(format!("{name}-{number}")).is_none(),
                "{name}-{number}"
            );
        }
    }
}
