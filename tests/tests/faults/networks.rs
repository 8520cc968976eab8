//! A bad network between two nodes.

use std::time::Duration;

use ractor_host_tests::peer::Peer;
use ractor_host_tests::proxy::{Proxy, Weather};
use ractor_host_tests::wait;

use crate::node;

/// Two nodes with a bad network between them, and a third one that shares nothing of it.
struct Pair {
    listener: Peer,
    network: Proxy,
    dialler: Peer,
    neighbour: Peer,
}

impl Pair {
    fn connect(options: &[&str]) -> Self {
        let listener = node("listener", &[options, &["--actor", "worker:workers"]].concat());
        let network = Proxy::to(listener.address());
        let address = network.address();
        let options = [options, &["--peer", &address, "--actor", "other:others"]].concat();
        let mut dialler = node("dialler", &options);
        let mut neighbour = node("neighbour", &["--peer", listener.address()]);
        dialler.wait("members workers", "remote:worker@listener@localhost");
        neighbour.wait("members workers", "remote:worker@listener@localhost");
        Self {
            listener,
            network,
            dialler,
            neighbour,
        }
    }

    /// The link between the two is there again, and the neighbour's has been there all the while.
    #[track_caller]
    fn heals(&mut self) {
        let echo = "echo worker@listener@localhost 10";
        let answer = wait::until("the link to heal", || self.dialler.try_run(echo), Result::is_ok);
        assert_eq!(answer.as_deref(), Ok("10"));
        self.listener.wait("members others", "remote:other@dialler@localhost");
        assert_eq!(self.neighbour.run("echo worker 10"), "10");
        let events = self.neighbour.events();
        assert!(!events.iter().any(|event| event.starts_with("closed")), "{events:?}");
    }
}

#[test]
fn a_connection_that_is_cut_within_a_message_ends_its_calls_and_heals() {
    let mut pair = Pair::connect(&[]);
    pair.network.cut_after(100_000);
    let cut = pair.dialler.try_run("echo worker 1000000");
    assert_eq!(cut, Err("dropped".to_owned()));
    pair.dialler.wait_event("closed listener@localhost");
    pair.heals();
}

#[test]
fn a_half_closed_connection_ends_for_both_and_heals() {
    let mut pair = Pair::connect(&[]);
    pair.dialler.run("pend worker Never 5");
    pair.network.half_close();
    pair.dialler.wait("pending", "0");
    pair.listener.wait_event("closed dialler@localhost connection_closed");
    pair.heals();
}

#[test]
fn a_slow_network_is_no_reason_to_end_a_session() {
    // Twice the delay and a ping are well below the silence that is allowed.
    let mut pair = Pair::connect(&["--silence", "4000"]);
    pair.network.set(Weather::Slow(Duration::from_millis(300)));
    for bytes in ["0", "10", "1000", "10000", "30000"] {
        assert_eq!(pair.dialler.run(&format!("echo worker {bytes}")), bytes);
    }
    for _ in 0..5 {
        assert_eq!(pair.listener.run("echo other 100"), "100");
    }
    let events = pair.dialler.events();
    assert!(!events.iter().any(|event| event.starts_with("closed")), "{events:?}");
    pair.network.set(Weather::Fair);
    pair.heals();
}

#[test]
fn garbage_within_a_stream_ends_the_session_with_a_reason_and_it_heals() {
    let mut pair = Pair::connect(&[]);
    // A frame whose length is fine and whose content is no message.
    let mut frame = 32_u64.to_be_bytes().to_vec();
    frame.extend([0xff; 32]);
    pair.network.inject(&frame);
    pair.listener.wait_event("closed dialler@localhost malformed");
    pair.heals();
    // A length that nobody accepts.
    pair.network.inject(&[0xff; 8]);
    pair.listener.wait_event("closed dialler@localhost frame_too_large");
    pair.heals();
}

#[test]
fn bytes_that_are_lost_end_the_session_and_it_heals() {
    let mut pair = Pair::connect(&["--silence", "2000"]);
    pair.network.set(Weather::Losing);
    pair.dialler.run("pend worker Never 5");
    pair.dialler.wait("pending", "0");
    pair.dialler.wait_event("closed listener@localhost");
    pair.network.set(Weather::Fair);
    pair.network.cut();
    pair.heals();
}

/// Counted by the receiver itself: what a network loses is lost, and nothing is sent again.
#[test]
fn casts_over_a_network_that_fails_arrive_at_most_once() {
    const ROUNDS: u64 = 5;
    const CASTS: u64 = 100;
    let mut pair = Pair::connect(&[]);
    for _ in 0..ROUNDS {
        pair.network.cut_after(20_000);
        // Fails once the link is known to be down, which may be in the middle or never.
        drop(
            pair.dialler
                .try_run(&format!("flood worker@listener@localhost {CASTS} 1000")),
        );
        pair.dialler.wait_event("closed listener@localhost");
        pair.heals();
    }
    let taken: u64 = pair.listener.run("taken worker").parse().expect("a count is a number");
    assert!(taken > 0 && taken < ROUNDS * CASTS, "{taken} of {ROUNDS} times {CASTS}");
}
