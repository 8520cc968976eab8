//! Mistakes in `[admin]`.

use super::{check_below, folder, parse, restrict};
use crate::control::Role;

/// A good file with this in `[admin]`, in a folder with two good tokens.
fn admin(lines: &str) -> Result<super::AdminSection, String> {
    let folder = folder();
    for (name, token) in [("observe", "observe-0123456789"), ("operate", "operate-0123456789")] {
        let path = folder.path().join(name);
        std::fs::write(&path, token).unwrap();
        restrict(&path, 0o600);
    }
    let text = format!("[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n[admin]\n{lines}");
    match parse(&text, folder.path()) {
        Ok(config) if config.warnings.first.is_empty() => Ok(config.admin.unwrap()),
        Ok(config) => Err(config.warnings.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn whoever_is_on_this_machine_may_look_unless_that_takes_a_token() {
    let anonymous = |lines: &str| admin(lines).unwrap().anonymous();
    let loopback = "listen = \"127.0.0.1:0\"\n";
    assert_eq!(anonymous(loopback), Some(Role::Observe));
    assert_eq!(
        anonymous(&format!("{loopback}operate_token_file = \"operate\"")),
        Some(Role::Observe)
    );
    assert_eq!(anonymous(&format!("{loopback}observe_token_file = \"observe\"")), None);
    assert_eq!(anonymous("listen = \"[::1]:0\"\nobserve_token_env = \"KEY\""), None);
}

#[test]
fn an_address_that_others_reach_takes_a_token_and_says_that_it_travels() {
    let open = admin("listen = \"0.0.0.0:9690\"").unwrap_err();
    assert!(open.contains("anybody there could look at this node"), "{open}");
    let plain = admin("listen = \"0.0.0.0:9690\"\nobserve_token_file = \"observe\"").unwrap_err();
    assert!(plain.contains("tokens travel there as plain text"), "{plain}");
}

#[test]
fn a_token_is_of_one_role_and_no_other_secret() {
    let loopback = "listen = \"127.0.0.1:0\"\n";
    let twice = admin(&format!(
        "{loopback}observe_token_file = \"observe\"\ndeploy_token_file = \"observe\""
    ))
    .unwrap_err();
    assert!(
        twice.contains("the token to deploy is that of the role `observe`, too"),
        "{twice}"
    );
    let cookie = admin(&format!("{loopback}observe_token_file = \"cookie\"")).unwrap_err();
    assert!(cookie.contains("the token to observe is the cookie, too"), "{cookie}");
    let key = admin(&format!(
        "{loopback}observe_token_env = \"KEY\"\n[control]\nkey_env = \"KEY\""
    ))
    .unwrap_err();
    assert!(key.contains("the token to observe is a key of [control], too"), "{key}");
}

#[test]
fn a_mistake_in_the_table_is_explained() {
    for (lines, expected) in [
        (
            "[admin]",
            r#"
node.toml:4:1: [admin] has no `listen`
 4 | [admin]
   | ^^^^^^^ add for example `listen = "127.0.0.1:9690"`"#,
        ),
        (
            "[admin]\nlisten = \"9690\"",
            r#"
node.toml:5:10: `listen` is not an address with a port
 5 | listen = "9690"
   |          ^^^^^^ did you mean `127.0.0.1:9690`?"#,
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"x\"",
            r#"
node.toml:6:1: unknown key `token_file` in [admin]
 6 | token_file = …
   | ^^^^^^^^^^ each role has a token of its own: write `observe_token_file`, `operate_token_file` or `deploy_token_file`"#,
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\nobserve_token_file = \"open\"",
            r#"
node.toml:6:22: the token file DIR/open can be read by every user of this machine (mode 0644)
 6 | observe_token_file = "open"
   |                      ^^^^^^ run `chmod 600 DIR/open`"#,
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\nobserve_token_file = \"short\"",
            r#"
node.toml:6:22: the token DIR/short has 6 bytes; expected at least 16
 6 | observe_token_file = "short"
   |                      ^^^^^^^ make one with `openssl rand -hex 32`"#,
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\nallowed_hosts = [\"a:80\"]",
            r#"
node.toml:6:18: "a:80" is not the name of a host
 6 | allowed_hosts = ["a:80"]
   |                  ^^^^^^ expected a name without a port, for example `node.example.com`"#,
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\nrequired_peers = [\"beta:4697\"]",
            r#"
node.toml:6:19: "beta:4697" is not the full name of a node
 6 | required_peers = ["beta:4697"]
   |                   ^^^^^^^^^^^ expected NAME@HOSTNAME, for example `beta@localhost`"#,
        ),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\n[admin.tls]\ncert = \"cookie\"",
            r#"
node.toml:6:1: [admin.tls] has no `key`
 6 | [admin.tls]
   | ^^^^^^^^^^^ add for example `key = "node-key.pem"`"#,
        ),
    ] {
        check_below(lines, expected);
    }
}
