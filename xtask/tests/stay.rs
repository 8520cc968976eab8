//! `cargo xtask demo --stay`: the nodes can be looked at when the story is told, and Ctrl-C ends them all.
#![cfg(target_os = "linux")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

/// The longest that ending may take. Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo that stays, with its nodes in a process group of its own, as a shell starts it.
struct Demo {
    process: Child,
    group: Pid,
    /// Kept, since the demo has more to say.
    said: BufReader<ChildStderr>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Nothing is left of a test that fails.
        kill_process_group(self.group, Signal::KILL).ok();
        drop(self.process.wait());
    }
}

/// Plays the demo, and gives it with what its last line says.
#[track_caller]
fn play() -> (Demo, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["demo", "--stay"]).process_group(0);
    let mut process = match command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn() {
        Ok(process) => process,
        Err(error) => panic!("{command:?} does not start: {error}"),
    };
    let said = BufReader::new(process.stderr.take().expect("its stderr"));
    let mut demo = Demo {
        group: Pid::from_child(&process),
        process,
        said,
    };
    let mut all = String::new();
    while demo.said.read_line(&mut all).expect("a line") > 0 {
        let last = all.lines().last().unwrap_or_default();
        if let Some(dashboard) = last.strip_prefix("dashboard: ") {
            let dashboard = dashboard.to_owned();
            return (demo, dashboard);
        }
    }
    panic!("it ended without a dashboard: {all}");
}

/// What the server at this address answers to a browser.
fn open(url: &str) -> String {
    let authority = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
    let authority = authority.expect("an address of this machine");
    let mut connection = TcpStream::connect(authority).expect("a connection");
    let request = format!("GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("to be taken");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("a page in UTF-8");
    answer
}

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

#[test]
fn the_last_line_opens_the_dashboard_and_ctrl_c_ends_every_process() {
    // As a terminal sends it, to all of them; and as somebody sends it to the command alone.
    let signals = [
        |demo: &Demo| kill_process_group(demo.group, Signal::INT),
        |demo: &Demo| kill_process(demo.group, Signal::INT),
    ];
    for send in signals {
        let (mut demo, dashboard) = play();
        let page = open(&dashboard);
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        assert!(page.contains("<title>"), "{page}");
        assert!(demo.process.try_wait().expect("its state").is_none(), "it stays");

        send(&demo).expect("a signal");
        let mut status = None;
        wait_until("the demo to end", || {
            status = demo.process.try_wait().expect("its state");
            status.is_some()
        });
        let mut rest = String::new();
        drop(demo.said.read_to_string(&mut rest));
        assert!(status.is_some_and(|status| status.success()), "{status:?}: {rest}");
        // The processes of both nodes were in its group.
        wait_until("every process to be gone", || {
            test_kill_process_group(demo.group).is_err()
        });
        let authority = dashboard.trim_start_matches("http://").trim_end_matches('/');
        assert!(TcpStream::connect(authority).is_err(), "nobody listens any more");
    }
}
