//! Every mistake in a node.toml, and the words in which it is reported.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

mod actors;
mod admin;
mod builds;
mod entities;
mod guests;
mod includes;
mod interfaces;
mod limits;
mod limits_page;
mod node;
mod schema;
mod secrets;
mod tls;
mod variables;

use std::env::VarError;
use std::path::Path;

use super::*;

/// A folder with a good cookie file, `cookie`, and several bad ones.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        restrict(&path, 0o600);
    };
    write("cookie", b"  s3cret-of-2026-xyz\n");
    write("short", b"s3cret");
    write("dull", b"abcabcabcabcabcabc");
    write("empty", b" \n");
    write("binary", b"\xff\x01");
    write("unmarked", b"s\x003\0c\0r\0e\0t\0");
    write("large", &[b'x'; 70_000]);
    write("open", b"s3cret-of-2026-xyz");
    restrict(&folder.path().join("open"), 0o644);
    write("edited", b"\xef\xbb\xbfs3cret-of-2026-xyz\r\n\r\n");
    write("wide", b"\xff\xfes\0");
    write("deploy.key", b"\xef\xbb\xbf0123456789abcdef\r\n");
    for module in ["module.wasm", "counter.wasm", "a.wasm", "c.wasm", "m.wasm"] {
        write(module, b"");
    }
    folder
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) {}

fn parse(text: &str, folder: &Path) -> Result<NodeConfig, ConfigError> {
    parse_with(text, folder, &[])
}

/// As with these `--set`.
fn parse_with(text: &str, folder: &Path, set: &[&str]) -> Result<NodeConfig, ConfigError> {
    let variable = |name: &str| match name {
        "COOKIE" => Ok("from the environment".to_owned()),
        "NAME" => Ok("beta".to_owned()),
        "KEY" => Ok("0123456789abcdef".to_owned()),
        "EMPTY" => Ok(String::new()),
        "TRICK" => Ok("x\"\nlisten = \"0.0.0.0:1\" ${NAME}".to_owned()),
        "BINARY" => Err(VarError::NotUnicode("\u{0}".into())),
        "BLANK" => Ok("  ".to_owned()),
        _ => Err(VarError::NotPresent),
    };
    let context = ReadContext {
        folder,
        natives: &["counter", "greeter"],
        entities: &["counter", "greeter"],
        interfaces: &interfaces::interfaces(),
        included: &[],
        variable: &variable,
    };
    let options = ConfigOptions {
        set: set.iter().map(|&set| set.to_owned()).collect(),
        ..ConfigOptions::default()
    };
    NodeConfig::parse(Path::new("node.toml"), text, &context, &options)
}

/// The findings as they are printed, with the folder of the test taken out.
#[track_caller]
fn check(text: &str, expected: &str) {
    check_with(text, &[], expected);
}

/// As with these `--set`.
#[track_caller]
fn check_with(text: &str, set: &[&str], expected: &str) {
    let folder = folder();
    let rendered = match parse_with(text, folder.path(), set) {
        Ok(config) => config.warnings.to_string(),
        Err(error) => error.to_string(),
    };
    let path = folder.path();
    let rendered = rendered.replace(&path.canonicalize().unwrap().display().to_string(), "DIR");
    let rendered = rendered.replace(&path.display().to_string(), "DIR");
    assert_eq!(
        rendered,
        expected.trim_start_matches('\n'),
        "of\n{text}\nrendered as\n{rendered}"
    );
}

/// A mistake in a file whose other lines are good. `lines` go below a good `[node]`.
#[track_caller]
fn check_below(lines: &str, expected: &str) {
    check(
        &format!("[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n{lines}"),
        expected,
    );
}

#[test]
fn a_good_file_has_every_value_and_the_defaults() {
    let folder = folder();
    let text = r#"
        [node]
        name = "alpha"
        hostname = "host.example"
        listen = "0.0.0.0:4697"
        insecure = true
        cookie_file = "cookie"
        peers = ["beta:4697", "[::1]:4698"]
        [runtime]
        cache_dir = "cache"
        [modules.counter]
        path = "counter.wasm"
        digest = "sha256:00000000000000000000000000000000000000000000000000000000000000ff"
        [[actors]]
        name = "wasm"
        module = "counter"
        groups = ["counters", "all of them"]
        arguments = "u64:5"
        count = 3
        [[actors]]
        name = "native"
        native = "greeter"
    "#;
    let config = parse(text, folder.path()).unwrap();
    assert_eq!(config.warnings, Findings::default());
    assert_eq!(config.node.full_name(), "alpha@host.example");
    assert_eq!(config.node.listen.to_string(), "0.0.0.0:4697");
    assert_eq!(config.node.cookie.expose(), "s3cret-of-2026-xyz");
    let peers: Vec<String> = config.node.peers.iter().map(PeerAddress::to_string).collect();
    assert_eq!(peers, ["beta:4697", "[::1]:4698"]);
    assert_eq!(config.runtime.cache_dir.unwrap(), folder.path().join("cache"));
    let [module] = config.modules.as_slice() else {
        panic!("one module")
    };
    assert_eq!(
        (module.name.as_str(), &module.path),
        ("counter", &folder.path().join("counter.wasm"))
    );
    assert_eq!(module.digest.unwrap().as_bytes().last(), Some(&0xff));
    let [wasm, native] = config.actors.as_slice() else {
        panic!("two actors")
    };
    assert_eq!(wasm.code, Code::Module("counter".to_owned()));
    assert_eq!(wasm.groups, ["all of them", "counters"]);
    assert_eq!(wasm.arguments, 5u64.to_be_bytes());
    assert_eq!(wasm.names().collect::<Vec<_>>(), ["wasm-1", "wasm-2", "wasm-3"]);
    assert_eq!(native.code, Code::Native("greeter".to_owned()));
    assert_eq!(native.names().collect::<Vec<_>>(), ["native"]);
    assert!(native.arguments.is_empty());

    let config = parse("node = { name = \"a\", cookie_env = \"COOKIE\" }", folder.path()).unwrap();
    assert_eq!(config.node.full_name(), "a@localhost");
    assert_eq!(config.node.listen.to_string(), "127.0.0.1:0");
    assert_eq!(config.node.cookie.expose(), "from the environment");
    assert!(config.actors.is_empty() && config.modules.is_empty() && config.node.peers.is_empty());
}

#[test]
fn unknown_keys_get_the_nearest_right_one() {
    check(
        "[nod]\nname = \"a\"",
        r#"
node.toml:1:1: the file has no table [node]
 1 | [nod]
   | ^ add `[node]` with a `name` and a `cookie_file`

node.toml:1:2: unknown key `nod` in the file
 1 | [nod]
   |  ^^^ did you mean `node`?"#,
    );
    check(
        "[node]\nnmae = \"a\"\nlisen = \"127.0.0.1:0\"\nfoo = 1\ncookie_file = \"cookie\"",
        r#"
node.toml:2:1: unknown key `nmae` in [node]
 2 | nmae = …
   | ^^^^ did you mean `name`?

node.toml:3:1: unknown key `lisen` in [node]
 3 | lisen = …
   | ^^^^^ did you mean `listen`?

node.toml:4:1: unknown key `foo` in [node]
 4 | foo = …
   | ^^^ expected one of: name, hostname, listen, cookie_file, cookie_env, peers, tls, insecure, on_give_up, stand_in_names, stock_peers, groups, limits"#,
    );
}

#[test]
fn tables_have_the_right_brackets() {
    check_below(
        "[actors]\nname = \"x\"\n[[modules]]\npath = \"x\"",
        r#"
node.toml:4:1: `actors` is a table
 4 | [actors]
   | ^^^^^^^^ expected a table for each actor, in double brackets: `[[actors]]`

node.toml:6:1: `modules` is a list
 6 | [[modules]]
   | ^^^^^^^^^^^ expected a table for each module: `[modules.NAME]`"#,
    );
    check(
        "node = 5",
        r#"
node.toml:1:8: [node] is an integer
 1 | node = 5
   |        ^ expected a table of keys and values"#,
    );
}

#[test]
fn what_is_not_toml_is_reported_where_it_is() {
    check(
        "[node]\nname = \"a\ncookie_file = \"cookie\"\n[",
        r#"
node.toml:2:10: invalid basic string, expected `"`
 2 | name = …
   |          ^ this is not valid TOML

node.toml:4:2: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
 4 | [
   |  ^ this is not valid TOML"#,
    );
    check_below(
        "name = \"b\"",
        r#"
node.toml:4:1: duplicate key
 4 | name = …
   | ^^^^ this is not valid TOML"#,
    );
}

#[test]
fn a_long_line_is_quoted_around_its_mistake() {
    let peers: String = (0..40).map(|number| format!("\"h{number}:1\", ")).collect();
    check_below(
        &format!("peers = [{peers}\"oops\"]"),
        r#"
node.toml:4:360: "oops" is not an address: it has no port
 4 | …3:1", "h34:1", "h35:1", "h36:1", "h37:1", "h38:1", "h39:1", "oops"]
   |                                                              ^^^^^^ expected HOST:PORT such as `127.0.0.1:4697` or `[::1]:4697`"#,
    );
}

#[test]
fn a_flood_of_mistakes_is_cut_short() {
    let keys: String = (0..60).map(|number| format!("key{number} = 1\n")).collect();
    let folder = folder();
    let error = parse(&keys, folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("\n\nand 11 more"), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = folder();
    let load = |name: &str| {
        NodeConfig::load(&folder.path().join(name), &[])
            .unwrap_err()
            .to_string()
    };
    let shown = |name: &str| folder.path().join(name).display().to_string();
    let expected = format!(
        "{}: cannot be read: No such file or directory (os error 2)",
        shown("nope.toml")
    );
    assert_eq!(load("nope.toml"), expected);
    std::fs::write(folder.path().join("latin.toml"), b"[node]\nname = \"\xe4\"").unwrap();
    assert_eq!(
        load("latin.toml"),
        format!("{}:2: not UTF-8 text; is it a node.toml?", shown("latin.toml"))
    );
    let file = std::fs::File::create(folder.path().join("huge.toml")).unwrap();
    file.set_len(MAX_FILE_SIZE + 1).unwrap();
    assert_eq!(
        load("huge.toml"),
        format!("{}: larger than 4194304 bytes; is it a node.toml?", shown("huge.toml"))
    );
}

#[test]
fn the_reference_has_every_key() {
    let reference = include_str!("../../../../docs/node-toml.md");
    let sections = [
        super::node::KEYS,
        super::tls::KEYS,
        runtime::KEYS,
        module::KEYS,
        supervisor::KEYS,
        actor::KEYS,
        crate::config::limits::KEYS,
        capabilities::KEYS,
    ];
    for key in sections.iter().flat_map(|keys| keys.known) {
        assert!(
            reference.contains(&format!("| `{key}` |")),
            "docs/node-toml.md has no row for `{key}`"
        );
    }
    for table in KEYS.known {
        assert!(
            reference.contains(&format!("[{table}")) || reference.contains(&format!("`{table}`")),
            "docs/node-toml.md has no part on `{table}`"
        );
    }
}

#[test]
fn the_example_is_good() {
    let text = include_str!("../../../../examples/node/node.toml").replace("RACTOR_COOKIE", "COOKIE");
    check(&text, "");
    let uncommented: String = text.lines().map(|line| uncomment(line) + "\n").collect();
    check(
        &uncommented.replace("sha256:…", &format!("sha256:{}", "0".repeat(64))),
        "",
    );
}

/// The lines that the example offers to its readers: a key in a comment.
fn uncomment(line: &str) -> String {
    let offered = line
        .strip_prefix("# ")
        .filter(|rest| rest.contains(" = ") || rest.starts_with('['));
    // Only one of the two may say where the cookie is.
    offered
        .filter(|rest| !rest.starts_with("cookie_file"))
        .unwrap_or(line)
        .to_owned()
}
