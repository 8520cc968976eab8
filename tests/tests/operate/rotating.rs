//! Secrets and certificates that are replaced while their node runs.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use ractor_host_tests::certificates::{Ca, Certificates};
use ractor_host_tests::cli::Ended;
use ractor_host_tests::host::{HostNode, guest_counter, keep_private};
use ractor_host_tests::process::{Signal, Stream};
use ractor_host_tests::wait;
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{admin_node, ask, url};
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

#[test]
fn nobody_gets_in_while_what_is_to_keep_them_out_waits_for_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let [token, other] = ["token", "other"].map(|name| folder.path().join(name));
    write(&token, FIRST);
    write(&other, OTHER);
    let mut alpha = node("", &format!("observe_token_file = {token:?}\n"));
    let url = url(&mut alpha);
    let anonymous = || ask("GET", &format!("{url}/v1/status"), &[], None).status;
    let file = alpha.file("node.toml");
    let before = fs::read_to_string(&file).expect("its file");
    let observing = format!("listen = \"127.0.0.1:0\"\nobserve_token_file = {token:?}\n");
    let apply = |admin: &str, code| {
        assert!(before.contains(&observing), "{before}");
        fs::write(&file, before.replace(&observing, admin)).expect("its file");
        applied(&alpha, &[], code);
    };
    // Where other machines reach the node, looking takes a token without a word of it. The node doesn't listen there before it is restarted.
    let elsewhere = format!("listen = \"0.0.0.0:0\"\noperate_token_file = {other:?}\n");
    for _ in 0..2 {
        apply(&elsewhere, 5);
        assert_eq!((anonymous(), status(&url, FIRST), status(&url, OTHER)), (401, 401, 200));
    }
    // But this is what the file says.
    apply(
        &format!("listen = \"127.0.0.1:0\"\noperate_token_file = {other:?}\n"),
        0,
    );
    assert_eq!((anonymous(), status(&url, OTHER)), (200, 200));
    apply(&observing, 0);
    assert_eq!((anonymous(), status(&url, FIRST)), (401, 200));
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

/// A connection on which requests are sent one after the other, from a client that shows this certificate.
struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    fn new(port: u16, server: &Path, client: &Certificates) -> Self {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(server).expect("a CA");
        roots.add(certificate).expect("a CA");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let chain = vec![CertificateDer::from_pem_file(client.cert()).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(client.key()).expect("a key");
        let config = config.with_root_certificates(roots).with_client_auth_cert(chain, key);
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(config.expect("a client")), name).expect("a client");
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        Self(StreamOwned::new(client, stream))
    }

    /// The first line of the answer. None if the connection is over.
    fn ask(&mut self, path: &str) -> Option<String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match self.0.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(read) => answer.extend_from_slice(&piece[..read]),
            }
            // `/healthz` answers `ok`, and a stream begins with a picture of the node.
            let text = String::from_utf8_lossy(&answer);
            if text.ends_with("ok\n") || text.contains("event: snapshot") {
                return text.lines().next().map(str::to_owned);
            }
        }
    }
}

#[test]
fn whose_certificate_counts_no_longer_is_not_answered_on_an_old_connection_either() {
    let (before, after) = (Ca::new("before"), Ca::new("after"));
    let (server, old, new) = (before.issue(&before), before.issue(&before), after.issue(&after));
    let tls = server.node_toml().replace("[node.tls]", "[admin.tls]");
    let mut alpha = admin_node("alpha", &[], &format!("{tls}client_role = \"operate\"\n"));
    let url = url(&mut alpha);
    let port = url
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let (mut asks, mut reads) = (
        Connection::new(port, server.ca(), &old),
        Connection::new(port, server.ca(), &old),
    );
    let ok = Some("HTTP/1.1 200 OK".to_owned());
    assert_eq!(
        (asks.ask("/healthz"), reads.ask("/v1/stream")),
        (ok.clone(), ok.clone())
    );
    // Another certificate of the node itself is nobody else's affair.
    let renewed = before.issue(&before);
    for (from, to) in [(renewed.cert(), server.cert()), (renewed.key(), server.key())] {
        fs::copy(from, to).expect("a copy");
        keep_private(to);
    }
    applied(&alpha, &[], 0);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(asks.ask("/healthz"), ok);
    let own = fs::read(server.ca()).expect("a CA");
    fs::copy(new.ca(), server.ca()).expect("a copy");
    applied(&alpha, &[], 0);
    wait::until("the end of the connection", || asks.ask("/healthz"), Option::is_none);
    // It ends by itself, with whatever comes last.
    let mut rest = Vec::new();
    drop(reads.0.read_to_end(&mut rest));
    fs::write(server.ca().with_extension("own"), own).expect("a CA");
    let mut comes = Connection::new(port, &server.ca().with_extension("own"), &new);
    assert_eq!(comes.ask("/healthz"), ok);
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
