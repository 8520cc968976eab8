//! Keys that allow less than to deploy.

use ractor_host_tests::cli::{Ended, end};
use ractor_host_tests::host::HostNode;

use crate::operator::{command, node};

/// Asks from elsewhere, with the key in this file of the node's folder.
#[track_caller]
fn with_key(node: &HostNode, key: &str, words: &[&str]) -> Ended {
    let (cookie, key) = (node.cookie_file(), node.file(key));
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut command = command(elsewhere.path(), words);
    command
        .args(["--node", node.address(), "--cookie-file"])
        .arg(cookie)
        .arg("--key-file")
        .arg(key);
    end(&format!("ractor-host {} with a key", words.join(" ")), &mut command)
}

#[test]
fn a_key_allows_what_its_role_does() {
    let keys = tempfile::tempdir().expect("a folder");
    let write = |role: &str| {
        let path = keys.path().join(role);
        std::fs::write(&path, format!("{role} 0f1e2d3c4b5a69788796a5b4c3d2e1f0")).expect("a key");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("permissions");
        path
    };
    let control = format!(
        "[control]\nkey_file = {:?}\noperate_key_file = {:?}\nobserve_key_file = {:?}\n",
        write("deploy"),
        write("operate"),
        write("observe")
    );
    let alpha = node("alpha", &control);
    let key = |role: &str| keys.path().join(role).display().to_string();
    for role in ["observe", "operate", "deploy"] {
        let seen = with_key(&alpha, &key(role), &["ps"]);
        assert!(seen.answer().contains("counter"), "{role}: {}", seen.stdout);
    }
    for role in ["observe", "operate"] {
        let refused = with_key(&alpha, &key(role), &["reload", "counter"]);
        assert_eq!(refused.code, Some(1));
        let says = format!("this takes the role `deploy`, and the key proves `{role}`");
        assert!(refused.stdout.contains(&says), "{}{}", refused.stdout, refused.stderr);
    }
    let reloaded = with_key(&alpha, &key("deploy"), &["reload", "counter"]);
    assert!(reloaded.answer().contains("0 actors changed"), "{}", reloaded.stdout);
    let stranger = with_key(&alpha, &write("stranger").display().to_string(), &["ps"]);
    assert_eq!(stranger.code, Some(1));
    assert!(
        stranger.stderr.contains("the key is none of the node's"),
        "{}",
        stranger.stderr
    );
}
