//! Calls that get no reply end nonetheless, and soon: none of these has a timeout that would end it.

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::peer::{Kind, Peer};

use crate::node;

const DROPPED: &str = "dropped";
/// The same in the words of a [`Peer`] of the interop tests.
const PORT_DROPPED: &str = "the reply port was dropped";

#[test]
fn a_native_callee_that_drops_its_port_ends_the_call() {
    let callee = node("callee", &["--actor", "worker:workers"]);
    let mut caller = node("caller", &["--peer", callee.address()]);
    caller.wait("members workers", "remote:worker@callee@localhost");
    assert_eq!(caller.try_run("refuse worker"), Err(DROPPED.to_owned()));
    assert_eq!(caller.run("echo worker 1"), "1", "the callee goes on");
}

#[test]
fn a_call_that_does_not_decode_ends_the_call() {
    let callee = node("callee", &["--actor", "worker:workers"]);
    let guests = HostNode::start("guests", &guest_counter("a-counter", "counters", 1));
    let mut caller = node("caller", &["--peer", callee.address(), "--peer", guests.address()]);
    caller.wait("members workers", "remote:worker@callee@localhost");
    caller.wait("members counters", "remote:a-counter@guests@localhost");
    for target in ["worker", "a-counter"] {
        for message in ["NoSuchVariant 0", "NoSuchVariant 9", "Echo 0", "Echo 9", "AddAndGet 3"] {
            assert_eq!(
                caller.try_run(&format!("raw-call {target} {message}")),
                Err(DROPPED.to_owned()),
                "{message} to {target}"
            );
        }
    }
    assert_eq!(caller.run("echo worker 1"), "1", "the native callee goes on");
    assert_eq!(caller.run("raw-call a-counter Get 0"), "8", "the guest goes on");
}

/// The guest calls an actor that can't understand it, and then drops the call that made it do so.
#[test]
fn a_guest_that_drops_its_port_ends_the_call() {
    let guests = HostNode::start("guests", &guest_counter("a-counter", "counters", 1));
    let address = guests.address().to_owned();
    let _worker = node("worker", &["--peer", &address, "--actor", "worker:workers"]);
    let mut caller = Peer::start(Kind::DropIn, "caller", &["--connect", &address]);
    caller.wait("members counters", "remote:a-counter");
    let answer = "the worker to be there for the guest";
    let seen = ractor_host_tests::wait::until(
        answer,
        || caller.try_run("call counters SumOf workers"),
        |seen| seen.is_err(),
    );
    assert_eq!(seen, Err(PORT_DROPPED.to_owned()));
}

#[test]
fn the_end_of_the_callee_ends_the_calls_that_wait_for_it() {
    let mut callee = node("callee", &["--actor", "worker:workers", "--actor", "other:others"]);
    let mut caller = node("caller", &["--peer", callee.address()]);
    let options = ["--connect", callee.address()];
    let mut stock = Peer::start(Kind::Stock, "stock", &options);
    caller.wait("members workers", "remote:worker@callee@localhost");
    stock.wait("members workers", "remote:worker");
    caller.run("pend worker Never 10");
    caller.run("pend other Never 3");
    stock.begin("raw-call 19000 workers Never -");
    // It has arrived once the callee, which handles one message after the other, has got the one behind it.
    caller.run("echo worker 1");
    callee.run("kill worker");
    caller.wait("pending", "3");
    assert_eq!(stock.answer("the call of the stock peer"), Err(PORT_DROPPED.to_owned()));
    assert_eq!(caller.try_run("echo worker 1"), Err("worker is nobody".to_owned()));
}

#[test]
fn the_end_of_a_stock_callee_ends_the_calls_that_wait_for_it() {
    let mut callee = Peer::start(Kind::Stock, "callee", &["--actor", "callee:workers"]);
    let mut caller = node("caller", &["--peer", callee.address()]);
    caller.wait("members workers", "remote:callee@callee@localhost");
    // What it can't decode a stock node drops without a word: these calls wait.
    caller.run("pend callee NoSuchVariant 10");
    assert_eq!(caller.run("pending"), "10");
    callee.run("kill callee");
    caller.wait("pending", "0");
}

/// The caller learns of the end of an actor while its call is on the way, or right before: which of the two is a race.
#[test]
fn a_call_that_crosses_the_end_of_its_callee_ends() {
    const ROUNDS: usize = 8;
    for kind in [Kind::Stock, Kind::DropIn] {
        let actors: Vec<String> = (0..ROUNDS).map(|n| format!("mortal-{n}:mortals-{n}")).collect();
        let options: Vec<&str> = actors.iter().flat_map(|actor| ["--actor", actor.as_str()]).collect();
        let mut callee = node("callee", &options);
        let mut caller = Peer::start(kind, "caller", &["--connect", callee.address()]);
        for n in 0..ROUNDS {
            caller.wait(&format!("members mortals-{n}"), &format!("remote:mortal-{n}"));
            caller.process().freeze();
            callee.run(&format!("stop mortal-{n}"));
            let call = format!("raw-call 19000 mortals-{n} Taken -");
            caller.begin(&call);
            caller.process().thaw();
            let answer = caller.answer(&call);
            assert!(
                answer.as_ref().is_err_and(|error| error != "timeout"),
                "{kind:?}, round {n}: {answer:?}"
            );
        }
    }
}
