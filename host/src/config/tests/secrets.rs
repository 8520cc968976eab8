//! Where secrets are, and what a text editor or a mistake makes of the files that have them.

use super::*;

/// A good file with this in `[control]`.
fn with_control(lines: &str) -> String {
    format!("[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n[control]\n{lines}")
}

#[test]
fn what_a_text_editor_adds_is_no_part_of_a_secret() {
    let folder = folder();
    let cookie = |file: &str| {
        let text = format!("[node]\nname = \"a\"\ncookie_file = \"{file}\"");
        parse(&text, folder.path()).unwrap().node.cookie
    };
    assert_eq!(cookie("edited"), cookie("cookie"));
    let key = |lines: &str| {
        parse(&with_control(lines), folder.path())
            .unwrap()
            .control
            .unwrap()
            .keys[0]
            .key
            .clone()
    };
    assert!(key("key_file = \"deploy.key\"") == key("key_env = \"KEY\""));
}

#[test]
fn the_deploy_key_is_in_a_file_or_a_variable() {
    for (lines, expected) in [
        (
            "",
            r#"
node.toml:4:1: [control] does not say where the deploy key is
 4 | [control]
   | ^^^^^^^^^ add `key_file = "…"` or `key_env = "…"`"#,
        ),
        (
            "key_file = \"deploy.key\"\nkey_env = \"KEY\"",
            r#"
node.toml:6:11: both `key_file` and `key_env` say where the deploy key is
 6 | key_env = "KEY"
   |           ^^^^^ keep one of them"#,
        ),
        (
            "key_env = \"a=b\"",
            r#"
node.toml:5:11: `key_env` is not the name of a variable
 5 | key_env = …
   |           ^ expected for example `RACTOR_DEPLOY_KEY`"#,
        ),
        (
            "key_env = \"UNSET\"",
            r#"
node.toml:5:11: the environment variable UNSET is not set
 5 | key_env = "UNSET"
   |           ^^^^^^^ set it to the control key"#,
        ),
        (
            "key_env = \"NAME\"",
            r#"
node.toml:5:11: the control key in NAME has 4 bytes; expected at least 16
 5 | key_env = "NAME"
   |           ^^^^^^ make one with `openssl rand -hex 32`, and give it to the nodes and to those who are to have its role"#,
        ),
    ] {
        check(&with_control(lines), expected);
    }
}

#[test]
fn a_secret_in_the_file_is_never_shown() {
    let folder = folder();
    for text in [
        "[control]\nkey = SECRETabc123",
        "[control]\nkey = \"SECRETabc123\" extra",
        "[control]\nkey = \"SECRETabc123\"\nkey = \"SECRETabc123\"",
        "[control]\nkey = \"SECRETabc123",
        "[control]\nkye = SECRETabc123",
        "[control]\nkey SECRETabc123",
        "[control]\nkey =\nSECRETabc123==",
        "[control]\nkey = [\nSECRETabc123\n]",
        "[control]\nkey: \"SECRETabc123\"",
        "[node]\ncookie: SECRETabc123",
        "[node]\n\"cookie\" SECRETabc123",
        "[node]\ncookie = \"\"\"\nSECRETabc123\"\"\"x",
        "[node]\ncookie = '''\nSECRETabc123=='''x",
        "[node]\ncookie = \"\"\"\nSECRETabc123",
        "control = { key = \"SECRETabc123\", key_file = 5 }",
        "node = { cookie = \"SECRETabc123\", name = 5, key = \"SECRETabc123\" }",
        "[node]\nname = \"a\"\ncookie_env = \"SECRETabc123==\"",
        "[control]\nkey_env = \"SECRETabc123==\"",
    ] {
        let error = parse(text, folder.path()).unwrap_err();
        assert!(!error.to_string().contains("SECRET"), "of\n{text}\n{error}");
        assert!(!format!("{error:?}").contains("SECRET"), "of\n{text}\n{error:?}");
    }
    for set in [
        "control={key=\"SECRETabc123\", key_file=5}",
        "control.key=SECRETabc123",
        "control.key_env=SECRETabc123==",
        "control.key: SECRETabc123",
    ] {
        let error = parse_with(&with_control(""), folder.path(), &[set]).unwrap_err();
        assert!(!error.to_string().contains("SECRET"), "of\n{set}\n{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_looked_for_out_loud() {
    check(
        "[node]\nname = \"a\"\ncookie_file = \"~/cookie\"\n[control]\nkey_file = \"$HOME/key\"\n[runtime]\nhttp_roots = \
         \"ca.pem\"\n[modules.m]\npath = \"$LIB/m.wasm\"\n[modules.n]\npath = \"n.wasm\"\n[modules.o]\npath = \"module.wasm\"",
        r#"
node.toml:3:15: the cookie file DIR/~/cookie cannot be read: No such file or directory (os error 2)
 3 | cookie_file = "~/cookie"
   |               ^^^^^^^^^^ `~` is not expanded: write `${HOME}/cookie`

node.toml:5:12: the control key DIR/$HOME/key cannot be read: No such file or directory (os error 2)
 5 | key_file = "$HOME/key"
   |            ^^^^^^^^^^^ `$HOME` is not expanded: write `${HOME}`

node.toml:7:14: the file DIR/ca.pem cannot be read: No such file or directory (os error 2)
 7 | http_roots = "ca.pem"
   |              ^^^^^^^^ looked for it in DIR, the folder of this file

node.toml:9:8: module `m`: the file can't be read: No such file or directory (os error 2)
 9 | path = "$LIB/m.wasm"
   |        ^^^^^^^^^^^^^ `$LIB` is not expanded: write `${LIB}`

node.toml:11:8: module `n`: the file can't be read: No such file or directory (os error 2)
 11 | path = "n.wasm"
    |        ^^^^^^^^ looked for it in DIR, the folder of this file"#,
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    check(
        "[node]\nname = \"a\"\ncookie_file = \"/dev/zero\"\n[control]\nkey_file = \"wide\"",
        r#"
node.toml:3:15: the cookie file /dev/zero cannot be read: it is a device, not a file
 3 | cookie_file = "/dev/zero"
   |               ^^^^^^^^^^^ expected a file with the cluster's secret and nothing else

node.toml:5:12: the control key DIR/wide is UTF-16 text
 5 | key_file = "wide"
   |            ^^^^^^ save it as UTF-8"#,
    );
}
