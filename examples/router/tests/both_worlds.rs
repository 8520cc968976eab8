//! The example as its README has it: the node, and messages from the command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use ractor_host_tests::host::NodeFolder;
use ractor_host_tests::peer::Peer;
use ractor_host_tests::{COOKIE, programs};

/// The node.toml of the example, with the guest where the tests have it, on a free port.
fn node_toml() -> String {
    let guest = programs::guest("counter");
    include_str!("../node.toml")
        .replace(
            "\"../../target/wasm32-wasip2/guest/counter.wasm\"",
            &format!("{guest:?}"),
        )
        .replace("127.0.0.1:4698", "127.0.0.1:0")
        .replace("cookie_env = \"RACTOR_COOKIE\"", "cookie_file = \"cookie\"")
}

struct Example {
    folder: NodeFolder,
    node: Peer,
}

impl Example {
    fn start() -> Self {
        let folder = NodeFolder::new(&node_toml(), COOKIE);
        let mut run = router();
        run.arg("run").arg(folder.path("node.toml"));
        let node = Peer::start_program("router", &mut run);
        Self { folder, node }
    }

    /// `cast` or `call`, with the rest of its arguments.
    fn send(&self, how: &str, arguments: &[&str]) -> String {
        let output = router()
            .args([how, "--node", self.node.address(), "--cookie-file"])
            .arg(self.folder.path("cookie"))
            .args(["--timeout", "60s", "router"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The counters by name, each with its count.
    fn counts(&self) -> Vec<(String, u64)> {
        let counts = self.send("call", &["Counts", "--reply", "str"]);
        let counts = counts.trim().trim_matches('"').replace("\\n", "\n");
        let count = |line: &str| {
            let (name, count) = line.split_once(' ').unwrap();
            (name.to_owned(), count.parse().unwrap())
        };
        counts.lines().map(count).collect()
    }
}

fn router() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_router"));
    let cache = std::env::temp_dir().join("ractor-host-router-example");
    command.env("XDG_CACHE_HOME", cache).env("RUST_LOG", "info");
    command
}

#[test]
fn native_counters_and_guests_get_the_same_messages() {
    let example = Example::start();
    for _ in 0..4 {
        example.send("cast", &["Next", "u64:10"]);
    }
    let counts = example.counts();
    let names: Vec<&str> = counts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["guest-1", "guest-2", "native-1", "native-2"]);
    assert!(
        counts.iter().all(|(_, count)| *count == 10),
        "each had its turn: {counts:?}"
    );

    for key in ["apples", "apples", "pears"] {
        example.send("cast", &["ByKey", &format!("str:{key}"), "u64:5"]);
    }
    let counts = example.counts();
    let sum: u64 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(sum, 4 * 10 + 3 * 5, "{counts:?}");
    assert!(
        counts.iter().any(|(_, count)| *count >= 20),
        "both apples went to the same counter: {counts:?}"
    );
}
