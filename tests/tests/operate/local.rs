//! The socket on the node's own machine.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;

use ractor_host_tests::cli::end;
use ractor_host_tests::host::NodeFolder;
use ractor_host_tests::wait;

use crate::operator::{at, command, in_folder, node};

#[test]
fn the_folder_of_a_node_is_all_that_a_command_needs() {
    let alpha = node("alpha", "");
    assert!(at(&alpha, &["ps"]).answer().contains("counter"));
    let toml = alpha.file("node.toml").display().to_string();
    let elsewhere = tempfile::tempdir().expect("a folder");
    assert!(
        in_folder(elsewhere.path(), &["ps", "-f", &toml])
            .answer()
            .contains("counter")
    );
    let lost = in_folder(elsewhere.path(), &["ps"]);
    assert_eq!(lost.code, Some(2));
    assert!(
        lost.stderr.contains("there is no node.toml in this folder"),
        "{}",
        lost.stderr
    );
    let reloaded = at(&alpha, &["reload", "counter"]);
    assert!(reloaded.answer().contains("0 actors changed"), "{}", reloaded.stdout);
}

#[test]
fn a_node_that_does_not_run_is_said_to_be_down() {
    let mut alpha = node("alpha", "");
    alpha.process().kill();
    let ended = at(&alpha, &["ps"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("alpha@localhost does not run on this machine"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_node_takes_the_socket_that_a_killed_one_has_left() {
    let mut alpha = node("alpha", "");
    let socket = alpha.file("state/control.sock");
    alpha.process().kill();
    assert!(socket.exists(), "a killed node can't take it away");
    alpha.crash_and_restart("[runtime]\nstate_dir = \"state\"\n");
    assert!(at(&alpha, &["ps", "--all"]).answer().contains("supervisor"));
}

#[test]
fn nobody_else_may_use_the_socket() {
    let alpha = node("alpha", "");
    let socket = alpha.file("state/control.sock");
    assert_eq!(
        fs::metadata(&socket).expect("a socket").permissions().mode() & 0o777,
        0o600
    );
    if fs::metadata(&socket).expect("a socket").uid() != 0 {
        eprintln!("NOT TESTED as another user: that takes root");
        return;
    }
    // Even where the files let others in, the node asks the system who it is.
    for path in [alpha.file(""), alpha.file("state")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("permissions");
    let mut other = std::process::Command::new("/bin/sh");
    let script = format!(
        "exec 3<>/dev/null; command -v python3 >/dev/null || exit 77; python3 -c 'import socket\ns = socket.socket(socket.AF_UNIX)\n\
         s.connect(\"{}\")\ns.sendall(b\"\\0\\0\\0\\0\")\nprint(len(s.recv(1)))'",
        socket.display()
    );
    other.args(["-c", &script]).uid(65_534).gid(65_534);
    let ended = end("another user", &mut other);
    if ended.code == Some(77) {
        eprintln!("NOT TESTED as another user: that takes python3");
        return;
    }
    // The connection is closed without an answer: as an end, or with what was sent thrown back.
    assert_ne!(ended.stdout, "1", "{}", ended.stderr);
}

#[test]
fn what_is_no_request_ends_its_connection_alone() {
    let alpha = node("alpha", "");
    let connect = || UnixStream::connect(alpha.file("state/control.sock")).expect("a connection");
    let mut silent = Vec::new();
    for bytes in [
        &b"\xff\xff\xff\xff"[..],
        b"\0\0\0\x02{}",
        b"\0\0\x01\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = connect();
        stream.write_all(bytes).expect("the node takes bytes");
        silent.push(stream);
    }
    let mut answer = Vec::new();
    silent[1].set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
    let mut length = [0; 4];
    silent[1].read_exact(&mut length).expect("an answer");
    answer.resize(usize::try_from(u32::from_be_bytes(length)).expect("a length"), 0);
    silent[1].read_exact(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("does not understand the request"), "{answer}");
    // More than may be connected at once: the others are closed, and those that end make room.
    let crowd: Vec<UnixStream> = (0..200).map(|_| connect()).collect();
    drop((crowd, silent));
    wait::until(
        "the node to have room again",
        || at(&alpha, &["ps"]).code,
        |code| *code == Some(0),
    );
}

#[test]
fn a_node_whose_folder_has_too_long_a_path_is_found_by_a_short_one() {
    let runtime = tempfile::tempdir().expect("a folder");
    let long = "long".repeat(30);
    let folder = NodeFolder::new("", ractor_host_tests::COOKIE);
    let state = folder.path(&long);
    let counter = ractor_host_tests::host::guest_counter("counter", "counters", 0);
    let rest = format!("[runtime]\nstate_dir = {state:?}\n{counter}");
    let alpha = ractor_host_tests::host::HostNode::start_in("alpha", &rest, &[("XDG_RUNTIME_DIR", runtime.path())]);
    assert!(!state.join("control.sock").exists());
    let mut ps = command(&alpha.file(""), &["ps"]);
    let ended = end("ractor-host ps", ps.env("XDG_RUNTIME_DIR", runtime.path()));
    assert!(ended.answer().contains("counter"), "{}", ended.stdout);
}
