//! Mistakes in `[node.tls]`.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::{folder, parse, restrict};
use crate::tls::ClientAuth;

/// Adds `ca.pem`, a `cert.pem` that it signed with its `key.pem`, and the `other-….pem` of another CA.
fn add_certificates(folder: &Path) {
    for prefix in ["", "other-"] {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{prefix}ca"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["node.example".to_owned()]).unwrap();
        let cert = params.signed_by(&key, &ca).unwrap();
        let write = |name: &str, pem: &str| {
            let path = folder.join(format!("{prefix}{name}.pem"));
            std::fs::write(&path, pem).unwrap();
            restrict(&path, 0o600);
        };
        write("ca", &ca.pem());
        write("cert", &cert.pem());
        write("key", &key.serialize_pem());
    }
}

/// What is said of a file with these lines in `[node]` and in `[node.tls]`.
fn findings(node: &str, tls: &str) -> String {
    let folder = folder();
    add_certificates(folder.path());
    let text = format!("[node]\nname = \"a\"\ncookie_file = \"cookie\"\n{node}\n[node.tls]\n{tls}");
    let findings = match parse(&text, folder.path()) {
        Ok(config) => config.warnings.to_string(),
        Err(error) => error.to_string(),
    };
    findings.replace(&folder.path().display().to_string(), "DIR")
}

#[track_caller]
fn check(node: &str, tls: &str, expected: &str) {
    let findings = findings(node, tls);
    assert_eq!(findings, expected.trim_start_matches('\n'), "rendered as\n{findings}");
}

const PAIR: &str = "cert = \"cert.pem\"\nkey = \"key.pem\"";

#[test]
fn a_good_table_is_mutual_tls_unless_it_says_otherwise() {
    let folder = folder();
    add_certificates(folder.path());
    for (lines, client_auth) in [
        ("ca = \"ca.pem\"", ClientAuth::Required),
        ("ca = \"ca.pem\"\nclient_auth = \"required\"", ClientAuth::Required),
        ("ca = \"ca.pem\"\nclient_auth = \"none\"", ClientAuth::None),
        ("", ClientAuth::None),
    ] {
        let node = "[node]\nname = \"a\"\ncookie_file = \"cookie\"\nlisten = \"0.0.0.0:1\"";
        let config = parse(&format!("{node}\n[node.tls]\n{PAIR}\n{lines}"), folder.path()).unwrap();
        assert_eq!(config.warnings.to_string(), "");
        let tls = config.node.tls.unwrap();
        assert_eq!(tls.client_auth, client_auth, "{lines}");
        assert_eq!(tls.server_name, None);
        tls.tls.acceptor(tls.client_auth).unwrap();
    }
    let text = format!("ca = \"ca.pem\"\nserver_name = \"node.example\"\n{PAIR}");
    check("peers = [\"beta:1\"]", &text, "");
}

#[test]
fn what_is_missing_is_said() {
    check(
        "",
        "ca = \"ca.pem\"",
        r#"
node.toml:5:1: [node.tls] has no `cert`
 5 | [node.tls]
   | ^^^^^^^^^^ add for example `cert = "node.pem"`

node.toml:5:1: [node.tls] has no `key`
 5 | [node.tls]
   | ^^^^^^^^^^ add for example `key = "node-key.pem"`"#,
    );
    check(
        "peers = [\"beta:1\"]",
        &format!("{PAIR}\nclient_auth = \"required\"\nserver_name = \"a b\""),
        r#"
node.toml:5:1: [node.tls] has no `ca` to check the certificates of `peers` against
 5 | [node.tls]
   | ^^^^^^^^^^ add for example `ca = "ca.pem"`

node.toml:8:15: `client_auth` needs a `ca` to check the certificates of others against
 8 | client_auth = "required"
   |               ^^^^^^^^^^ add for example `ca = "ca.pem"`

node.toml:9:15: `server_name` is not a name that a certificate can have
 9 | server_name = "a b"
   |               ^^^^^ expected a DNS name or an IP address, as it is in the certificates of the peers"#,
    );
    check(
        "",
        &format!("{PAIR}\nclient_auth = \"maybe\"\ninsecure = true"),
        r#"
node.toml:8:15: `client_auth` is neither `required` nor `none`
 8 | client_auth = "maybe"
   |               ^^^^^^^ expected `required` or `none`

node.toml:9:1: unknown key `insecure` in [node.tls]
 9 | insecure = …
   | ^^^^^^^^ it belongs to the table `[node]`"#,
    );
}

#[test]
fn files_are_read_and_fit_together() {
    check(
        "",
        "cert = \"nope.pem\"\nkey = \"key.pem\"",
        r#"
node.toml:6:8: the file DIR/nope.pem cannot be read: No such file or directory (os error 2)
 6 | cert = "nope.pem"
   |        ^^^^^^^^^^ looked for it in DIR, the folder of this file"#,
    );
    check(
        "",
        "cert = \"cert.pem\"\nkey = \"other-key.pem\"",
        r#"
node.toml:7:7: the key in DIR/other-key.pem is not that of the certificate in DIR/cert.pem
 7 | key = …
   |       ^ replace both together"#,
    );
    let swapped = findings("", "cert = \"key.pem\"\nkey = \"cert.pem\"");
    assert!(
        swapped.starts_with("node.toml:6:8: the file DIR/key.pem holds no certificate in PEM form"),
        "{swapped}"
    );
    let no_ca = findings("", &format!("{PAIR}\nca = \"cookie\""));
    assert!(
        no_ca.starts_with("node.toml:8:6: the file DIR/cookie holds no certificate in PEM form"),
        "{no_ca}"
    );
    assert!(!no_ca.contains("s3cret"), "{no_ca}");
}

#[test]
fn a_certificate_of_another_ca_is_a_warning() {
    check(
        "",
        &format!("{PAIR}\nca = \"other-ca.pem\""),
        r#"
node.toml:6:8: nodes with the same `ca` will not accept the certificate of this one
 6 | cert = "cert.pem"
   |        ^^^^^^^^^^ invalid peer certificate: UnknownIssuer; the certificate is not signed by the `ca` of this node"#,
    );
}

#[test]
#[cfg(unix)]
fn a_key_that_everybody_can_read_is_refused() {
    let folder = folder();
    add_certificates(folder.path());
    restrict(&folder.path().join("key.pem"), 0o604);
    let text = format!("[node]\nname = \"a\"\ncookie_file = \"cookie\"\n[node.tls]\n{PAIR}");
    let error = parse(&text, folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("node.toml:6:7: the private key "), "{error}");
    assert!(
        error.contains("can be read by every user of this machine (mode 0604)"),
        "{error}"
    );
    assert!(error.contains("^ run `chmod 600 "), "{error}");
}

/// It says who the node is, or whom it trusts.
#[test]
#[cfg(unix)]
fn a_certificate_that_others_can_change_is_refused() {
    let text = format!("[node]\nname = \"a\"\ncookie_file = \"cookie\"\n[node.tls]\n{PAIR}\nca = \"ca.pem\"\n");
    for (file, place) in [("cert.pem", "node.toml:5:8"), ("ca.pem", "node.toml:7:6")] {
        let folder = folder();
        add_certificates(folder.path());
        restrict(&folder.path().join(file), 0o646);
        let error = parse(&text, folder.path()).unwrap_err().to_string();
        assert!(error.starts_with(place), "{file}: {error}");
        assert!(
            error.contains("can be written by every user of this machine (mode 0646)"),
            "{error}"
        );
        assert!(error.contains("^ run `chmod go-w "), "{error}");
    }
}
