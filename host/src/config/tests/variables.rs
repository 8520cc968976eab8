//! `${NAME}` in the file, and `--set` over it.

use super::*;

const NODE: &str = "[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n";

/// What a good file comes to.
#[track_caller]
fn good(text: &str, set: &[&str]) -> NodeConfig {
    let folder = folder();
    match parse_with(text, folder.path(), set) {
        Ok(config) => config,
        Err(error) => panic!("of\n{text}\n{set:?}\n{error}"),
    }
}

#[test]
fn a_variable_stands_for_its_value_in_every_string() {
    let text = r#"
        [node]
        name = "${NAME}-1"
        hostname = "${UNSET:-host.example}"
        cookie_file = "${EMPTY:-cookie}${EMPTY}"
        peers = ["${NAME}:4697", "[::1]:${PORT:-4698}"]
        [runtime]
        epoch_tick = '${TICK:-2ms}'
        [modules.m]
        path = "${NAME}.wasm"
        build = "cc -o $OUT $${IN}"
        [[actors]]
        name = "a"
        module = "m"
        arguments = "str:Hi ${NAME}, $5"
        config = { text = "${NAME}${NAME}", plain = "$NAME" }
    "#;
    let config = good(text, &[]);
    assert_eq!(config.node.full_name(), "beta-1@host.example");
    let peers: Vec<_> = config.node.peers.iter().map(ToString::to_string).collect();
    assert_eq!(peers, ["beta:4697", "[::1]:4698"]);
    assert_eq!(config.runtime.epoch_tick, Some(std::time::Duration::from_millis(2)));
    assert!(config.modules[0].path.ends_with("beta.wasm"));
    assert_eq!(config.builds[0].build.as_deref(), Some("cc -o $OUT ${IN}"));
    assert_eq!(config.actors[0].arguments, b"Hi beta, $5");
    assert_eq!(config.actors[0].config["text"], "betabeta");
    assert_eq!(config.actors[0].config["plain"], "$NAME");
}

#[test]
fn what_a_variable_has_is_text_and_nothing_else() {
    let text = format!("{NODE}[[actors]]\nname = \"a\"\nnative = \"counter\"\narguments = \"str:${{TRICK}}\"");
    let config = good(&text, &[]);
    assert_eq!(config.node.listen.to_string(), "127.0.0.1:0");
    assert_eq!(config.actors[0].arguments, b"x\"\nlisten = \"0.0.0.0:1\" ${NAME}");
}

#[test]
fn a_variable_that_is_no_good_is_reported_where_it_stands() {
    check(
        "[node]\nname = \"${NAME}${UNSET}\"\nhostname = \"${1}\"\nlisten = \"${BINARY}\"\ncookie_file = \"x${\"",
        r#"
node.toml:2:16: the environment variable UNSET is not set
 2 | name = "${NAME}${UNSET}"
   |                ^^^^^^^^ set it, or write `${UNSET:-DEFAULT}`; if no variable is meant, write `$${` for `${` itself

node.toml:3:13: this is not a variable
 3 | hostname = "${1}"
   |             ^^^^ expected `${NAME}` or `${NAME:-DEFAULT}`; write `$${` for `${` itself

node.toml:4:11: the environment variable BINARY is not UTF-8 text
 4 | listen = "${BINARY}"
   |           ^^^^^^^^^ set it to text

node.toml:5:17: this is not a variable
 5 | cookie_file = "x${"
   |                 ^^ expected `${NAME}` or `${NAME:-DEFAULT}`; write `$${` for `${` itself"#,
    );
}

#[test]
fn variables_are_not_nested() {
    check(
        "[node]\nname = \"${B${C}${UNSET}\"\nhostname = \"${NAME:-${NAME}}\"\ncookie_file = \"cookie\"",
        r#"
node.toml:2:9: variables are not nested
 2 | name = "${B${C}${UNSET}"
   |         ^^^^^^^ expected `${NAME}` or `${NAME:-DEFAULT}`; write `$${` for `${` itself

node.toml:2:16: the environment variable UNSET is not set
 2 | name = "${B${C}${UNSET}"
   |                ^^^^^^^^ set it, or write `${UNSET:-DEFAULT}`; if no variable is meant, write `$${` for `${` itself

node.toml:3:13: variables are not nested
 3 | hostname = "${NAME:-${NAME}}"
   |             ^^^^^^^^^^^^^^^ expected `${NAME}` or `${NAME:-DEFAULT}`; write `$${` for `${` itself"#,
    );
}

#[test]
fn a_mistake_in_a_value_says_which_variables_gave_it() {
    check(
        "[node]\nname = \"alpha\"\nlisten = \"${NAME}:${PORT:-1}\"\ncookie_file = \"${NAME}\"",
        r#"
node.toml:3:10: `listen` is not an address with a port
 3 | listen = "${NAME}:${PORT:-1}"
   |          ^^^^^^^^^^^^^^^^^^^^ did you mean `127.0.0.1:1`? (the value has what ${NAME} and ${PORT} stand for)

node.toml:4:15: the cookie file DIR/beta cannot be read: No such file or directory (os error 2)
 4 | cookie_file = "${NAME}"
   |               ^^^^^^^^^ looked for it in DIR, the folder of this file (the value has what ${NAME} stands for)"#,
    );
}

#[test]
fn what_is_set_takes_the_place_of_what_the_file_has() {
    let text = format!(
        "{NODE}listen = \"${{UNSET}}\"\n[modules.\"my.module\"]\npath = \"a.wasm\"\n[[actors]]\nname = \"one\"\nnative = \
         \"counter\"\n[[actors]]\nname = \"two\"\nnative = \"counter\""
    );
    let config = good(
        &text,
        &[
            "node.name=${NAME}",
            "node.listen=127.0.0.1:5",
            "node.peers=[\"a:1\", \"b:2\"]",
            "node.insecure=true",
            "runtime.max_guests=7",
            "runtime.epoch_tick=3ms",
            "modules.\"my.module\".path=b=c.wasm",
            "actors.two.count=3",
        ],
    );
    assert_eq!(config.node.full_name(), "beta@localhost");
    assert_eq!(config.node.listen.to_string(), "127.0.0.1:5");
    assert_eq!(config.node.peers.len(), 2);
    assert_eq!(config.runtime.max_guests, Some(7));
    assert!(config.modules[0].path.ends_with("b=c.wasm"));
    let counts: Vec<_> = config.actors.iter().map(|actor| actor.count).collect();
    assert_eq!(counts, [1, 3]);
}

#[test]
fn a_mistake_in_what_is_set_is_shown_there() {
    check_with(
        &format!("{NODE}[[actors]]\nname = \"a\"\nnative = \"counter\""),
        &[
            "node.lisen=1",
            "node.listen=here",
            "node.name.x=1",
            "actors.b.count=2",
            "actors.a=2",
            "nonsense",
            "=1",
            "node.peers=[\"a\"]\nx=1",
        ],
        r#"
--set:1:6: unknown key `lisen` in [node]
 1 | node.lisen= …
   |      ^^^^^ did you mean `listen`?

--set:2:13: `listen` is not an address with a port
 2 | node.listen=here
   |             ^^^^ expected IP:PORT such as `127.0.0.1:4697` or `[::1]:4697`

--set:3:6: `name` is a string in the file
 3 | node.name.x=1
   |      ^^^^ expected the name of a table

--set:4:8: no element of `actors` has the name `b`
 4 | actors.b.count=2
   |        ^ expected one of: a

--set:5:8: `a` is a whole table
 5 | actors.a=2
   |        ^ name one of its keys too

--set:6:1: this can't be set
 6 | nonsense
   | ^^^^^^^^ expected KEY=VALUE such as `node.name=beta` or `node.peers=["alpha:4697"]`

--set:7:1: this can't be set
 7 | =1
   | ^^ expected KEY=VALUE such as `node.name=beta` or `node.peers=["alpha:4697"]`

--set:8:12: `peers` is a string
 8 | node.peers=["a"]
   |            ^^^^^ expected a list of strings: `peers = ["…"]`"#,
    );
}

#[test]
fn an_actor_that_the_file_does_not_have_is_missed() {
    for text in [NODE.to_owned(), format!("actors = []\n{NODE}")] {
        check_with(
            &text,
            &["actors.zz.count=3"],
            r#"
--set:1:8: no element of `actors` has the name `zz`
 1 | actors.zz.count=3
   |        ^^ add a table with that name to the file: `[[actors]]`"#,
        );
    }
}
