//! Files that are far larger than any use: each is refused by its size, and none of it is read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ractor_host_tests::host::{HostNode, NodeFolder, node_toml};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};

use crate::fields;
use crate::guests::component;

const GIB: u64 = 1 << 30;

/// The size of a file that is too large: no room on the disk is taken for it.
const HUGE: u64 = 3 * GIB;

/// What a process may have had in use at any time: less than it would have had with the file in memory.
const MOST: u64 = GIB;

/// A component that runs a source.
const INTERPRETER: &[u8] = include_bytes!("../../worlds/scripted-actor.wasm");

/// For each key that is the path of a file, the rest of a node.toml with it.
pub(crate) const FILES: [(&str, &str); 17] = [
    ("node.rs cookie_file", "cookie_file = \"huge\""),
    (
        "cluster.rs store_file",
        "[cluster]\nstore_file = \"huge\"\nadvertise = \"127.0.0.1:4697\"",
    ),
    ("tls.rs cert", "[node.tls]\ncert = \"huge\"\nkey = \"small\""),
    ("tls.rs key", "[node.tls]\ncert = \"small\"\nkey = \"huge\""),
    (
        "tls.rs ca",
        "[node.tls]\ncert = \"small\"\nkey = \"small\"\nca = \"huge\"",
    ),
    ("runtime.rs http_roots", "[runtime]\nhttp_roots = \"huge\""),
    ("control.rs key_file", "[control]\nkey_file = \"huge\""),
    ("control.rs operate_key_file", "[control]\noperate_key_file = \"huge\""),
    ("control.rs observe_key_file", "[control]\nobserve_key_file = \"huge\""),
    (
        "admin.rs observe_token_file",
        "[admin]\nlisten = \"127.0.0.1:0\"\nobserve_token_file = \"huge\"",
    ),
    (
        "admin.rs operate_token_file",
        "[admin]\nlisten = \"127.0.0.1:0\"\noperate_token_file = \"huge\"",
    ),
    (
        "admin.rs deploy_token_file",
        "[admin]\nlisten = \"127.0.0.1:0\"\ndeploy_token_file = \"huge\"",
    ),
    (
        "admin.rs cert",
        "[admin]\nlisten = \"127.0.0.1:0\"\n[admin.tls]\ncert = \"huge\"\nkey = \"small\"",
    ),
    (
        "admin.rs key",
        "[admin]\nlisten = \"127.0.0.1:0\"\n[admin.tls]\ncert = \"small\"\nkey = \"huge\"",
    ),
    (
        "admin.rs ca",
        "[admin]\nlisten = \"127.0.0.1:0\"\n[admin.tls]\ncert = \"small\"\nkey = \"small\"\nca = \"huge\"",
    ),
    (
        "module.rs path",
        "[modules.huge]\npath = \"huge\"\n[[actors]]\nname = \"a\"\nmodule = \"huge\"",
    ),
    (
        "module.rs source",
        "[modules.huge]\npath = \"interpreter.wasm\"\nsource = \"huge\"\n[[actors]]\nname = \"a\"\nmodule = \"huge\"",
    ),
];

#[test]
fn every_file_that_is_too_large_is_refused_and_not_read() {
    let covered: BTreeSet<String> = FILES.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(covered, fields::file_keys(), "the keys that keys.txt says are files");
    for (key, rest) in FILES {
        let mut toml = node_toml("alpha", rest);
        if rest.contains("cookie_file") {
            toml = toml.replacen("cookie_file = \"cookie\"\n", "", 1);
        }
        let folder = NodeFolder::new(&toml, "sixteen bytes and more");
        folder.write_private("small", "small");
        folder.write("interpreter.wasm", INTERPRETER);
        make_huge(&folder.path("huge"));
        let mut command = programs::ractor_host();
        let mut check = Process::start(key, command.arg("check").arg(folder.path("node.toml")));
        let mut peak = 0;
        let status = wait::until(
            "the check to end",
            || {
                peak = peak.max(peak_of(&check));
                check.ended()
            },
            Option::is_some,
        );
        let said = check.lines(Stream::Stderr).join("\n");
        assert!(status.is_some_and(|status| !status.success()), "{key}: {said}");
        assert!(
            said.contains("larger than") || said.contains("more than"),
            "{key}: {said}"
        );
        assert!(peak < MOST, "{key}: {peak} bytes were in use");
    }
}

#[test]
fn a_watched_file_that_becomes_too_large_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idle.wasm");
    fs::write(&path, component("")).unwrap();
    let actor = "[[actors]]\nname = \"idle\"\nmodule = \"idle\"\n";
    let rest = format!("[modules.idle]\npath = {path:?}\nwatch = true\n{actor}");
    let mut node = HostNode::start("alpha", &rest);
    make_huge(&path);
    let what = "the file to be refused";
    let refused = |line: &str| line.contains("larger than") && line.contains("(component_bytes)");
    node.process().wait_line(Stream::Stderr, 0, what, refused);
    let peak = peak_of(node.process());
    assert!(peak < MOST, "{peak} bytes were in use");
    assert_eq!(node.process().ended(), None);
}

#[track_caller]
fn make_huge(path: &Path) {
    File::create(path).unwrap().set_len(HUGE).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The most memory that the process ever had in use, in bytes; 0 once it has ended.
fn peak_of(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
