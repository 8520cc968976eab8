//! The example as its README has it: the node, and calls from the command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use ractor_host_tests::host::NodeFolder;
use ractor_host_tests::peer::Peer;
use ractor_host_tests::{COOKIE, programs};

/// The node.toml of the example, with the guest where the tests have it, on a free port.
fn node_toml() -> String {
    let guest = programs::guest("visits");
    include_str!("../node.toml")
        .replace(
            "\"../../target/wasm32-wasip2/guest/visits.wasm\"",
            &format!("{guest:?}"),
        )
        .replace("127.0.0.1:4699", "127.0.0.1:0")
        .replace("cookie_env = \"RACTOR_COOKIE\"", "cookie_file = \"cookie\"")
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_key-value"));
    let cache = std::env::temp_dir().join("ractor-host-key-value-example");
    command.env("XDG_CACHE_HOME", cache).env("RUST_LOG", "info");
    command
}

fn check(toml: &str) -> Output {
    let folder = NodeFolder::new(toml, COOKIE);
    program().arg("check").arg(folder.path("node.toml")).output().unwrap()
}

#[test]
fn two_actors_share_the_store_as_far_as_each_may() {
    let folder = NodeFolder::new(&node_toml(), COOKIE);
    let mut run = program();
    run.arg("run").arg(folder.path("node.toml"));
    let node = Peer::start_program("key-value", &mut run);
    let call = |actor: &str, variant: &str| {
        let output = program()
            .args(["call", "--node", node.address(), "--cookie-file"])
            .arg(folder.path("cookie"))
            .args(["--timeout", "60s", actor, variant, "index.html"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(call("shows", "Count"), "0");
    assert_eq!(call("counts", "Visit"), "1");
    assert_eq!(call("counts", "Visit"), "2");
    assert_eq!(call("shows", "Count"), "2", "the other actor sees it");
    assert_eq!(call("shows", "Visit"), "not counted: read-only");
}

#[test]
fn an_actor_without_the_section_is_refused_before_anything_starts() {
    let toml = node_toml();
    let (before, _) = toml.rsplit_once("[actors.interfaces.key-value]").unwrap();
    let output = check(before);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("it imports `acme:key-value/store@0.1.0`; add a section [actors.interfaces.key-value]"),
        "{said}"
    );
}

#[test]
fn a_mistake_in_the_section_is_shown_at_its_place() {
    let output = check(&node_toml().replace("read_only = false", "readonly = false"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("[actors.interfaces.key-value]: unknown field `readonly`, expected `prefix` or `read_only`"),
        "{said}"
    );
    assert!(said.contains("node.toml:"), "{said}");
}
