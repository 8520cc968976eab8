//! Mistakes in `[node]`, and how the cookie is kept.

use super::{check, check_below, folder, parse};
use crate::node::{GroupInterest, GroupPattern, PeerLimits, StandInNames, StockPeers};

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
   |               ^^^^^^ looked for it in DIR, the folder of this file"#,
    );
    for (file, why) in [
        ("empty", "is empty"),
        ("binary", "is not UTF-8 text"),
        ("unmarked", "has NUL bytes, as UTF-16 text and binary files do"),
        ("large", "cannot be read: it is larger than 65536 bytes"),
    ] {
        let caret = "^".repeat(file.len() + 2);
        check(
            &below(&format!("cookie_file = {file:?}")),
            &format!(
                "node.toml:3:15: the cookie file DIR/{file} {why}\n 3 | cookie_file = {file:?}\n   \
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
fn a_cookie_that_others_can_read_is_refused() {
    check(
        "[node]\nname = \"a\"\n\tcookie_file = \"open\"",
        "node.toml:3:16: the cookie file DIR/open can be read by every user of this machine (mode 0644)\n 3 | \tcookie_file = \"open\"\
         \n   | \t              ^^^^^^ run `chmod 600 DIR/open`",
    );
}

#[test]
fn a_cookie_that_can_be_guessed_is_a_warning() {
    check(
        "[node]\nname = \"a\"\ncookie_file = \"short\"",
        r#"
node.toml:3:15: the cookie has 6 bytes; at least 16 are needed to be hard to guess
 3 | cookie_file = "short"
   |               ^^^^^^^ make one with `openssl rand -hex 32`, and give it to all nodes"#,
    );
    check(
        "[node]\nname = \"a\"\ncookie_file = \"dull\"",
        r#"
node.toml:3:15: the cookie consists of only 3 different characters
 3 | cookie_file = "dull"
   |               ^^^^^^ make one with `openssl rand -hex 32`, and give it to all nodes"#,
    );
}

#[test]
fn a_node_that_others_can_reach_needs_tls_or_says_that_it_does_not() {
    for (listen, caret) in [("0.0.0.0:4697", 14), ("[::]:4697", 11), ("[::ffff:192.0.2.1]:1", 22)] {
        check_below(
            &format!("listen = \"{listen}\""),
            &format!(
                "node.toml:4:10: other machines can reach {listen}, and nothing protects the traffic between \
                 them and this node\n 4 | listen = \"{listen}\"\n   |          {} add a table `[node.tls]`, or write \
                 `insecure = true` into [node] if the network itself is safe",
                "^".repeat(caret)
            ),
        );
        check_below(&format!("listen = \"{listen}\"\ninsecure = true"), "");
    }
    for listen in ["127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        check_below(&format!("listen = \"{listen}\""), "");
    }
    check_below(
        "insecure = \"yes\"",
        r#"
node.toml:4:12: `insecure` is a string
 4 | insecure = "yes"
   |            ^^^^^ expected `true` or `false`"#,
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

node.toml:4:10: `listen` is not an address with a port
 4 | listen = "localhost:80"
   |          ^^^^^^^^^^^^^^ did you mean `127.0.0.1:80`?"#,
    );
    check(
        "[node]\nname = \"\"\nlisten = \"here\"\ncookie_file = \"cookie\"",
        r#"
node.toml:2:8: the node name is empty
 2 | name = ""
   |        ^^ expected at least one character

node.toml:3:10: `listen` is not an address with a port
 3 | listen = "here"
   |          ^^^^^^ expected IP:PORT such as `127.0.0.1:4697` or `[::1]:4697`"#,
    );
    check_below(
        "listen = \"127.0.0.1:1\"\npeers = [\"x\", 5, \"a:1\", \"a:1\", \"127.0.0.1:1\"]",
        r#"
node.toml:5:10: "x" is not an address: it has no port
 5 | peers = ["x", 5, "a:1", "a:1", "127.0.0.1:1"]
   |          ^^^ expected HOST:PORT such as `127.0.0.1:4697` or `[::1]:4697`

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
fn what_stands_in_for_other_nodes_actors_is_named_as_the_file_says() {
    let folder = folder();
    let node = "[node]\nname = \"a\"\ncookie_file = \"cookie\"";
    for (line, expected) in [
        ("", StandInNames::Bare),
        ("stand_in_names = \"bare\"", StandInNames::Bare),
        ("stand_in_names = \"qualified\"", StandInNames::Qualified),
    ] {
        let config = parse(&format!("{node}\n{line}"), folder.path()).unwrap();
        assert_eq!(config.node.stand_in_names, expected, "{line}");
    }
    check(
        "[node]\nname = \"a\"\ncookie_file = \"cookie\"\nstand_in_names = \"long\"",
        r#"
node.toml:4:18: `stand_in_names` is neither `bare` nor `qualified`
 4 | stand_in_names = "long"
   |                  ^^^^^^ expected `bare` or `qualified`"#,
    );
}

#[test]
fn stock_peers_are_welcome_unless_the_file_says_otherwise() {
    let folder = folder();
    let node = "[node]\nname = \"a\"\ncookie_file = \"cookie\"";
    for (line, expected) in [
        ("", StockPeers::Accepted),
        ("stock_peers = true", StockPeers::Accepted),
        ("stock_peers = false", StockPeers::Refused),
    ] {
        let config = parse(&format!("{node}\n{line}"), folder.path()).unwrap();
        assert_eq!(config.node.stock_peers, expected, "{line}");
    }
}

#[test]
fn a_node_wants_every_group_unless_the_file_names_some() {
    let folder = folder();
    let node = "[node]\nname = \"a\"\ncookie_file = \"cookie\"";
    let groups = |line: &str| parse(&format!("{node}\n{line}"), folder.path()).unwrap().node.groups;
    assert_eq!(groups(""), None);
    assert_eq!(groups("groups = []"), Some(GroupInterest::default()));
    let mixed =
        groups("groups = [\"orders\", { pattern = \"worker-*\", members = \"one-per-node\" }, { pattern = \"x\" }]");
    let patterns = [
        GroupPattern::every("orders"),
        GroupPattern::one_per_node("worker-*"),
        GroupPattern::every("x"),
    ];
    assert_eq!(mixed, Some(GroupInterest::new(patterns).unwrap()));
    check(
        "[node]\nname = \"a\"\ncookie_file = \"cookie\"\ngroups = [\"\", { members = \"all\" }, 3]",
        r#"
node.toml:4:11: `groups`: a pattern of groups is empty
 4 | groups = ["", { members = "all" }, 3]
   |           ^^ expected the name of a group, in which `*` stands for any characters

node.toml:4:15: an element of `groups` has no `pattern`
 4 | groups = ["", { members = "all" }, 3]
   |               ^^^^^^^^^^^^^^^^^^^ add for example `pattern = "worker-*"`

node.toml:4:27: `members` can't be `all`
 4 | groups = ["", { members = "all" }, 3]
   |                           ^^^^^ expected one of: every, one-per-node

node.toml:4:36: an element of `groups` is an integer
 4 | groups = ["", { members = "all" }, 3]
   |                                    ^ expected a list such as `groups = ["orders", { pattern = "worker-*", members = "one-per-node" }]`"#,
    );
    let many: Vec<String> = (0..65).map(|number| format!("\"{number}\"")).collect();
    let error = parse(&format!("{node}\ngroups = [{}]", many.join(", ")), folder.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`groups`: there are 65 patterns of groups, and 64 are allowed"),
        "{error}"
    );
}

#[test]
fn what_other_nodes_may_take_is_as_the_file_says_and_one_takes_no_more_than_all() {
    let node = "[node]\nname = \"a\"\ncookie_file = \"cookie\"\n[node.limits]\n";
    let folder = folder();
    let limits = parse(&format!("{node}peer_bytes = \"32MiB\""), folder.path())
        .unwrap()
        .node
        .limits;
    assert_eq!(limits, PeerLimits::new(32 << 20, PeerLimits::default().all_peers_bytes));
    check(
        &format!("{node}peer_bytes = \"64MB\"\nall_peers_bytes = 1000\npeer_byte = 1"),
        r#"
node.toml:5:14: `peer_bytes` is not a size
 5 | peer_bytes = "64MB"
   |              ^^^^^^ expected a whole number and its unit: `64KiB`, `16MiB` or `1GiB`

node.toml:6:19: `all_peers_bytes` is out of range
 6 | all_peers_bytes = 1000
   |                   ^^^^ expected 1MiB to 1024GiB

node.toml:7:1: unknown key `peer_byte` in [node.limits]
 7 | peer_byte = …
   | ^^^^^^^^^ did you mean `peer_bytes`?"#,
    );
    check(
        &format!("{node}peer_bytes = \"2GiB\""),
        r#"
node.toml:5:14: one peer may take 2GiB, and all of them together only 1GiB
 5 | peer_bytes = "2GiB"
   |              ^^^^^^ write for example `all_peers_bytes = "2GiB"`"#,
    );
}

#[test]
fn an_address_that_is_nearly_one_is_taken_for_what_was_meant() {
    check_below(
        "listen = \"::1:0\"\npeers = [\"tcp://beta:4697\", \"127.0.0.1:4697,127.0.0.1:4698\", \"::1\"]",
        r#"
node.toml:4:10: `listen` is not an address with a port
 4 | listen = "::1:0"
   |          ^^^^^^^ did you mean `[::1]:0`?

node.toml:5:10: "tcp://beta:4697" is not an address: it begins with a scheme
 5 | peers = ["tcp://beta:4697", "127.0.0.1:4697,127.0.0.1:4698", "::1"]
   |          ^^^^^^^^^^^^^^^^^ did you mean `beta:4697`?

node.toml:5:29: "127.0.0.1:4697,127.0.0.1:4698" is not an address: it is several addresses in one
 5 | peers = ["tcp://beta:4697", "127.0.0.1:4697,127.0.0.1:4698", "::1"]
   |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write each in quotes of its own: "127.0.0.1:4697", "127.0.0.1:4698"

node.toml:5:62: "::1" is not an address: it has no port
 5 | peers = ["tcp://beta:4697", "127.0.0.1:4697,127.0.0.1:4698", "::1"]
   |                                                              ^^^^^ did you mean `[::1]:4697`?"#,
    );
    check_below(
        "hostname = \"[::1]\"",
        r#"
node.toml:4:12: the hostname has a `:`
 4 | hostname = "[::1]"
   |            ^^^^^^^ write it without brackets: `::1`"#,
    );
    for (listen, help) in [
        ("127.0.0.1:1, [::1]:1", "`listen` takes one address"),
        ("tcp://127.0.0.1:5", "did you mean `127.0.0.1:5`?"),
        ("tcp://localhost:5", "did you mean `127.0.0.1:5`?"),
        ("tcp://[::1]", "did you mean `[::1]:4697`?"),
        ("tcp://", "expected IP:PORT such as `127.0.0.1:4697` or `[::1]:4697`"),
    ] {
        let caret = "^".repeat(listen.len() + 2);
        check_below(
            &format!("listen = {listen:?}"),
            &format!(
                "node.toml:4:10: `listen` is not an address with a port\n 4 | listen = {listen:?}\n   |          {caret} {help}"
            ),
        );
    }
    // A pod with IPv6 alone has no other name.
    check_below("hostname = \"2001:db8::7\"", "");
}
