//! What signals do to a node, and what a terminal that hangs up does.

use std::process::{Command, Stdio};

use ractor_host_tests::COOKIE;
use ractor_host_tests::cli::message;
use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::streams::{in_shell, terminal};

/// The command behind these words, as one that heeds the signals: whoever runs the tests may have them ignored.
fn heeding(words: &[&str], command: &Command) -> Command {
    let mut whole = Command::new("env");
    whole
        .arg("--default-signal=HUP,QUIT")
        .args(words)
        .arg(command.get_program())
        .args(command.get_args());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    whole.envs(set);
    whole
}

#[test]
fn every_signal_to_end_stops_a_node_in_order() {
    for signal in [Signal::INT, Signal::TERM, Signal::QUIT, Signal::XCPU] {
        let mut node = HostNode::start_by("alpha", COOKIE, "", |command| {
            Process::start("alpha (ractor-host run)", &mut heeding(&[], &command))
        });
        node.process().signal(signal);
        assert_eq!(node.process().wait_exit().code(), Some(0), "{signal:?}");
        let log = node.process().lines(Stream::Stderr).join("\n");
        assert!(log.contains("node is down"), "{signal:?}: {log}");
    }
}

#[test]
fn signals_that_mean_something_to_others_leave_a_node_running() {
    let mut node = HostNode::start("alpha", &guest_counter("a-counter", "counters", 0));
    for (signal, name) in [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2")] {
        node.process().signal(signal);
        node.process()
            .wait_line(Stream::Stderr, 0, "a line about it", |line| line.contains(name));
    }
    goes_on(&mut node);
}

#[test]
fn a_node_under_nohup_outlives_its_terminal() {
    let mut node = HostNode::start_by("alpha", COOKIE, &guest_counter("a-counter", "counters", 0), |command| {
        Process::start("alpha (nohup)", &mut in_shell(&command, "trap '' HUP", ""))
    });
    node.process().signal(Signal::HUP);
    goes_on(&mut node);
}

#[track_caller]
fn goes_on(node: &mut HostNode) {
    let rest = ["a-counter", "AddAndGet", "u64:1", "--reply", "u64"];
    assert_eq!(
        message("call", node.address(), &node.cookie_file(), &rest).answer(),
        "1"
    );
    node.process().signal(Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
}

/// The terminal of a login that is lost: its signal comes, and what it shows can't be written any more.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_hangs_up_stops_its_node_in_order() {
    let (screen, programs) = terminal();
    let mut node = HostNode::start_by("alpha", COOKIE, "", |command| {
        let mut session = heeding(&["setsid", "--ctty"], &command);
        session.stdout(Stdio::piped());
        session
            .stdin(programs.try_clone().expect("its keyboard"))
            .stderr(programs);
        Process::start_as_is("alpha (on a terminal)", &mut session)
    });
    drop(screen);
    assert_eq!(node.process().wait_exit().code(), Some(0));
}
