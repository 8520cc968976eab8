//! A node with `[node.tls]`, and the commands that reach it or don't.

use std::path::{Path, PathBuf};

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::{COOKIE, cli};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// A folder with `ca.pem`, and with `cert.pem` and `key.pem` for 127.0.0.1.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("an address");
        let cert = params.signed_by(&key, &ca).expect("a certificate");
        let this = Self(tempfile::tempdir().expect("a folder"));
        for (name, pem) in [
            ("ca.pem", ca.pem()),
            ("cert.pem", cert.pem()),
            ("key.pem", key.serialize_pem()),
        ] {
            std::fs::write(this.path(name), pem).expect("a file");
        }
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An option of the command line with one of the files.
    fn option(&self, option: &str, name: &str) -> [String; 2] {
        [option.to_owned(), self.path(name).display().to_string()]
    }

    fn table(&self) -> String {
        let [cert, key, ca] = ["cert.pem", "key.pem", "ca.pem"].map(|name| self.path(name));
        format!("[node.tls]\ncert = {cert:?}\nkey = {key:?}\nca = {ca:?}\n")
    }
}

fn call(node: &HostNode, cookie: &Path, options: &[[String; 2]]) -> Ended {
    let mut arguments = vec!["group:counters", "Get", "--reply", "u64"];
    arguments.extend(options.iter().flatten().map(String::as_str));
    message("call", node.address(), cookie, &arguments)
}

#[test]
fn a_call_needs_the_ca_and_a_certificate() {
    let certificates = Certificates::new();
    let rest = certificates.table() + &guest_counter("tls-counter", "counters", 7);
    let node = HostNode::start("alpha", &rest);
    let folder = NodeFolder::new("", COOKIE);
    let cookie = folder.path("cookie");
    let ca = certificates.option("--tls-ca", "ca.pem");
    let cert = certificates.option("--tls-cert", "cert.pem");
    let key = certificates.option("--tls-key", "key.pem");

    let plain = call(&node, &cookie, &[]);
    assert_eq!(plain.code, Some(1));
    assert!(
        plain.stderr.contains("if it wants TLS, say `--tls-ca FILE`"),
        "{plain:?}"
    );

    let foreign = Certificates::new();
    let foreign_ca = foreign.option("--tls-ca", "ca.pem");
    let distrusted = call(&node, &cookie, &[foreign_ca, cert.clone(), key.clone()]);
    assert_eq!(distrusted.code, Some(1));
    assert!(
        distrusted.stderr.contains("the certificate is not signed by the `ca`"),
        "{distrusted:?}"
    );

    let anonymous = call(&node, &cookie, std::slice::from_ref(&ca));
    assert_eq!(anonymous.code, Some(1));
    assert!(anonymous.stderr.contains("give it `cert` and `key`"), "{anonymous:?}");

    assert_eq!(call(&node, &cookie, &[ca, cert, key]).answer(), "7");
}

#[test]
fn a_node_is_not_reachable_in_plain_text_by_accident() {
    let text = "[node]\nname = \"alpha\"\nlisten = \"0.0.0.0:0\"\ncookie_file = \"cookie\"\n";
    let check = |text: &str| {
        let folder = NodeFolder::new(text, COOKIE);
        let file = folder.path("node.toml").display().to_string();
        cli::ractor_host(&["check", &file])
    };
    let refused = check(text);
    assert_eq!(refused.code, Some(2));
    for word in ["node.toml:3:10", "[node.tls]", "insecure = true"] {
        assert!(refused.stderr.contains(word), "{refused:?}");
    }
    let certificates = Certificates::new();
    for rest in ["insecure = true\n".to_owned(), certificates.table()] {
        let accepted = check(&format!("{text}{rest}"));
        assert_eq!(accepted.code, Some(0), "{accepted:?}");
    }
}
