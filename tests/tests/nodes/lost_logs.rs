//! Nodes whose log can't be written: everything else goes on.

use std::fs::{self, File, OpenOptions};
use std::io::pipe;
use std::path::Path;
use std::process::{Command, Stdio};

use ractor_host_tests::cli::message;
use ractor_host_tests::host::{HostNode, NodeFolder, another_counter, guest_counter, node_toml, run};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::streams::{IfFull, full_pipe, in_shell, terminal};
use ractor_host_tests::{COOKIE, wait};

const LABEL: &str = "alpha (its log can't be written)";

/// The command, writing its log there.
fn logging_to(stderr: impl Into<Stdio>) -> impl FnOnce(Command) -> Process {
    let stderr = stderr.into();
    move |mut command| Process::start_as_is(LABEL, command.stdout(Stdio::piped()).stderr(stderr))
}

/// The command with these redirections of a shell.
fn redirected<'a>(lines: &'a str, redirections: &'a str) -> impl FnOnce(Command) -> Process + 'a {
    move |command| {
        let mut shell = in_shell(&command, lines, redirections);
        Process::start_as_is(LABEL, shell.stdin(Stdio::null()).stdout(Stdio::piped()))
    }
}

/// Starts a node, spoils its log, and finds that calls are answered, guests restarted, links dialled again, and that it stops
/// in order.
#[track_caller]
fn costs_nothing_else(start: impl FnOnce(Command) -> Process, spoil: impl FnOnce()) {
    let mut peer = HostNode::start("beta", &guest_counter("b-counter", "b-counters", 5));
    let fragile = another_counter("fragile", "fragile", 3).replace("temporary", "transient");
    let rest = format!(
        "peers = [{:?}]\n{}{fragile}",
        peer.address(),
        guest_counter("a-counter", "a-counters", 0)
    );
    let mut node = HostNode::start_by("alpha", COOKIE, &rest, start);
    let (address, cookie) = (node.address().to_owned(), node.cookie_file());
    let ask = |rest: &[&str]| message("call", &address, &cookie, &[rest, &["--reply", "u64"]].concat()).stdout;
    let sum = || ask(&["a-counter", "SumOf", "str:b-counters"]);
    wait::until("the link", sum, |seen| seen == "5");
    spoil();
    for expected in 1..=5 {
        assert_eq!(ask(&["a-counter", "AddAndGet", "u64:1"]), expected.to_string());
    }
    ask(&["fragile", "AddAndGet", "u64:1"]);
    message("cast", &address, &cookie, &["fragile", "Crash", "str:on purpose"]).answer();
    wait::until("the restart", || ask(&["fragile", "Get"]), |seen| seen == "3");
    peer.crash_and_restart(&guest_counter("b-counter", "b-counters", 7));
    wait::until("the new link", sum, |seen| seen == "7");
    node.process().signal(Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_costs_lines_of_the_log_and_nothing_else() {
    let (reader, writer) = pipe().expect("a pipe");
    costs_nothing_else(logging_to(writer), || drop(reader));
}

#[test]
fn a_pipe_that_nobody_reads_costs_lines_of_the_log_and_nothing_else() {
    let (_reader, writer) = full_pipe(IfFull::Wait);
    costs_nothing_else(logging_to(writer), || ());
}

#[test]
fn a_full_pipe_that_does_not_block_costs_lines_of_the_log_and_nothing_else() {
    let (_reader, writer) = full_pipe(IfFull::Fail);
    costs_nothing_else(logging_to(writer), || ());
}

#[test]
fn a_closed_stderr_costs_the_log_and_nothing_else() {
    costs_nothing_else(redirected("", "2>&-"), || ());
}

/// A terminal that only its output goes to: the node is no job of it, and gets no signal.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_is_gone_costs_lines_of_the_log_and_nothing_else() {
    let (screen, programs) = terminal();
    costs_nothing_else(logging_to(programs), || drop(screen));
}

/// The log is as large as a file may be, and a write beyond that would by itself kill the node.
#[test]
fn a_file_of_the_largest_size_costs_lines_of_the_log_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    // Shells count blocks of 512 or of 1024 bytes.
    let (blocks, size) = (65_536, 65_536 * 1024);
    File::create(&log)
        .and_then(|log| log.set_len(size))
        .expect("a large file");
    let (limit, redirection) = (format!("ulimit -f {blocks}"), format!("2>> '{}'", log.display()));
    costs_nothing_else(redirected(&limit, &redirection), || ());
    assert_eq!(fs::metadata(log).expect("the log").len(), size);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_lines_of_the_log_and_nothing_else() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    costs_nothing_else(logging_to(full), || ());
}

/// A file system of one page, as long as this lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where this user can't mount anything.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4k", "tmpfs"]).arg(folder.path());
        let mounted = mount.stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "it can't be unmounted");
    }
}

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "a test that can't be made here says so")]
fn a_log_goes_on_where_it_stopped_when_its_disk_has_room_again() {
    let Some(disk) = SmallDisk::mount() else {
        return eprintln!("SKIPPED: only root can mount a small file system");
    };
    let fill = disk.path().join("fill");
    fs::write(&fill, [b'-'; 4096]).expect("a page");
    let log = disk.path().join("log");
    let file = File::options().append(true).create(true).open(&log).expect("the log");
    let mut node = HostNode::start_by("alpha", COOKIE, "", logging_to(file));
    assert_eq!(fs::metadata(&log).expect("the log").len(), 0, "there is no room for it");
    fs::remove_file(fill).expect("room");
    let read = || fs::read_to_string(&log).expect("the log");
    let written = wait::until("the log", read, |log| log.contains("node is up"));
    assert!(
        written.starts_with("20"),
        "it begins with the time of a line: {written}"
    );
    node.process().signal(Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
    assert!(read().contains("node is down"), "{}", read());
}

#[test]
#[cfg(target_os = "linux")]
fn streams_that_are_closed_at_the_start_are_no_other_files() {
    let mut peer = HostNode::start("beta", "");
    let rest = format!("peers = [{:?}]\n{}", peer.address(), guest_counter("a-counter", "a", 0));
    let folder = NodeFolder::new(&node_toml("alpha", &rest), COOKIE);
    let command = run(&folder.path("node.toml"));
    let mut shell = in_shell(&command, "", "<&- >&- 2>&-");
    let mut node = Process::start_as_is(LABEL, &mut shell);
    // There is no ready line; its peer sees it.
    peer.process().wait_line(Stream::Stderr, 0, "the session", |line| {
        line.contains("alpha@localhost") && line.contains("ready")
    });
    for descriptor in 0..3 {
        let file = fs::read_link(format!("/proc/{}/fd/{descriptor}", node.id())).expect("an open file");
        assert_eq!(file, Path::new("/dev/null"), "{descriptor}");
    }
    node.signal(Signal::TERM);
    assert_eq!(node.wait_exit().code(), Some(0));
}

/// The stream of answers is the same: `dev` writes to it as it goes.
#[test]
fn a_stdout_that_nobody_reads_holds_up_no_stop() {
    let folder = NodeFolder::new(&node_toml("alpha", ""), COOKIE);
    let (_reader, stdout) = full_pipe(IfFull::Wait);
    let mut command = run(&folder.path("node.toml"));
    let mut node = Process::start_as_is("alpha (nobody reads it)", command.stdout(stdout).stderr(Stdio::piped()));
    node.wait_line(Stream::Stderr, 0, "the start", |line| line.contains("node is up"));
    node.signal(Signal::TERM);
    assert_eq!(node.wait_exit().code(), Some(0));
}
