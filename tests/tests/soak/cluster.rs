//! The node that is measured, and what uses it.

use std::path::Path;
use std::process::Command;

use ractor_host_tests::cli::{Ended, end, message};
use ractor_host_tests::host::{HostNode, NodeFolder};
use ractor_host_tests::peer::Peer;
use ractor_host_tests::proxy::Proxy;
use ractor_host_tests::{COOKIE, programs, wait};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::usage::{Usage, bytes_below, entries};

const COUNTER: &str = include_str!("../deploys/counter.wat");
const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Messages of a round from the other node.
const MESSAGES: u64 = 300;

/// The rounds in which something happens, as the distance from one to the next.
const RELOADS: usize = 3;
const CUTS: usize = 2;
const FAILURES: usize = 4;

/// The number of versions of the code.
const VERSIONS: usize = 2;

/// See the module.
pub(crate) struct Cluster {
    other: Peer,
    network: Proxy,
    node: HostNode,
    folder: NodeFolder,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let folder = NodeFolder::new("", COOKIE);
        folder.write_private("deploy.key", KEY);
        for version in 0..VERSIONS {
            folder.write(&format!("{version}.wasm"), component(version));
        }
        let (key, state, cache) = (folder.path("deploy.key"), folder.path("state"), folder.path("cache"));
        let toml = format!(
            "[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\ncache_dir = {cache:?}\n\
             [supervisors.root]\nmax_restarts = 1000\nwithin = \"10s\"\n\
             [modules.counter]\npath = {:?}\n\
             [[actors]]\nname = \"counter\"\nmodule = \"counter\"\ngroups = [\"counters\"]\n\
             checkpoint = {{ every = \"50ms\", keep = 3 }}\n",
            folder.path("0.wasm")
        );
        let node = HostNode::start("used", &toml);
        let network = Proxy::to(node.address());
        let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
        command.args(["--name", "other", "--cookie", COOKIE, "--peer", &network.address()]);
        let other = Peer::start_program("other (test-node)", &mut command);
        Self {
            other,
            network,
            node,
            folder,
        }
    }

    /// What happens again and again.
    pub(crate) fn round(&mut self, number: usize) {
        self.other.wait("members counters", "remote:counter@used@localhost");
        // The link of the round before may be about to end.
        let note = format!("note counter@used@localhost 1 1 {MESSAGES}");
        let sent = wait::until("a link", || self.other.try_run(&note), Result::is_ok);
        assert!(sent.is_ok());
        self.operate("status", &[]).answer();
        self.operate("status", &["--all-nodes", "--output", "json"]);
        // Not every answer is one: the guest may be about to fail.
        self.message("call", &["counter", "get", "--reply", "u64"]);
        if number.is_multiple_of(FAILURES) {
            self.message("cast", &["counter", "trap"]);
        }
        if number.is_multiple_of(CUTS) {
            self.network.cut();
        }
        if number.is_multiple_of(RELOADS) {
            let file = self.folder.path(&format!("{}.wasm", number / RELOADS % VERSIONS));
            self.operate("reload", &["counter", "--file", file.to_str().expect("a path")]);
        }
    }

    /// What the node takes of the machine now.
    pub(crate) fn usage(&mut self) -> Usage {
        let id = self.node.process().id();
        Usage {
            memory: self.node.process().memory(),
            files: entries(&format!("/proc/{id}/fd")),
            threads: entries(&format!("/proc/{id}/task")),
            disk: bytes_below(&self.folder.path("state")) + bytes_below(&self.folder.path("cache")),
        }
    }

    fn operate(&self, verb: &str, rest: &[&str]) -> Ended {
        let mut command = programs::ractor_host();
        command.args([verb, "--node", self.node.address(), "--cookie-file"]);
        command.arg(self.folder.path("cookie"));
        command.arg("--key-file").arg(self.folder.path("deploy.key")).args(rest);
        end(&format!("ractor-host {verb}"), &mut command)
    }

    fn message(&self, verb: &str, rest: &[&str]) -> Ended {
        message(verb, self.node.address(), &self.folder.path("cookie"), rest)
    }
}

fn component(version: usize) -> Vec<u8> {
    let core = COUNTER
        .replace("{VERSION}", &version.to_string())
        .replace("{STATE_VERSION}", "1")
        .replace("{FAIL}", "0")
        .replace("{HAS_START}", "0");
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(wit).expect("the world is there");
    let world = "package test:fixture;\n\
                 world w { include ractor:actor/guest-actor@0.1.0; export ractor:actor/reload@0.1.0; }\n";
    let package = resolve.push_str("test.wit", world).expect("WIT");
    let world = resolve.select_world(&[package], Some("w")).expect("a world");
    let mut module = wat::parse_str(core).expect("WebAssembly text");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let encoded = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.encode());
    encoded.expect("a component")
}
