//! A folder with keys and components, nodes that take deployments, and the commands that are given to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ractor_host_tests::cli::{Ended, end, message};
use ractor_host_tests::host::HostNode;
use ractor_host_tests::{COOKIE, programs, wait};
use tempfile::TempDir;

/// What is in the state directory of a node that takes deployments and keeps states, while it runs.
pub(crate) const STATE_FILES: [&str; 4] = ["checkpoints.redb", "components", "control.lock", "control.sock"];

pub(crate) const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// See the module.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lab = Self { folder };
        lab.write_secret("cookie", COOKIE);
        lab.write_secret("deploy.key", KEY);
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).expect("a file");
        self.path(name)
    }

    pub(crate) fn write_secret(&self, name: &str, secret: &str) {
        let path = self.write(name, secret.as_bytes());
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(path, private).expect("permissions");
    }

    /// The rest of a node.toml, beginning within `[node]`: a counter of the component at `NODE.wasm`, which can be deployed
    /// to. `more` belongs to the actor.
    pub(crate) fn toml(&self, node: &str, peers: &[&str], module: &str, more: &str) -> String {
        let (key, state) = (self.path("deploy.key"), self.path(&format!("state-{node}")));
        let path = self.path(&format!("{node}.wasm"));
        format!(
            "peers = {peers:?}\n[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n\
             [modules.counter]\npath = {path:?}\n{module}\n\
             [[actors]]\nname = \"counter\"\nmodule = \"counter\"\n{more}\n"
        )
    }

    /// A node with a counter of this component.
    #[track_caller]
    pub(crate) fn node(&self, name: &str, component: &[u8]) -> HostNode {
        self.write(&format!("{name}.wasm"), component);
        HostNode::start(name, &self.toml(name, &[], "", ""))
    }

    /// `ractor-host VERB --node … --cookie-file … --key-file … REST`.
    #[track_caller]
    pub(crate) fn control(&self, verb: &str, nodes: &[&str], rest: &[&str]) -> Ended {
        let label = format!("ractor-host {verb} {}", rest.join(" "));
        end(&label, &mut self.command(verb, nodes, rest))
    }

    #[track_caller]
    pub(crate) fn command(&self, verb: &str, nodes: &[&str], rest: &[&str]) -> Command {
        let mut command = programs::ractor_host();
        command.arg(verb);
        for node in nodes {
            command.args(["--node", node]);
        }
        command.arg("--cookie-file").arg(self.path("cookie"));
        command.arg("--key-file").arg(self.path("deploy.key")).args(rest);
        command
    }

    #[track_caller]
    pub(crate) fn add(&self, node: &HostNode, number: u8) {
        let number = format!("u8:{number}");
        let cast = message(
            "cast",
            node.address(),
            &self.path("cookie"),
            &["counter", "add", &number],
        );
        assert_eq!(cast.answer(), "");
    }

    /// What the counter of a node replies to `get` or `version`.
    #[track_caller]
    pub(crate) fn ask(&self, node: &HostNode, what: &str) -> u64 {
        let asked = self.try_ask(node, what);
        asked.unwrap_or_else(|error| panic!("`{what}`: {error}"))
    }

    #[track_caller]
    pub(crate) fn try_ask(&self, node: &HostNode, what: &str) -> Result<u64, String> {
        let rest = ["counter", what, "--reply", "u64"];
        let called = message("call", node.address(), &self.path("cookie"), &rest);
        called.stdout.parse().map_err(|_| called.stderr)
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, node: &HostNode, what: &str, expected: u64) {
        let look = || self.try_ask(node, what);
        let seen = wait::until(&format!("`{what}` to be {expected}"), look, |seen| {
            *seen == Ok(expected)
        });
        assert_eq!(seen, Ok(expected));
    }
}

/// The files in a folder, by name.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
