//! Nodes to look at.

use std::path::Path;

use ractor_host_tests::cli::{Ended, end};
use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::Stream;
use ractor_host_tests::programs;

/// The tokens of the roles, by their names.
pub(crate) const OPERATE: &str = "operate-0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub(crate) const DEPLOY: &str = "deploy-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A node with a guest `counter` that is restarted whenever it ends, whose module is a file of its own, and whatever `more` says.
#[track_caller]
pub(crate) fn node(name: &str, more: &str) -> HostNode {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let component = folder.join("counter.wasm");
    std::fs::copy(programs::guest("counter"), &component).expect("a component");
    let mut rest = format!("{more}\n[admin]\nlisten = \"127.0.0.1:0\"\n");
    for (role, token) in [("operate", OPERATE), ("deploy", DEPLOY)] {
        let path = folder.join(role);
        std::fs::write(&path, token).expect("a token");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("permissions");
        rest += &format!("{role}_token_file = {path:?}\n");
    }
    rest += &format!(
        "[runtime]\nstate_dir = \"state\"\n[modules.counter]\npath = {component:?}\n[[actors]]\nname = \"counter\"\nmodule = \
         \"counter\"\ngroups = [\"counters\"]\nrestart = \"permanent\"\narguments = \"u64:0\"\n[[actors]]\nname = \"worker\"\nmodule = \
         \"counter\"\ncount = 40\ngroups = [\"workers\"]\narguments = \"u64:0\"\n"
    );
    HostNode::start(name, &rest)
}

/// Where the dashboard is.
#[track_caller]
pub(crate) fn url(node: &mut HostNode) -> String {
    let lines = node.process().lines(Stream::Stdout);
    let words = lines.iter().flat_map(|line| line.split(' '));
    let url = words.filter_map(|word| word.strip_prefix("admin=")).next();
    url.unwrap_or_else(|| panic!("no admin= in {lines:?}")).to_owned()
}

/// The file of the node's module `counter`.
#[track_caller]
pub(crate) fn component(node: &HostNode) -> std::path::PathBuf {
    let text = std::fs::read_to_string(node.file("node.toml")).expect("node.toml");
    let line = text
        .lines()
        .find(|line| line.ends_with("counter.wasm\""))
        .expect("the path");
    Path::new(line.trim_start_matches("path = ").trim_matches('"')).to_owned()
}

/// Runs a command in the folder of the node.
#[track_caller]
pub(crate) fn at(node: &HostNode, words: &[&str]) -> Ended {
    let mut command = programs::ractor_host();
    command.current_dir(node.file("")).args(words);
    for variable in ["RACTOR_HOST_NODE", "RACTOR_HOST_COOKIE_FILE", "RACTOR_HOST_KEY_FILE"] {
        command.env_remove(variable);
    }
    end(&format!("ractor-host {}", words.join(" ")), &mut command)
}
