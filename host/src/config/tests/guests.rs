//! `[actors.limits]`, `[actors.config]` and `[actors.capabilities]`: what a guest gets of them, and mistakes in them.

use std::time::Duration;

use super::*;
use crate::guest::{Access, Spawn, WhenFull};

/// A file with one guest, whose tables are these.
fn guest(tables: &str) -> String {
    format!(
        "[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n[modules.counter]\npath = \"c.wasm\"\n\
         [[actors]]\nname = \"a\"\nmodule = \"counter\"\n{tables}"
    )
}

#[track_caller]
fn check_guest(tables: &str, expected: &str) {
    check(&guest(tables), expected);
}

fn parse_guest(tables: &str) -> ActorSection {
    let folder = folder();
    let config = parse(&guest(tables), folder.path()).unwrap();
    assert_eq!(config.warnings, Findings::default());
    config.actors.into_iter().next().unwrap()
}

#[test]
fn a_guest_without_tables_has_the_default_limits_and_nothing_else() {
    let actor = parse_guest("");
    assert_eq!(*actor.limits, Limits::default());
    assert_eq!(*actor.grants, crate::guest::Grants::default());
    assert!(actor.config.is_empty());
}

#[test]
fn every_limit_can_be_set() {
    let actor = parse_guest(
        r#"[actors.limits]
        memory_bytes = "16MiB"
        table_elements = 2
        core_instances = 3
        memories = 28
        tables = 29
        handles = 4
        cpu_per_message = "5ms"
        message_time = "21s"
        lifecycle_time = "22s"
        message_bytes = 6
        reply_bytes = 0x7
        mailbox_messages = 8
        mailbox_bytes = "9KiB"
        mailbox_full = "drop-oldest"
        send_wait = "0s"
        deferred_replies = 0
        asks = 39
        call_wait = "12s"
        groups = 13
        timers = 14
        reminders = 41
        reminder_bytes = "42KiB"
        children = 15
        monitors = 16
        http_requests = 23
        http_request_bytes = 24
        http_response_bytes = "25KiB"
        http_header_bytes = 26
        http_wait = "27s"
        state_bytes = 17
        name_bytes = 18
        log_bytes = 19
        log_rate = 20
        family_memory_bytes = "30MiB"
        family_mailbox_bytes = 31
        family_timers = 32
        family_monitors = 33
        family_groups = 34
        family_deferred_replies = 35
        family_asks = 40
        family_http_requests = 36
        family_handles = 37
        family_log_rate = 38"#,
    );
    let expected = Limits {
        memory_bytes: 16 << 20,
        table_elements: 2,
        core_instances: 3,
        memories: 28,
        tables: 29,
        handles: 4,
        cpu_per_message: Duration::from_millis(5),
        message_time: Duration::from_secs(21),
        lifecycle_time: Duration::from_secs(22),
        message_bytes: 6,
        reply_bytes: 7,
        mailbox_messages: 8,
        mailbox_bytes: 9 << 10,
        mailbox_full: WhenFull::DropOldest,
        send_wait: Duration::ZERO,
        deferred_replies: 0,
        asks: 39,
        call_wait: Duration::from_secs(12),
        groups: 13,
        timers: 14,
        reminders: 41,
        reminder_bytes: 42 << 10,
        children: 15,
        monitors: 16,
        http_requests: 23,
        http_request_bytes: 24,
        http_response_bytes: 25 << 10,
        http_header_bytes: 26,
        http_wait: Duration::from_secs(27),
        state_bytes: 17,
        name_bytes: 18,
        log_bytes: 19,
        log_rate: 20,
        family_memory_bytes: Some(30 << 20),
        family_mailbox_bytes: Some(31),
        family_timers: Some(32),
        family_monitors: Some(33),
        family_groups: Some(34),
        family_deferred_replies: Some(35),
        family_asks: Some(40),
        family_http_requests: Some(36),
        family_handles: Some(37),
        family_log_rate: Some(38),
    };
    assert_eq!(*actor.limits, expected);
}

#[test]
fn defaults_hold_where_an_actor_says_nothing() {
    let actor = parse_guest("[actors.limits]\ntimers = 1\n[defaults.limits]\ntimers = 2\ngroups = 3");
    assert_eq!((actor.limits.timers, actor.limits.groups), (1, 3));
    assert_eq!(actor.limits.monitors, Limits::default().monitors);
}

#[test]
fn mistakes_in_limits_are_explained() {
    check_guest(
        r#"[actors.limits]
memroy_bytes = 1
memory_bytes = "64MB"
handles = -1
cpu_per_message = "0s"
call_wait = 5
mailbox_full = "dropoldest"
stack_bytes = "1MiB"
log_bytes = "9999GiB"
reply_bytes = true"#,
        r#"
node.toml:10:1: unknown key `memroy_bytes` in [actors.limits]
 10 | memroy_bytes = …
    | ^^^^^^^^^^^^ did you mean `memory_bytes`?

node.toml:11:16: `memory_bytes` is not a size
 11 | memory_bytes = "64MB"
    |                ^^^^^^ expected a whole number and its unit: `64KiB`, `16MiB` or `1GiB`

node.toml:12:11: `handles` is out of range
 12 | handles = -1
    |           ^^ expected an integer from 0 to 1000000000

node.toml:13:19: `cpu_per_message` can't be zero
 13 | cpu_per_message = "0s"
    |                   ^^^^ expected for example `10s`

node.toml:14:13: `call_wait` is an integer
 14 | call_wait = 5
    |             ^ expected a string in quotes

node.toml:15:16: `mailbox_full` can't be `dropoldest`
 15 | mailbox_full = "dropoldest"
    |                ^^^^^^^^^^^^ did you mean "drop-oldest"?

node.toml:16:1: unknown key `stack_bytes` in [actors.limits]
 16 | stack_bytes = …
    | ^^^^^^^^^^^ all guests have the same: it belongs to the table `[runtime]`

node.toml:17:13: `log_bytes` is out of range
 17 | log_bytes = "9999GiB"
    |             ^^^^^^^^^ expected 0 to 1024GiB

node.toml:18:15: `reply_bytes` is a boolean
 18 | reply_bytes = true
    |               ^^^^ expected a whole number and its unit: `64KiB`, `16MiB` or `1GiB`"#,
    );
}

#[test]
fn configuration_becomes_text() {
    let actor = parse_guest("[actors.config]\ntext = \"a\"\nnumber = 0x10\nnegative = -1_000\nhalf = 0.5\nyes = true");
    let entries: Vec<_> = actor
        .config
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        entries,
        ["half=0.5", "negative=-1000", "number=16", "text=a", "yes=true"]
    );
    check_guest(
        "[actors.config]\nlist = [1]\ninner = { a = 1 }",
        r#"
node.toml:10:8: `list` is a list
 10 | list = [1]
    |        ^^^ expected a string, a number or a boolean

node.toml:11:9: `inner` is a table
 11 | inner = { a = 1 }
    |         ^^^^^^^^^ expected a string, a number or a boolean"#,
    );
}

#[test]
fn every_capability_can_be_granted() {
    let folder = folder();
    let text = guest(
        r#"[actors.capabilities]
        messages = ["mailer", "worker-*", "group:counters"]
        spawn = ["counter"]
        directories = [
            { host = "data", guest = "/data" },
            { host = "/var/spool/x", guest = "/spool", access = "read-write" },
        ]
        environment = ["COOKIE", "LANG=C=", "EMPTY="]
        tcp = ["db.internal:5432", "10.0.0.0/8:443"]
        udp = ["*:53"]
        dns = ["*.internal"]
        http = ["https://api.example.com", "http://127.0.0.1:8080"]"#,
    );
    let config = parse(&text, folder.path()).unwrap();
    let grants = config.actors[0].grants.clone();
    let shown = |items: Vec<String>| items.join(" ");
    assert_eq!(
        shown(grants.messages.iter().map(|recipient| recipient.to_string()).collect()),
        "mailer worker-* group:counters"
    );
    assert_eq!(grants.spawn, Spawn::Modules(["counter".to_owned()].into()));
    let [data, spool] = grants.directories.as_slice() else {
        panic!("two directories")
    };
    assert_eq!((&data.host, data.access), (&folder.path().join("data"), Access::Read));
    assert_eq!((spool.guest.as_str(), spool.access), ("/spool", Access::ReadWrite));
    assert_eq!(
        shown(grants.environment.names().map(str::to_owned).collect()),
        "COOKIE EMPTY LANG"
    );
    assert_eq!(
        shown(grants.tcp.iter().map(ToString::to_string).collect()),
        "db.internal:5432 10.0.0.0/8:443"
    );
    assert_eq!(shown(grants.udp.iter().map(ToString::to_string).collect()), "*:53");
    let origins = grants.http.as_deref().unwrap();
    assert_eq!(
        shown(origins.iter().map(ToString::to_string).collect()),
        "https://api.example.com http://127.0.0.1:8080"
    );
    assert!(grants.may_look_up("a.internal") && grants.may_look_up("db.internal"));
}

#[test]
fn everything_of_a_kind_can_be_granted() {
    let actor = parse_guest("capabilities = { messages = [\"*\"], spawn = [\"*\"] }");
    assert!(actor.grants.messages.are_everyone());
    assert_eq!(actor.grants.spawn, Spawn::Anything);
}

#[test]
fn no_grant_of_requests_is_not_the_grant_of_none() {
    assert_eq!(parse_guest("capabilities = {}").grants.http, None);
    assert_eq!(
        parse_guest("capabilities = { http = [] }").grants.http,
        Some(Vec::new())
    );
}

#[test]
fn mistakes_in_places_for_requests_are_explained() {
    check_guest(
        "capabilities = { http = [\"api.example.com\", \"https://a.b/c\", \"ftp://a\"] }",
        r#"
node.toml:9:26: "api.example.com" is no place to send HTTP requests to: it has no scheme
 9 | capabilities = { http = ["api.example.com", "https://a.b/c", "ftp://a"] }
   |                          ^^^^^^^^^^^^^^^^^ did you mean "https://api.example.com"?

node.toml:9:45: "https://a.b/c" is no place to send HTTP requests to: it has a path, and whole hosts are granted
 9 | capabilities = { http = ["api.example.com", "https://a.b/c", "ftp://a"] }
   |                                             ^^^^^^^^^^^^^^^ did you mean "https://a.b"?

node.toml:9:62: "ftp://a" is no place to send HTTP requests to: the scheme is neither http nor https
 9 | capabilities = { http = ["api.example.com", "https://a.b/c", "ftp://a"] }
   |                                                              ^^^^^^^^^ expected SCHEME://HOST or SCHEME://HOST:PORT such as `https://api.example.com`, `http://127.0.0.1:8080` or `https://*.example.com`"#,
    );
}

#[test]
fn mistakes_in_capabilities_are_explained() {
    check_guest(
        r#"[actors.capabilities]
send_to = ["x"]
messages = ["group:", 5]
spawn = ["conter"]
directories = [{ host = "data", gest = "/d" }, { host = "a", guest = "/a", access = "write" }]
environment = ["=x", "MISSING"]
tcp = ["db.internal", "10.0.0.0/99:1"]
dns = ["a b"]"#,
        r#"
node.toml:10:1: unknown key `send_to` in [actors.capabilities]
 10 | send_to = …
    | ^^^^^^^ write `messages = ["NAME", "group:NAME"]`

node.toml:11:13: "group:" is no recipient: the group has no name
 11 | messages = ["group:", 5]
    |             ^^^^^^^^ expected an actor's name, `group:NAME`, `worker-*` or `*`

node.toml:11:23: an element of `messages` is an integer
 11 | messages = ["group:", 5]
    |                       ^ expected a string in quotes

node.toml:12:10: there is no module `conter`
 12 | spawn = ["conter"]
    |          ^^^^^^^^ did you mean "counter"?

node.toml:13:33: unknown key `gest` in an element of `directories`
 13 | directories = [{ host = "data", gest = …
    |                                 ^^^^ did you mean `guest`?

node.toml:13:85: `access` can't be `write`
 13 | directories = [{ host = "data", gest = "/d" }, { host = "a", guest = "/a", access = "write" }]
    |                                                                                     ^^^^^^^ expected one of: read, read-write

node.toml:14:16: "" can't be the name of an environment variable
 14 | environment = ["=x", "MISSING"]
    |                ^^^^ expected `NAME`, for the value that the node itself has, or `NAME=VALUE`

node.toml:15:8: "db.internal" is no endpoint: it has no port
 15 | tcp = ["db.internal", "10.0.0.0/99:1"]
    |        ^^^^^^^^^^^^^ expected HOST:PORT such as `db.internal:5432`, `10.0.0.0/8:443`, `[::1]:80` or `*:53`

node.toml:15:23: "10.0.0.0/99:1" is no endpoint: the network has no prefix length that fits its address
 15 | tcp = ["db.internal", "10.0.0.0/99:1"]
    |                       ^^^^^^^^^^^^^^^ expected HOST:PORT such as `db.internal:5432`, `10.0.0.0/8:443`, `[::1]:80` or `*:53`

node.toml:16:8: "a b" is no endpoint: the host is neither a name nor an address
 16 | dns = ["a b"]
    |        ^^^^^ expected a name such as `db.internal`, `*.internal` or `*`"#,
    );
}

#[test]
fn a_variable_that_the_node_lacks_is_a_warning() {
    check_guest(
        "capabilities = { environment = [\"MISSING\"] }",
        r#"
node.toml:9:33: the environment has no variable `MISSING`
 9 | capabilities = { environment = ["MISSING"] }
   |                                 ^^^^^^^^^ the guest won't see it either; `NAME=VALUE` gives it one"#,
    );
}

#[test]
fn two_directories_are_not_one_to_the_guest() {
    check_guest(
        "capabilities = { directories = [{ host = \"a\", guest = \"/d\" }, { host = \"b\", guest = \"/d\" }] }",
        r#"
node.toml:9:63: two directories are `/d` to the guest
 9 | capabilities = { directories = [{ host = "a", guest = "/d" }, { host = "b", guest = "/d" }] }
   |                                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ each has a path of its own"#,
    );
}

#[test]
fn natives_have_no_such_tables() {
    check_below(
        "[[actors]]\nname = \"n\"\nnative = \"counter\"\nlimits = { timers = 1 }",
        r#"
node.toml:7:10: `limits` is for guests, and this actor is native
 7 | limits = { timers = 1 }
   |          ^^^^^^^^^^^^^^ a native actor is part of the program, and can do whatever the program can"#,
    );
}

#[test]
fn what_an_actor_is_told_is_not_shown() {
    let folder = super::folder();
    let text = r#"
        [node]
        name = "a"
        cookie_file = "cookie"
        [modules.m]
        path = "m.wasm"
        [[actors]]
        name = "actor"
        module = "m"
        arguments = "str:s3cret"
        capabilities = { environment = ["TOKEN=s3cret"] }
        config = { password = "s3cret" }"#;
    let config = super::parse(text, folder.path()).unwrap();
    let actor = config.actors.first().unwrap();
    let profile = crate::guest::Profile {
        config: actor.config.clone(),
        grants: actor.grants.clone(),
        ..Default::default()
    };
    let options = crate::guest::GuestOptions {
        arguments: actor.arguments.clone(),
        profile: std::sync::Arc::new(profile),
        ..Default::default()
    };
    let bytes = format!("{:?}", b"s3cret");
    let bytes = bytes.trim_matches(['[', ']']);
    for shown in [format!("{config:?}"), format!("{actor:#?}"), format!("{options:?}")] {
        assert!(shown.contains("password") && shown.contains("TOKEN"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains(bytes), "{shown}");
    }
}

#[test]
fn the_page_of_node_toml_has_every_capability() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/node-toml.md");
    let page = std::fs::read_to_string(page).unwrap();
    for key in crate::guest::Capability::KEYS {
        let row = format!("\n| `{key}` | list of ");
        assert!(page.contains(&row), "docs/node-toml.md has no row for `{key}`");
    }
}
