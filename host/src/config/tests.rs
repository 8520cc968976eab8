//! Every mistake in a node.toml, and the words in which it is reported.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

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
    write("cookie", b"  s3cret\n");
    write("empty", b" \n");
    write("binary", b"\xff\xfe");
    write("large", &[b'x'; 70_000]);
    write("open", b"s3cret");
    restrict(&folder.path().join("open"), 0o644);
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
    let variable = |name: &str| match name {
        "COOKIE" => Ok("from the environment".to_owned()),
        "BLANK" => Ok("  ".to_owned()),
        _ => Err(VarError::NotPresent),
    };
    let context = Context {
        folder,
        natives: &["counter", "greeter"],
        variable: &variable,
    };
    NodeConfig::parse(Path::new("node.toml"), text, &context)
}

/// The findings as they are printed, with the folder of the test taken out.
#[track_caller]
fn check(text: &str, expected: &str) {
    let folder = folder();
    let rendered = match parse(text, folder.path()) {
        Ok(config) => config.warnings.to_string(),
        Err(error) => error.to_string(),
    };
    let rendered = rendered.replace(&folder.path().display().to_string(), "DIR");
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
    assert_eq!(config.node.cookie.expose(), "s3cret");
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
fn the_cookie_is_never_shown() {
    let folder = folder();
    let config = parse("[node]\nname = \"a\"\ncookie_file = \"cookie\"", folder.path()).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let texts = [
        "[node]\nname = \"a\"\ncookie = \"s3cret\"",
        "[node]\nname = \"a\"\n\"cookie\"=\"s3cret\"",
        "[node]\nname = \"a\"\ncokie = \"s3cret\"",
        "node = { nmae = \"a\", cookie = \"s3cret\" }",
        "node = { cookie = \"s3cret\", nmae = \"a\" }",
        "[node]\nname = \"a\"\ncookie = \"s3cret",
        "[node]\nname = \"a\"\ncookie = s3cret",
    ];
    for text in texts {
        let error = parse(text, folder.path()).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
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
   | ^^^ expected one of: name, hostname, listen, cookie_file, cookie_env, peers"#,
    );
}

#[test]
fn an_inline_cookie_is_explained() {
    check(
        "[node]\nname = \"a\"\ncookie = \"s3cret\"",
        r#"
node.toml:3:1: unknown key `cookie` in [node]
 3 | cookie = …
   | ^^^^^^ a secret doesn't belong here: put it into a file and write `cookie_file = "…"`, or name an environment variable with `cookie_env = "…"`"#,
    );
}

#[test]
fn the_cookie_comes_from_exactly_one_good_place() {
    let below = |line: &str| format!("[node]\nname = \"a\"\n{line}");
    check(
        "[node]\nname = \"a\"",
        r#"
node.toml:1:1: [node] does not say where the cookie is
 1 | [node]
   | ^^^^^^ add `cookie_file = "…"` or `cookie_env = "…"`"#,
    );
    check(
        &below("cookie_file = \"cookie\"\ncookie_env = \"COOKIE\""),
        r#"
node.toml:4:14: both `cookie_file` and `cookie_env` say where the cookie is
 4 | cookie_env = "COOKIE"
   |              ^^^^^^^^ keep one of them"#,
    );
    check(
        &below("cookie_file = \"nope\""),
        r#"
node.toml:3:15: the cookie file DIR/nope cannot be read: No such file or directory (os error 2)
 3 | cookie_file = "nope"
   |               ^^^^^^ relative paths start at the folder of this file"#,
    );
    for (file, why) in [
        ("empty", "empty"),
        ("binary", "not UTF-8 text"),
        ("large", "larger than 65536 bytes"),
    ] {
        let caret = "^".repeat(file.len() + 2);
        check(
            &below(&format!("cookie_file = {file:?}")),
            &format!(
                "node.toml:3:15: the cookie file DIR/{file} is {why}\n 3 | cookie_file = {file:?}\n   \
                 |               {caret} expected a file with the cluster's secret and nothing else"
            ),
        );
    }
    for (variable, why) in [("NOPE", "not set"), ("BLANK", "empty")] {
        let caret = "^".repeat(variable.len() + 2);
        check(
            &below(&format!("cookie_env = {variable:?}")),
            &format!(
                "node.toml:3:14: the environment variable {variable} is {why}\n 3 | cookie_env = {variable:?}\n   \
                 |              {caret} set it to the cluster's secret"
            ),
        );
    }
}

#[test]
#[cfg(unix)]
fn a_cookie_that_everybody_can_read_is_a_warning() {
    check(
        "[node]\nname = \"a\"\n\tcookie_file = \"open\"",
        "node.toml:3:16: every user of this machine can read the cookie file DIR/open\n 3 | \tcookie_file = \"open\"\
         \n   | \t              ^^^^^^ chmod 600 DIR/open",
    );
}

#[test]
fn the_node_has_good_names_and_addresses() {
    check(
        "[node]\nname = \"a@b\"\nhostname = \"x:1\"\nlisten = \"localhost:80\"\ncookie_file = \"cookie\"",
        r#"
node.toml:2:8: the node name has an `@`
 2 | name = "a@b"
   |        ^^^^^ write what follows the `@` as `hostname`

node.toml:3:12: the hostname has a `:`
 3 | hostname = "x:1"
   |            ^^^^^ the port belongs to `listen`

node.toml:4:10: `listen` is no address with a port
 4 | listen = "localhost:80"
   |          ^^^^^^^^^^^^^^ did you mean `127.0.0.1:80`?"#,
    );
    check(
        "[node]\nname = \"\"\nlisten = \"here\"\ncookie_file = \"cookie\"",
        r#"
node.toml:2:8: the node name is empty
 2 | name = ""
   |        ^^ expected at least one character

node.toml:3:10: `listen` is no address with a port
 3 | listen = "here"
   |          ^^^^^^ expected IP:PORT such as `127.0.0.1:4697` or `[::1]:4697`"#,
    );
    check_below(
        "listen = \"127.0.0.1:1\"\npeers = [\"x\", 5, \"a:1\", \"a:1\", \"127.0.0.1:1\"]",
        r#"
node.toml:5:10: "x" is no address: it has no port
 5 | peers = ["x", 5, "a:1", "a:1", "127.0.0.1:1"]
   |          ^^^ expected HOST:PORT such as `127.0.0.1:4697`

node.toml:5:15: an element of `peers` is an integer
 5 | peers = ["x", 5, "a:1", "a:1", "127.0.0.1:1"]
   |               ^ expected a string in quotes

node.toml:5:25: the peer a:1 is listed twice
 5 | peers = ["x", 5, "a:1", "a:1", "127.0.0.1:1"]
   |                         ^^^^^ keep one

node.toml:5:32: this node would dial itself
 5 | peers = ["x", 5, "a:1", "a:1", "127.0.0.1:1"]
   |                                ^^^^^^^^^^^^^ it is the address of `listen`"#,
    );
}

#[test]
fn an_actor_is_made_of_something_that_exists() {
    check_below(
        r#"[modules.counter]
path = "counter.wasm"
[[actors]]
name = "a"
module = "conter"
[[actors]]
name = "b"
native = "elephant"
[[actors]]
name = "c"
[[actors]]
name = "d"
module = "counter"
native = "counter""#,
        r#"
node.toml:8:10: there is no module `conter`
 8 | module = "conter"
   |          ^^^^^^^^ did you mean "counter"?

node.toml:11:10: this program has no native actor `elephant`
 11 | native = "elephant"
    |          ^^^^^^^^^^ expected one of: counter, greeter

node.toml:12:1: the actor has neither `module` nor `native`
 12 | [[actors]]
    | ^^^^^^^^^^ add for example `module = "counter"`

node.toml:17:10: an actor is either `module` or `native`, not both
 17 | native = "counter"
    |          ^^^^^^^^^ keep one of them"#,
    );
}

#[test]
fn actors_have_names_of_their_own_and_sane_counts() {
    check_below(
        r#"[[actors]]
name = "x"
native = "counter"
count = 2
[[actors]]
name = "x-2"
native = "counter"
[[actors]]
native = "counter"
[[actors]]
name = "y"
native = "counter"
count = 0
[[actors]]
name = "z"
native = "counter"
count = "2""#,
        r#"
node.toml:9:8: the actor name `x-2` is taken by an actor above
 9 | name = "x-2"
   |        ^^^^^ every actor of a node has its own name

node.toml:11:1: [[actors]] has no `name`
 11 | [[actors]]
    | ^^^^^^^^^^ add for example `name = "counter"`

node.toml:16:9: `count` is out of range
 16 | count = 0
    |         ^ expected an integer from 1 to 100000

node.toml:20:9: `count` is a string
 20 | count = "2"
    |         ^^^ expected an integer from 1 to 100000"#,
    );
    let crowd = |name| format!("[[actors]]\nname = \"{name}\"\nnative = \"counter\"\ncount = 100_000\n");
    let crowds: String = "abcdefghijk".chars().map(crowd).collect();
    check_below(
        &crowds,
        r#"
node.toml:45:8: the file starts more than 1000000 actors
 45 | name = "k"
    |        ^^^ start fewer, or spread them over several nodes"#,
    );
}

#[test]
fn arguments_and_groups_are_checked() {
    check_below(
        r#"[[actors]]
name = "x"
native = "counter"
arguments = "5"
groups = ["", "fine"]
[[actors]]
name = "y"
native = "counter"
args = "u64:5"
groups = "z""#,
        r#"
node.toml:7:13: "5" does not say its type: write for example `u64:5`, `str:hi` or `unit`
 7 | arguments = "5"
   |             ^^^ expected a typed literal such as `u64:5`

node.toml:8:11: the group name is empty
 8 | groups = ["", "fine"]
   |           ^^ expected at least one character

node.toml:12:1: unknown key `args` in [[actors]]
 12 | args = …
    | ^^^^ write `arguments = "u64:5"`

node.toml:13:10: `groups` is a string
 13 | groups = "z"
    |          ^^^ expected a list of strings: `groups = ["…"]`"#,
    );
}

#[test]
fn modules_have_a_path_and_a_well_formed_digest() {
    check_below(
        "[modules.a]\ndigest = \"sha256:12\"\n[modules.\"b c\"]\npath = \"\"",
        r#"
node.toml:4:1: [modules.a] has no `path`
 4 | [modules.a]
   | ^^^^^^^^^^^ add for example `path = "counter.wasm"`

node.toml:5:10: `digest` is no digest
 5 | digest = "sha256:12"
   |          ^^^^^^^^^^^ expected `sha256:` and 64 hexadecimal digits

node.toml:6:10: the module name has a space
 6 | [modules."b c"]
   |          ^^^^^ expected a single word; `-` and `_` are fine

node.toml:7:8: `path` is empty
 7 | path = ""
   |        ^^ expected the path of a component (.wasm)"#,
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
 2 | name = "a
   |          ^ this is not valid TOML

node.toml:4:2: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
 4 | [
   |  ^ this is not valid TOML"#,
    );
    check_below(
        "name = \"b\"",
        r#"
node.toml:4:1: duplicate key
 4 | name = "b"
   | ^^^^ this is not valid TOML"#,
    );
}

#[test]
fn a_long_line_is_quoted_around_its_mistake() {
    let peers: String = (0..40).map(|number| format!("\"h{number}:1\", ")).collect();
    check_below(
        &format!("peers = [{peers}\"oops\"]"),
        r#"
node.toml:4:360: "oops" is no address: it has no port
 4 | …3:1", "h34:1", "h35:1", "h36:1", "h37:1", "h38:1", "h39:1", "oops"]
   |                                                              ^^^^^^ expected HOST:PORT such as `127.0.0.1:4697`"#,
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
    let reference = include_str!("../../../docs/node-toml.md");
    let sections = [node::KEYS, runtime::KEYS, module::KEYS, actor::KEYS];
    for key in sections.iter().flat_map(|keys| keys.known) {
        assert!(
            reference.contains(&format!("| `{key}` |")),
            "docs/node-toml.md has no row for `{key}`"
        );
    }
    for table in KEYS.known {
        assert!(
            reference.contains(&format!("[{table}")),
            "docs/node-toml.md has no part on `{table}`"
        );
    }
}

#[test]
fn the_example_is_good() {
    let text = include_str!("../../../examples/node/node.toml").replace("RACTOR_COOKIE", "COOKIE");
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
