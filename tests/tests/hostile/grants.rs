//! What guests try beyond what they were granted: files, sockets and variables.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::victims::{Victims, actor_with};

/// WASI's number of `not-permitted` among the error codes of files.
const NOT_PERMITTED: &str = "31";

/// WASI's number of `access-denied` among those of sockets.
const ACCESS_DENIED: &str = "01";

/// Has the attacker try this, which it was not granted.
#[track_caller]
fn is_refused(victims: &mut Victims, attempt: &str, code: &str) {
    assert_eq!(victims.ask("attacker", attempt).as_deref(), Ok(code), "{attempt}");
}

/// What is in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn no_path_leads_out_of_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let own = top.join("own");
    fs::create_dir(&own).unwrap();
    fs::write(top.join("secret"), "secret").unwrap();
    fs::write(own.join("bait"), "bait").unwrap();
    symlink("../secret", own.join("beside")).unwrap();
    symlink(top.join("secret"), own.join("absolute")).unwrap();
    symlink("..", own.join("above")).unwrap();
    let grants = format!("directories = [{{ host = {own:?}, guest = \"/own\", access = \"read-write\" }}]");
    let mut victims = Victims::start("directory-escape", &[], &actor_with("attacker", &grants));
    assert_eq!(victims.ask("attacker", "0rbait").as_deref(), Ok("bait"));

    let absolute = top.join("secret").display().to_string();
    let paths = [
        "../secret",
        &absolute,
        "above/secret",
        "bait/../../secret",
        "./../own/../secret",
    ];
    for path in paths {
        for what in ["r", "w", "t", "l", "m", "u", "o", "d"] {
            let attempt = format!("0{what}{path}");
            let answer = victims.ask("attacker", &attempt).unwrap();
            // A number: of which error is the system's affair.
            assert!(answer.parse::<u8>().is_ok(), "{attempt}: {answer}");
        }
    }
    for attempt in [
        "0r../secret",
        "0w../secret",
        "0t../secret",
        "0l../secret",
        "0m../secret",
    ] {
        is_refused(&mut victims, attempt, NOT_PERMITTED);
        let line = victims.logs("capability denied");
        assert!(line.contains("directories = [{ host"), "{line}");
    }
    for what in ["r", "w", "t"] {
        for link in ["beside", "absolute"] {
            is_refused(&mut victims, &format!("0{what}{link}"), NOT_PERMITTED);
        }
    }
    // A link of its own leads no further.
    is_refused(&mut victims, &format!("0s{absolute}"), NOT_PERMITTED);
    victims.ask("attacker", "0s../secret").unwrap();
    assert_ne!(victims.ask("attacker", "0rstolen").as_deref(), Ok("secret"));
    assert_ne!(victims.ask("attacker", "0wstolen").as_deref(), Ok("ok"));

    assert_eq!(fs::read_to_string(top.join("secret")).unwrap(), "secret");
    assert_eq!(names(top), ["own", "secret"]);
    victims.are_as_before();
}

#[test]
fn a_directory_to_read_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bait"), "bait").unwrap();
    let grants = format!("directories = [{{ host = {:?}, guest = \"/data\" }}]", folder.path());
    let mut victims = Victims::start("directory-escape", &[], &actor_with("attacker", &grants));
    assert_eq!(victims.ask("attacker", "0rbait").as_deref(), Ok("bait"));
    for attempt in [
        "0wbait", "0wnew", "0lbait", "0sbait", "0mbait", "0onew", "0ubait", "0dnew",
    ] {
        is_refused(&mut victims, attempt, NOT_PERMITTED);
        let line = victims.logs("capability denied");
        assert!(line.contains("access = \"read-write\""), "{attempt}: {line}");
    }
    assert_eq!(names(folder.path()), ["bait"]);
    assert_eq!(fs::read_to_string(folder.path().join("bait")).unwrap(), "bait");
    victims.are_as_before();
}

#[test]
fn a_socket_reaches_no_other_peer_and_waits_for_none() {
    let listener = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    };
    let ((_granted, granted), (other, forbidden)) = (listener(), listener());
    let grants = format!("tcp = [\"127.0.0.1:{granted}\"]");
    let mut victims = Victims::start("port-knocker", &[], &actor_with("attacker", &grants));
    assert_eq!(victims.ask("attacker", &format!("c{granted}")).as_deref(), Ok("ok"));
    for (what, port, add) in [
        ("c", forbidden, "tcp = [\"127.0.0.1:"),
        ("m", 80, "tcp = [\"169.254.169.254:80\"]"),
        ("6", granted, "tcp = [\"[::1]:"),
        ("l", 0, "no actor may"),
        ("l", forbidden, "no actor may"),
        ("u", 0, "udp = ["),
        ("d", granted, "udp = ["),
    ] {
        is_refused(&mut victims, &format!("{what}{port}"), ACCESS_DENIED);
        let line = victims.logs("capability denied");
        assert!(line.contains(add), "{what}{port}: {line}");
    }
    assert_eq!(other.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    victims.are_as_before();
}

#[test]
fn a_datagram_reaches_no_other_peer() {
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let port = socket.local_addr().unwrap().port();
        (socket, port)
    };
    let ((_granted, granted), (other, forbidden)) = (socket(), socket());
    let grants = format!("udp = [\"127.0.0.1:{granted}\"]");
    let mut victims = Victims::start("port-knocker", &[], &actor_with("attacker", &grants));
    for what in ["t", "d"] {
        assert_eq!(
            victims.ask("attacker", &format!("{what}{granted}")).as_deref(),
            Ok("ok")
        );
    }
    for (what, port, add) in [
        ("t", forbidden, "udp = [\"127.0.0.1:"),
        ("d", forbidden, "udp = [\"127.0.0.1:"),
        ("u", forbidden, "no actor may"),
        ("c", granted, "tcp = ["),
    ] {
        is_refused(&mut victims, &format!("{what}{port}"), ACCESS_DENIED);
        let line = victims.logs("capability denied");
        assert!(line.contains(add), "{what}{port}: {line}");
    }
    assert_eq!(other.recv_from(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    victims.are_as_before();
}

#[test]
fn nobody_sees_the_variables_of_the_node_or_of_another() {
    let grants = "environment = [\"COLOUR=blue\"]";
    let mut victims = Victims::start("variable-thief", &[], &actor_with("attacker", grants));
    assert_eq!(victims.ask("attacker", "all").as_deref(), Ok("COLOUR=blue;"));
    // The same module, as the child of an actor that was granted no variable.
    assert_eq!(victims.spawn("attacker", ""), "ok");
    assert_eq!(victims.ask("parent/child", "all").as_deref(), Ok(""));
    let line = victims.logs("capability denied");
    assert!(line.contains("environment = [\"NAME\"]"), "{line}");
    victims.kill_children();
    victims.are_as_before();
}
