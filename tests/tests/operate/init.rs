//! `init` and `doctor`: from an empty folder to nodes that run, and what is said of those that don't.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ractor_host_tests::host::{NodeFolder, node_toml, run};
use ractor_host_tests::peer::wait_ready;
use ractor_host_tests::process::Process;
use ractor_host_tests::{COOKIE, wait};
use serde_json::Value;

use crate::operator::{at, in_folder, json, node};

/// Starts the node of a file that `init` made, at a port of the system's choice.
#[track_caller]
fn start(folder: &Path, file: &str, more: &[String]) -> (Process, String) {
    let mut command = run(&folder.join(file));
    command.args(["--set", "node.listen=127.0.0.1:0"]);
    let mut process = Process::start(file, command.args(more));
    let (_, address) = wait_ready(&mut process);
    (process, address)
}

#[track_caller]
fn has_mode(path: &Path, mode: u32) {
    let found = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(found.permissions().mode() & 0o777, mode, "{}", path.display());
}

#[test]
fn a_new_folder_has_a_node_that_runs_and_a_doctor_who_finds_it_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = in_folder(folder.path(), &["init", "shop", "--port", "64999"]);
    assert!(made.answer().contains("ractor-host run node.toml"), "{}", made.stdout);
    let shop = folder.path().join("shop");
    has_mode(&shop.join("cookie"), 0o600);
    let ignored = fs::read_to_string(shop.join(".gitignore")).expect("a file");
    assert!(ignored.contains("cookie") && ignored.contains("state/"), "{ignored}");
    let checked = in_folder(&shop, &["check", "node.toml"]);
    assert!(
        checked
            .answer()
            .contains("node shop@localhost, would listen on 127.0.0.1:64999"),
        "{}",
        checked.stdout
    );
    assert_eq!(checked.stderr, "", "no warning either");
    let _node = start(&shop, "node.toml", &[]);
    let status = in_folder(&shop, &["status"]);
    assert_eq!(status.answer(), "shop@localhost");
    let doctor = in_folder(&shop, &["doctor"]);
    assert!(
        doctor.answer().contains("shop@localhost: it runs and is ready"),
        "{}",
        doctor.stdout
    );
    assert!(!doctor.stdout.contains('\u{1b}'), "no colours in a pipe");
}

/// An editor finds the schema that the first line names, offline, and nothing in the file is against it.
#[track_caller]
fn has_its_schema(file: &Path) {
    let text = fs::read_to_string(file).expect("a node.toml");
    let first = text.lines().next().unwrap_or_default();
    let schema = first.strip_prefix("#:schema ./").unwrap_or_else(|| panic!("{first}"));
    let schema = fs::read(file.with_file_name(schema)).expect("the schema beside it");
    let schema: Value = serde_json::from_slice(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let says: Value = toml::from_str(&text).expect("TOML");
    if let Err(error) = validator.validate(&says) {
        panic!("{}: {error} at {}", file.display(), error.instance_path());
    }
    // It is the schema of this file, and not one that takes everything.
    let mut wrong = says;
    wrong["node"]["lisen"] = "127.0.0.1:4697".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn a_new_node_toml_has_its_schema_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    in_folder(folder.path(), &["init", "shop"]).answer();
    has_its_schema(&file("shop/node.toml"));
    in_folder(folder.path(), &["init", "trio", "--cluster", "3", "--tls"]).answer();
    has_its_schema(&file("trio/node2.toml"));
    for language in ["rust", "python", "js", "ts", "c", "go"] {
        let made = in_folder(folder.path(), &["new", "--lang", language, language]);
        assert!(made.answer().contains("  node-toml.schema.json"), "{}", made.stdout);
        has_its_schema(&file(language).join("node.toml"));
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("cookie"), "mine").expect("a file");
    let refused = in_folder(folder.path(), &["init"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("nothing is overwritten: cookie;"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("cookie")).expect("a file"),
        "mine"
    );
    assert!(!folder.path().join("node.toml").exists(), "nothing is half made");
}

#[test]
fn a_new_cluster_with_certificates_comes_together() {
    let folder = tempfile::tempdir().expect("a folder");
    in_folder(
        folder.path(),
        &["init", "trio", "--cluster", "3", "--tls", "--port", "64000"],
    )
    .answer();
    let trio = folder.path().join("trio");
    for secret in ["cookie", "deploy.key", "ca-key.pem", "node1-key.pem", "node3-key.pem"] {
        has_mode(&trio.join(secret), 0o600);
    }
    // As it is written the nodes find each other; in a test the system chooses the ports.
    let checked = in_folder(&trio, &["check", "node2.toml"]);
    for expected in [
        "127.0.0.1:64001",
        "with TLS",
        "peer 127.0.0.1:64000",
        "peer 127.0.0.1:64002",
    ] {
        assert!(checked.answer().contains(expected), "{expected}: {}", checked.stdout);
    }
    let (_first, address) = start(&trio, "node1.toml", &[]);
    let to_first = ["--set".to_owned(), format!("node.peers=[{address:?}]")];
    let (_second, second) = start(&trio, "node2.toml", &to_first);
    let to_both = ["--set".to_owned(), format!("node.peers=[{address:?}, {second:?}]")];
    let _third = start(&trio, "node3.toml", &to_both);
    let links = wait::until(
        "each node to have a session with each other",
        || in_folder(&trio, &["nodes", "-f", "node1.toml", "--all-nodes", "--output", "json"]),
        |ended| {
            let nodes: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
            let named = |link: &&Value| !link["name"].as_str().unwrap_or_default().starts_with("cli-");
            let count = |node: &Value| {
                node["links"]
                    .as_array()
                    .map_or(0, |links| links.iter().filter(named).count())
            };
            nodes
                .as_array()
                .is_some_and(|nodes| nodes.len() == 3 && nodes.iter().all(|node| count(node) == 2))
        },
    );
    assert_eq!(links.code, Some(0));
}

#[test]
fn a_cluster_on_several_machines_says_who_needs_which_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = [
        "init",
        "duo",
        "--cluster",
        "2",
        "--tls",
        "--host",
        "a.example,b.example",
    ];
    let made = in_folder(folder.path(), &words);
    let files = "# on b.example, with cookie deploy.key ca.pem node2.pem node2-key.pem node2.toml:";
    assert!(made.answer().contains(files), "{}", made.stdout);
    let checked = in_folder(&folder.path().join("duo"), &["check", "node1.toml"]);
    for expected in [
        "node node1@a.example, would listen on 0.0.0.0:4697",
        "peer b.example:4697",
    ] {
        assert!(checked.answer().contains(expected), "{expected}: {}", checked.stdout);
    }
    let three = in_folder(
        folder.path(),
        &["init", "trio", "--cluster", "3", "--tls", "--host", "a.example"],
    );
    assert_eq!(three.code, Some(2));
    assert!(
        three.stderr.contains("--host names 1 machines for 3 nodes"),
        "{}",
        three.stderr
    );
}

/// What a doctor found that is of this kind and level.
fn found<'a>(report: &'a Value, check: &str, level: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["check"] == check && finding["level"] == level)
        .collect()
}

#[track_caller]
fn doctor(folder: &Path, code: i32) -> Value {
    let ended = in_folder(folder, &["doctor", "--output", "json"]);
    assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn a_doctor_finds_a_port_that_is_taken_a_peer_that_is_down_and_a_weak_cookie() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    // Nobody listens there: it was given back.
    let free = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let toml = node_toml("alpha", &format!("peers = [\"127.0.0.1:{free}\"]\n"));
    let toml = toml.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let folder = NodeFolder::new(&toml, COOKIE);
    let report = doctor(&folder.path(""), 1);
    assert_eq!(report["ok"], false);
    let [listen] = found(&report, "listen", "fail")[..] else {
        panic!("one finding: {report:#}")
    };
    let whose = format!("process {} (", std::process::id());
    assert!(listen["what"].as_str().expect("a text").starts_with(&whose), "{listen}");
    assert!(listen["do"].is_string() && listen["why"].is_string());
    assert_eq!(found(&report, "peer", "warn").len(), 1, "{report:#}");
    assert_eq!(
        found(&report, "file", "warn").len(),
        1,
        "the cookie can be guessed: {report:#}"
    );
}

#[test]
fn a_doctor_finds_what_keeps_a_file_from_being_one() {
    let folder = NodeFolder::new(&node_toml("alpha", "").replace("name", "nmae"), COOKIE);
    let report = doctor(&folder.path(""), 1);
    let [file] = found(&report, "file", "fail")[..] else {
        panic!("one finding: {report:#}")
    };
    assert!(
        file["what"].as_str().expect("a text").contains("did you mean `name`?"),
        "{file}"
    );
    let exposed = NodeFolder::new(&node_toml("alpha", ""), COOKIE);
    fs::set_permissions(exposed.path("cookie"), fs::Permissions::from_mode(0o644)).expect("a mode");
    let report = doctor(&exposed.path(""), 1);
    assert!(
        found(&report, "file", "fail")[0]["what"].to_string().contains("cookie"),
        "{report:#}"
    );
}

#[test]
fn a_doctor_asks_the_node_how_it_is() {
    let alpha = node("alpha", "");
    at(&alpha, &["stop", "counter"]).answer();
    let report = json(&alpha, &["doctor"]);
    let [stopped] = found(&report, "actor", "warn")[..] else {
        panic!("one finding: {report:#}")
    };
    assert_eq!(stopped["do"], "`ractor-host start counter`, if it is wanted again");
    assert_eq!(found(&report, "node", "ok").len(), 1);
    let clocks = found(&report, "clock", "ok");
    assert!(
        clocks.iter().any(|clock| clock["subject"] == "alpha@localhost"),
        "{report:#}"
    );
    assert!(
        found(&report, "listen", "fail").is_empty(),
        "its own port is no finding"
    );
}
