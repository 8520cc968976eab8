//! Secrets and certificates that are replaced while their node runs.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use ractor_host_tests::certificates::Ca;
use ractor_host_tests::cli::Ended;
use ractor_host_tests::host::{HostNode, guest_counter, keep_private};
use ractor_host_tests::process::{Signal, Stream};
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::http::{ask, url};
use crate::operator::{at, in_folder};

const FIRST: &str = "first-0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const SECOND: &str = "second-0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const OTHER: &str = "other-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

#[track_caller]
fn write(path: &Path, secret: &str) {
    fs::write(path, secret).expect("a secret");
    keep_private(path);
}

/// A node with this in `[admin]` and before it.
fn node(before: &str, admin: &str) -> HostNode {
    let counter = guest_counter("counter", "counters", 0);
    let rest = format!("{before}[admin]\nlisten = \"127.0.0.1:0\"\n{admin}[runtime]\nstate_dir = \"state\"\n{counter}");
    HostNode::start("alpha", &rest)
}

fn status(url: &str, token: &str) -> u16 {
    let token = format!("Bearer {token}");
    ask("GET", &format!("{url}/v1/status"), &[("authorization", &token)], None).status
}

#[track_caller]
fn applied(node: &HostNode, words: &[&str], code: i32) -> Value {
    let ended = at(node, &[&["apply", "--output", "json"], words].concat());
    assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
    let all: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    all[0].clone()
}

#[test]
fn a_token_counts_from_the_next_request_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    write(&token, FIRST);
    let mut alpha = node("", &format!("observe_token_file = {token:?}\n"));
    let url = url(&mut alpha);
    assert_eq!((status(&url, FIRST), status(&url, SECOND)), (200, 401));
    write(&token, SECOND);
    let planned = at(&alpha, &["apply", "--dry-run"]);
    assert!(
        planned.answer().ends_with("  ~ secrets of [admin]: observe_token_file"),
        "{}",
        planned.stdout
    );
    assert_eq!((status(&url, FIRST), status(&url, SECOND)), (200, 401), "only a plan");
    let report = applied(&alpha, &[], 0);
    assert_eq!(
        report["changes"],
        json!([{"action": "change", "of": "secrets", "name": "admin", "keys": ["observe_token_file"]}])
    );
    assert_eq!((status(&url, FIRST), status(&url, SECOND)), (401, 200));
    assert_eq!(applied(&alpha, &[], 0)["outcome"], "unchanged");
    // By a signal as well.
    write(&token, FIRST);
    alpha.process().signal(Signal::HUP);
    alpha
        .process()
        .wait_line(Stream::Stderr, 0, "that it is applied", |line| {
            line.contains("node.toml is applied")
        });
    assert_eq!((status(&url, FIRST), status(&url, SECOND)), (200, 401));
}

/// Asks a node from elsewhere, with the key in a file.
fn from_elsewhere(node: &HostNode, key: &Path) -> Ended {
    let (cookie, key) = (node.cookie_file(), key.display().to_string());
    let cookie = cookie.display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    in_folder(
        folder.path(),
        &[
            "ps",
            "--node",
            node.address(),
            "--cookie-file",
            &cookie,
            "--key-file",
            &key,
        ],
    )
}

#[test]
fn a_key_that_is_replaced_or_removed_proves_nothing_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let [key, observing, old] = ["key", "observing", "old"].map(|name| folder.path().join(name));
    write(&key, FIRST);
    write(&old, FIRST);
    write(&observing, OTHER);
    let both = format!("[control]\nkey_file = {key:?}\nobserve_key_file = {observing:?}\n");
    let alpha = node(&both, "");
    for key in [&key, &observing] {
        let ended = from_elsewhere(&alpha, key);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    write(&key, SECOND);
    assert_eq!(applied(&alpha, &[], 0)["changes"][0]["keys"], json!(["key_file"]));
    assert_eq!(from_elsewhere(&alpha, &key).code, Some(0));
    assert_eq!(from_elsewhere(&alpha, &observing).code, Some(0));
    assert_ne!(from_elsewhere(&alpha, &old).code, Some(0));
    // The role whose line is gone is nobody's.
    let file = alpha.file("node.toml");
    let text = fs::read_to_string(&file).expect("its file");
    let without: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("observe_key_file"))
        .collect();
    fs::write(&file, without.join("\n")).expect("its file");
    assert_eq!(
        applied(&alpha, &[], 0)["changes"][0]["keys"],
        json!(["observe_key_file"])
    );
    assert_ne!(from_elsewhere(&alpha, &observing).code, Some(0));
    assert_eq!(from_elsewhere(&alpha, &key).code, Some(0));
}

#[test]
fn one_file_that_is_no_good_keeps_all_of_them_from_being_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let [good, bad] = ["good", "bad"].map(|name| folder.path().join(name));
    write(&good, FIRST);
    write(&bad, OTHER);
    let tokens = format!("observe_token_file = {good:?}\noperate_token_file = {bad:?}\n");
    let mut alpha = node("", &tokens);
    let url = url(&mut alpha);
    write(&good, SECOND);
    for broken in ["", "short", SECOND] {
        write(&bad, broken);
        assert_eq!(at(&alpha, &["apply"]).code, Some(2), "{broken:?}");
        // The node finds it as well, and not the command alone.
        let seen = alpha.process().lines(Stream::Stderr).len();
        alpha.process().signal(Signal::HUP);
        alpha
            .process()
            .wait_line(Stream::Stderr, seen, "what is wrong", |line| {
                line.contains("the file is wrong")
            });
        assert_eq!((status(&url, FIRST), status(&url, SECOND)), (200, 401), "{broken:?}");
    }
    write(&bad, OTHER);
    let anybody = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&bad, anybody).expect("permissions");
    assert_eq!(at(&alpha, &["apply"]).code, Some(2));
    assert_eq!(status(&url, FIRST), 200);
    keep_private(&bad);
    assert_eq!(applied(&alpha, &[], 0)["outcome"], "applied");
    assert_eq!((status(&url, FIRST), status(&url, OTHER)), (401, 200));
}

/// Whether a client that trusts this CA accepts what the server shows.
fn accepts(port: u16, ca: &Path) -> bool {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(ca).expect("a CA");
    roots.add(certificate).expect("a CA");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions");
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    match client.complete_io(&mut stream) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::InvalidData => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_certificate_of_the_admin_http_is_replaced_with_the_rest() {
    let (before, after) = (Ca::new("before"), Ca::new("after"));
    let (old, new) = (before.issue(&before), after.issue(&after));
    let folder = tempfile::tempdir().expect("a folder");
    let [cert, key, token] = ["cert.pem", "key.pem", "token"].map(|name| folder.path().join(name));
    let put = |certificates: &ractor_host_tests::certificates::Certificates| {
        for (from, to) in [(certificates.cert(), &cert), (certificates.key(), &key)] {
            fs::copy(from, to).expect("a copy");
            keep_private(to);
        }
    };
    put(&old);
    write(&token, FIRST);
    let mut alpha = node(
        "",
        &format!("observe_token_file = {token:?}\ntls = {{ cert = {cert:?}, key = {key:?} }}\n"),
    );
    let url = url(&mut alpha);
    let port = url
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    assert!(accepts(port, old.ca()) && !accepts(port, new.ca()));
    put(&new);
    let report = applied(&alpha, &[], 0);
    // Unless the node has seen it by itself, which it does every ten seconds.
    let changes = report["changes"].as_array().expect("a list");
    assert!(
        changes
            .iter()
            .all(|change| change["of"] == "certificates" && change["name"] == "admin.tls"),
        "{report}"
    );
    assert!(accepts(port, new.ca()) && !accepts(port, old.ca()));
}
