//! What guests may reach: as node.toml grants it, and no further. One guest is asked to try everything, under grants that
//! name what it tries and under none.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;

use ractor_host_tests::cli::{self, message};
use ractor_host_tests::host::{HostNode, NodeFolder, node_toml};
use ractor_host_tests::process::Stream;
use ractor_host_tests::{COOKIE, programs};

/// A node with the guests `granted` and `denied`, which are alike but for these grants.
fn node(grants: &str) -> HostNode {
    HostNode::start("alpha", &two_probes(grants))
}

fn two_probes(grants: &str) -> String {
    let path = programs::guest("probe");
    format!(
        "[modules.probe]\npath = {path:?}\n\
         [[actors]]\nname = \"denied\"\nmodule = \"probe\"\ngroups = [\"probes\"]\n\
         [[actors]]\nname = \"granted\"\nmodule = \"probe\"\ncapabilities = {{ {grants} }}\n\
         [actors.config]\ngreeting = \"hello\"\n"
    )
}

/// What came of it when this actor tried.
#[track_caller]
fn attempt(node: &HostNode, actor: &str, what: &str, argument: &str) -> String {
    let folder = NodeFolder::new("", COOKIE);
    let (what, argument) = (format!("str:{what}"), format!("str:{argument}"));
    let rest = [actor, "Try", &what, &argument, "--reply", "str", "--timeout", "60s"];
    let ended = message("call", node.address(), &folder.path("cookie"), &rest);
    ended.answer().to_owned()
}

/// Waits for the log line about a refusal, which has the line to add.
#[track_caller]
fn is_said(node: &mut HostNode, add: &str) {
    node.process().wait_line(Stream::Stderr, 0, "a refusal", |line| {
        line.contains("capability denied") && line.contains("actor=\"denied\"") && line.contains(add)
    });
}

#[test]
fn files_are_found_in_directories_that_are_granted() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("greeting"), "hello").expect("a file");
    fs::create_dir(folder.path().join("own")).expect("a folder");
    let host = folder.path();
    let mut node = node(&format!(
        "directories = [{{ host = {host:?}, guest = \"/data\" }}, \
         {{ host = {:?}, guest = \"/own\", access = \"read-write\" }}]",
        host.join("own")
    ));
    assert_eq!(attempt(&node, "granted", "read", "/data/greeting"), "ok: hello");
    assert_eq!(attempt(&node, "granted", "write", "/own/new"), "ok:");
    assert_eq!(
        fs::read_to_string(host.join("own/new")).expect("a file"),
        "written by a guest"
    );
    assert_eq!(attempt(&node, "granted", "list", "/own"), "ok: new");

    // Not more than that: neither to write where it may read, nor out of its directories.
    assert_eq!(attempt(&node, "granted", "write", "/data/greeting"), "PermissionDenied");
    assert_eq!(
        attempt(&node, "granted", "remove", "/data/greeting"),
        "PermissionDenied"
    );
    assert_eq!(
        attempt(&node, "granted", "read", "/own/../greeting"),
        "PermissionDenied"
    );
    assert!(!attempt(&node, "granted", "read", "/etc/hostname").starts_with("ok"));
    assert_eq!(fs::read_to_string(host.join("greeting")).expect("a file"), "hello");

    assert!(!attempt(&node, "denied", "read", "/data/greeting").starts_with("ok"));
    is_said(&mut node, "directories = [{ host");
}

#[test]
fn variables_are_those_that_are_granted() {
    let mut node = node("environment = [\"GREETING=hello\"]");
    assert_eq!(attempt(&node, "granted", "variables", ""), "ok: GREETING=hello");
    assert_eq!(attempt(&node, "denied", "variables", ""), "ok:");
    is_said(&mut node, "environment = [\"NAME\"]");
    assert_eq!(attempt(&node, "granted", "config", "greeting"), "ok: hello");
    assert_eq!(attempt(&node, "denied", "config", "greeting"), "ok:");
}

/// A server that answers whoever connects with what they said, in capital letters.
fn shouting_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut said = [0; 5];
            if stream.read_exact(&mut said).is_ok() {
                // Whoever has gone hears nothing.
                drop(stream.write_all(&said.to_ascii_uppercase()));
            }
        }
    });
    port
}

#[test]
fn connections_go_where_they_are_granted() {
    let (port, other) = (shouting_server(), shouting_server());
    let mut node = node(&format!("tcp = [\"127.0.0.1:{port}\", \"localhost:{port}\"]"));
    assert_eq!(
        attempt(&node, "granted", "connect", &format!("127.0.0.1:{port}")),
        "ok: HELLO"
    );
    assert_eq!(
        attempt(&node, "granted", "connect", &format!("localhost:{port}")),
        "ok: HELLO"
    );
    assert_eq!(
        attempt(&node, "granted", "connect", &format!("127.0.0.1:{other}")),
        "PermissionDenied"
    );
    assert_eq!(attempt(&node, "granted", "listen", "127.0.0.1:0"), "PermissionDenied");
    assert!(attempt(&node, "granted", "look up", "localhost").starts_with("ok"));
    assert!(!attempt(&node, "granted", "look up", "other.example").starts_with("ok"));

    assert_eq!(
        attempt(&node, "denied", "connect", &format!("127.0.0.1:{port}")),
        "PermissionDenied"
    );
    is_said(&mut node, "tcp = [\"HOST:PORT\"]");
    assert!(!attempt(&node, "denied", "look up", "localhost").starts_with("ok"));
    is_said(&mut node, "dns = [\"localhost\"]");
}

#[test]
fn datagrams_go_where_they_are_granted() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut said = [0; 64];
        while let Ok((length, from)) = socket.recv_from(&mut said) {
            let said = said.get(..length).unwrap_or_default();
            drop(socket.send_to(&said.to_ascii_uppercase(), from));
        }
    });
    let mut node = node(&format!("udp = [\"127.0.0.1:{port}\"]"));
    let address = format!("127.0.0.1:{port}");
    assert_eq!(attempt(&node, "granted", "datagram", &address), "ok: HELLO");
    assert_eq!(attempt(&node, "granted", "datagram", "127.0.0.1:9"), "PermissionDenied");
    assert_eq!(attempt(&node, "granted", "connect", &address), "PermissionDenied");
    assert_eq!(attempt(&node, "denied", "datagram", &address), "PermissionDenied");
    is_said(&mut node, "udp = [\"HOST:PORT\"]");
}

#[test]
fn messages_go_to_those_who_are_granted() {
    let by_name = node("messages = [\"den*\"]");
    assert_eq!(attempt(&by_name, "granted", "call", "denied"), "ok:");
    assert_eq!(attempt(&by_name, "granted", "send", "denied"), "ok:");
    drop(by_name);
    let mut by_group = node("messages = [\"group:probes\"]");
    assert_eq!(attempt(&by_group, "granted", "call the group", "probes"), "ok:");
    for what in ["call", "send"] {
        let came = attempt(&by_group, "denied", what, "granted");
        assert!(!came.starts_with("ok") && came != "nobody", "{what}: {came}");
    }
    is_said(&mut by_group, "messages = [\"granted\"]");
    // To itself, nobody needs a grant.
    assert_eq!(attempt(&by_group, "denied", "send", "denied"), "ok:");
}

#[test]
fn children_are_of_modules_that_are_granted_and_kin() {
    let mut node = node("spawn = [\"probe\"]");
    // It calls its child, which has the configuration of its parent.
    assert_eq!(attempt(&node, "granted", "spawn", "probe"), "ok:");
    let refused = attempt(&node, "denied", "spawn", "probe");
    assert!(!refused.starts_with("ok"), "{refused}");
    is_said(&mut node, "spawn = [\"probe\"]");
}

#[test]
fn a_directory_that_is_not_there_is_refused() {
    let grants = "directories = [{ host = \"/no/such/folder\", guest = \"/data\" }]";
    let folder = NodeFolder::new(&node_toml("alpha", &two_probes(grants)), COOKIE);
    let checked = cli::ractor_host(&["check", &folder.path("node.toml").display().to_string()]);
    assert_eq!(checked.code, Some(2), "{}", checked.stdout);
    assert!(
        checked
            .stderr
            .contains("actor `granted`: the directory /no/such/folder"),
        "{}",
        checked.stderr
    );
}

#[test]
fn check_says_what_each_actor_may_do() {
    let grants = "messages = [\"group:probes\"], tcp = [\"db.internal:5432\"], environment = [\"TOKEN=s3cret\"]";
    let folder = NodeFolder::new(&node_toml("alpha", &two_probes(grants)), COOKIE);
    let checked = cli::ractor_host(&["check", &folder.path("node.toml").display().to_string()]);
    for line in [
        "  actor `denied` of module `probe`, in the groups probes\n    may reach nothing but its supervisor and its children",
        "    may send to group:probes",
        "    may connect over TCP to db.internal:5432",
        "    may see the variables TOKEN",
    ] {
        assert!(checked.stdout.contains(line), "{line}: {}", checked.stdout);
    }
    assert!(!checked.stdout.contains("s3cret"), "{}", checked.stdout);
}

#[test]
fn inspect_says_what_a_component_is_without_a_node() {
    let path = programs::guest("probe").display().to_string();
    let shown = cli::ractor_host(&["inspect", &path]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    for part in [
        "  call Try(string, string) -> string\n",
        "sha256:",
        "\n  spawn       it may call ractor:actor/lifecycle@0.1.0#spawn, through a pointer to a function\n",
        "\n  environment it calls wasi:cli/environment@0.2.",
        "\n  ractor:actor/actor@0.1.0",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let json = cli::ractor_host(&["inspect", &path, "--output", "json"]);
    for part in [
        "\"capability\": \"spawn\"",
        "\"need\": \"called\"",
        "\"need\": \"perhaps\"",
        "\"state_version\":",
        "\"digest\": \"sha256:",
    ] {
        assert!(json.stdout.contains(part), "{part}: {}", json.stdout);
    }
    let wrong = cli::ractor_host(&["inspect", file!()]);
    assert_eq!(wrong.code, Some(2));
}

/// What `inspect` says of a guest's capabilities, one line for each.
fn capabilities_of(guest: &str) -> Vec<String> {
    let path = programs::guest(guest).display().to_string();
    let shown = cli::ractor_host(&["inspect", &path]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let lines = shown
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("capabilities that"));
    let lines = lines.skip(1).take_while(|line| line.starts_with("  "));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Each language links its library in, and with it imports that the program never uses.
#[test]
fn inspect_tells_what_a_component_can_call_and_not_what_it_imports() {
    let calls = [
        // A counter in C that sends to others, and nothing else. Its imports say that it could use files and sockets.
        (
            "c_counter",
            &["messages    it may call ractor:actor/", "(in ractor_"][..],
        ),
        ("zig_counter", &["none"]),
        (
            "counter",
            &["messages    ", "environment it calls wasi:cli/environment@0.2."],
        ),
        (
            "go_counter",
            &["messages    ", "(in environ_get < runtime.environ_get)"],
        ),
        (
            "js_counter",
            &[
                "its JavaScript interpreter can call ractor:actor/",
                "whether the program does can't be told",
            ],
        ),
        (
            "py_counter",
            &[
                "tcp         its Python interpreter can call wasi:sockets/tcp-create-socket@0.2.",
                "socket < sock_initobj",
            ],
        ),
    ];
    for (guest, expected) in calls {
        let lines = capabilities_of(guest);
        for part in expected {
            assert!(
                lines.iter().any(|line| line.contains(part)),
                "{guest}: {part}: {lines:#?}"
            );
        }
        let sockets = lines.iter().any(|line| line.starts_with("tcp "));
        assert_eq!(sockets, guest == "py_counter", "{guest}: {lines:#?}");
    }
}

#[test]
fn inspect_compiles_a_component_once() {
    let cache = tempfile::tempdir().expect("a folder");
    let inspect = || {
        let mut command = programs::ractor_host();
        command.env("XDG_CACHE_HOME", cache.path());
        command
            .args(["inspect", "--output", "json"])
            .arg(programs::guest("counter"));
        cli::end("ractor-host inspect", &mut command).answer().to_owned()
    };
    let first = inspect();
    assert!(first.contains("\"code\": \"compiled\""), "{first}");
    assert_eq!(inspect(), first.replace("\"compiled\"", "\"cached\""));
}
