//! A node with `[node.tls]`, and the commands that reach it or don't.

use std::path::Path;

use ractor_host_tests::certificates::{Ca, Certificates};
use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::{COOKIE, cli};

/// Certificates of a CA of their own.
fn of_a_new_ca() -> Certificates {
    let ca = Ca::new("of the test");
    ca.issue(&ca)
}

/// `--tls-WHAT FILE`, one of the options of these certificates.
fn option(certificates: &Certificates, what: &str) -> [String; 2] {
    let options = certificates.options();
    let name = format!("--tls-{what}");
    let at = options.iter().position(|word| *word == name).expect("an option");
    let file = options.get(at + 1).expect("its file").clone();
    [name, file]
}

fn call(node: &HostNode, cookie: &Path, options: &[[String; 2]]) -> Ended {
    let mut arguments = vec!["group:counters", "Get", "--reply", "u64"];
    arguments.extend(options.iter().flatten().map(String::as_str));
    message("call", node.address(), cookie, &arguments)
}

#[test]
fn a_call_needs_the_ca_and_a_certificate() {
    let certificates = of_a_new_ca();
    let rest = certificates.node_toml() + &guest_counter("tls-counter", "counters", 7);
    let node = HostNode::start("alpha", &rest);
    let folder = NodeFolder::new("", COOKIE);
    let cookie = folder.path("cookie");
    let ca = option(&certificates, "ca");
    let cert = option(&certificates, "cert");
    let key = option(&certificates, "key");

    let plain = call(&node, &cookie, &[]);
    assert_eq!(plain.code, Some(1));
    assert!(
        plain.stderr.contains("if it expects TLS, pass `--tls-ca FILE`"),
        "{plain:?}"
    );

    let foreign = of_a_new_ca();
    let foreign_ca = option(&foreign, "ca");
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
    let certificates = of_a_new_ca();
    for rest in ["insecure = true\n".to_owned(), certificates.node_toml()] {
        let accepted = check(&format!("{text}{rest}"));
        assert_eq!(accepted.code, Some(0), "{accepted:?}");
    }
}
