//! When a peer's addresses are dialled, whatever they answer.

use super::*;

const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(8),
};

const LATE: Duration = Duration::from_secs(3600);

fn addr(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 4697))
}

/// A machine, its time, and the addresses that the name has.
struct Dialled {
    machine: Dialling,
    now: Instant,
    resolved: Vec<SocketAddr>,
}

impl Dialled {
    fn with(resolved: &[SocketAddr]) -> Self {
        let now = Instant::now();
        Self {
            machine: Dialling::new(BACKOFF, now),
            now,
            resolved: resolved.to_vec(),
        }
    }

    fn pass(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    /// Looks the name up, now.
    fn look_up(&mut self) -> Vec<DialCommand> {
        self.machine.handle_resolved(&self.resolved, self.now);
        std::iter::from_fn(|| self.machine.poll_command()).collect()
    }

    /// The time until this address is dialled, and how it is. It is not within an hour if there is nothing else to wait for.
    fn next_dial(&mut self, of: SocketAddr) -> Option<(Duration, StockPeers)> {
        let before = self.now;
        while self.now < before + LATE {
            self.now = self.now.max(self.machine.poll_timeout());
            for step in self.look_up() {
                if let DialCommand::Dial { addr, stock_peers } = step
                    && addr == of
                {
                    return Some((self.now - before, stock_peers));
                }
            }
        }
        None
    }

    fn wait(&mut self, of: SocketAddr) -> u64 {
        self.next_dial(of).unwrap().0.as_secs()
    }

    fn fails(&mut self, addr: SocketAddr) -> &mut Self {
        self.machine.handle_failed(addr, "refused".to_owned(), 0.0, self.now);
        self
    }

    fn ends(&mut self, addr: SocketAddr, reason: CloseReason, proof: PeerProof, was_ready: bool) -> &mut Self {
        let end = SessionEnd {
            reason,
            peer: Some("peer@host".to_owned()),
            proof,
            was_ready,
        };
        self.machine.handle_ended(addr, end, 0.0, self.now);
        self
    }

    fn unlinked(&mut self, addr: SocketAddr) -> &mut Self {
        self.machine.handle_unlinked(addr, 0.0, self.now);
        self
    }

    fn events(&mut self) -> Vec<DialEvent> {
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }
}

#[test]
fn waits_double_up_to_the_longest_and_jitter_takes_at_most_half() {
    let backoff = Backoff {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(1),
    };
    for (failures, wait) in [
        (1, 100),
        (2, 200),
        (3, 400),
        (4, 800),
        (5, 1000),
        (40, 1000),
        (u32::MAX, 1000),
    ] {
        assert_eq!(
            backoff.wait(failures, 0.0),
            Duration::from_millis(wait),
            "{failures} failures"
        );
        assert_eq!(
            backoff.wait(failures, 1.0),
            Duration::from_millis(wait / 2),
            "{failures} failures"
        );
    }
}

#[test]
fn an_address_that_fails_is_dialled_less_and_less_often_until_a_session_with_it_was_ready() {
    let mut peer = Dialled::with(&[addr(1)]);
    assert_eq!(peer.wait(addr(1)), 0);
    for wait in [1, 2, 4, 8, 8] {
        assert_eq!(peer.fails(addr(1)).wait(addr(1)), wait);
    }
    peer.ends(addr(1), CloseReason::WrongCookie, PeerProof::Nothing, false);
    assert_eq!(peer.wait(addr(1)), 8, "a session that was never ready is a failure");
    peer.ends(addr(1), CloseReason::ConnectionClosed, PeerProof::Cookie, true);
    assert_eq!(peer.wait(addr(1)), 1);
}

#[test]
fn every_address_of_a_name_is_dialled_and_those_that_it_loses_are_not() {
    let mut peer = Dialled::with(&[addr(1), addr(2)]);
    assert_eq!(peer.look_up().len(), 2);
    assert_eq!(peer.look_up(), [], "they are being dialled");
    peer.fails(addr(1)).resolved = vec![addr(2), addr(3)];
    assert_eq!(peer.wait(addr(3)), 0);
    assert_eq!(peer.next_dial(addr(1)), None);
    peer.resolved = vec![addr(1)];
    assert_eq!(
        peer.wait(addr(1)),
        RESOLVE_EVERY.as_secs(),
        "the name is looked up anew even if all is well"
    );
}

#[test]
fn a_session_goes_on_though_the_name_has_lost_its_address() {
    let mut peer = Dialled::with(&[addr(1)]);
    peer.look_up();
    peer.resolved = Vec::new();
    peer.look_up();
    peer.resolved = vec![addr(1)];
    assert_eq!(peer.look_up(), [], "it would be a second connection");
    peer.ends(addr(1), CloseReason::ConnectionClosed, PeerProof::Cookie, true);
    assert_eq!(peer.wait(addr(1)), 1);
}

#[test]
fn a_name_that_is_not_resolved_is_looked_up_less_and_less_often() {
    let mut peer = Dialled::with(&[addr(1)]);
    for wait in [1, 2, 4, 8, 8] {
        let now = peer.now;
        peer.machine.handle_not_resolved("no such name".to_owned(), 0.0, now);
        assert_eq!(peer.machine.poll_timeout() - now, Duration::from_secs(wait));
        assert_eq!(peer.events().len(), 1);
        peer.now = peer.machine.poll_timeout();
    }
    assert_eq!(peer.wait(addr(1)), 0);
    let now = peer.now;
    peer.machine.handle_not_resolved("no such name".to_owned(), 0.0, now);
    assert_eq!(peer.machine.poll_timeout() - now, Duration::from_secs(1));
}

#[test]
fn an_address_whose_node_is_linked_otherwise_is_asked_again_when_that_link_ends() {
    for (reason, proof) in [
        (CloseReason::AlreadyLinked, PeerProof::Nothing),
        (CloseReason::DuplicateConnection, PeerProof::Identity),
    ] {
        let mut peer = Dialled::with(&[addr(1)]);
        peer.look_up();
        peer.ends(addr(1), reason, proof, false);
        let awaited = DialCommand::AwaitUnlinked {
            addr: addr(1),
            node: "peer@host".to_owned(),
            at_most: LINKED,
        };
        assert_eq!(peer.machine.poll_command(), Some(awaited));
        assert_eq!(peer.look_up(), []);
        assert_eq!(peer.pass(LATE).look_up(), []);
        assert_eq!(peer.unlinked(addr(1)).wait(addr(1)), 1);
    }
}

#[test]
fn what_is_said_of_a_link_that_is_no_more_is_not_told_twice() {
    let mut peer = Dialled::with(&[addr(1)]);
    peer.look_up();
    peer.unlinked(addr(1));
    assert_eq!(peer.look_up(), [], "it is being dialled");
    peer.fails(addr(1)).unlinked(addr(1)).unlinked(addr(9));
    assert_eq!(peer.wait(addr(1)), 1);
}

#[test]
fn an_address_that_was_this_very_node_is_dialled_again_after_five_minutes_and_said_to_be_once() {
    let mut peer = Dialled::with(&[addr(1)]);
    peer.look_up();
    for told in [1, 0, 0] {
        peer.ends(addr(1), CloseReason::SelfConnection, PeerProof::Identity, false);
        assert_eq!(peer.events().len(), told);
        assert_eq!(peer.wait(addr(1)), OWN.as_secs());
    }
    peer.fails(addr(1));
    peer.wait(addr(1));
    // It was another's in between, as long as anybody knows.
    peer.ends(addr(1), CloseReason::ConnectionClosed, PeerProof::Identity, true);
    peer.wait(addr(1));
    peer.events();
    peer.ends(addr(1), CloseReason::SelfConnection, PeerProof::Identity, false);
    assert_eq!(peer.events(), [DialEvent::Own(addr(1))]);
}

#[test]
fn where_a_node_proved_who_it_is_nobody_gets_in_for_a_while_who_does_not() {
    let mut peer = Dialled::with(&[addr(1), addr(2)]);
    for step in peer.look_up() {
        assert!(matches!(
            step,
            DialCommand::Dial {
                stock_peers: StockPeers::Accepted,
                ..
            }
        ));
    }
    peer.ends(addr(1), CloseReason::ConnectionClosed, PeerProof::Identity, true);
    peer.ends(addr(2), CloseReason::ConnectionClosed, PeerProof::Cookie, true);
    let before = peer.now;
    assert_eq!(peer.next_dial(addr(1)).unwrap().1, StockPeers::Refused);
    peer.now = before;
    peer.fails(addr(2));
    assert_eq!(peer.next_dial(addr(2)).unwrap().1, StockPeers::Accepted);
    // Who is there in the meantime proves nothing, and changes nothing.
    peer.ends(addr(1), CloseReason::StockPeer, PeerProof::Nothing, false);
    assert_eq!(peer.next_dial(addr(1)).unwrap().1, StockPeers::Refused);
    peer.pass(IDENTIFIED).fails(addr(1));
    assert_eq!(peer.next_dial(addr(1)).unwrap().1, StockPeers::Accepted);
}

#[test]
fn nothing_that_is_answered_keeps_an_address_from_being_dialled_for_good() {
    let answers = [
        (CloseReason::WrongCookie, LATE / 60),
        (CloseReason::AlreadyLinked, LATE / 60),
        (CloseReason::DuplicateConnection, LATE / 60),
        (CloseReason::StockPeer, LATE / 60),
        (CloseReason::SelfConnection, OWN),
    ];
    for (reason, at_most) in answers {
        let mut peer = Dialled::with(&[addr(1)]);
        peer.look_up();
        for _ in 0..20 {
            let start = peer.now;
            peer.ends(addr(1), reason.clone(), PeerProof::Nothing, false);
            if let Some(DialCommand::AwaitUnlinked { at_most, .. }) = peer.machine.poll_command() {
                peer.pass(at_most).unlinked(addr(1));
            }
            peer.next_dial(addr(1)).unwrap();
            let took = peer.now - start;
            assert!(took <= at_most + BACKOFF.longest, "{reason}: {took:?}");
        }
    }
}

#[test]
fn a_node_that_refuses_another_connection_is_asked_again_and_that_is_said_once() {
    let mut peer = Dialled::with(&[addr(1)]);
    peer.wait(addr(1));
    let mut said = Vec::new();
    for wait in [1, 2, 4, 8, 8] {
        let refused = CloseReason::Refused(ServerStatus::NotOk);
        assert_eq!(
            peer.ends(addr(1), refused, PeerProof::Nothing, false).wait(addr(1)),
            wait
        );
        said.push(peer.events().len());
    }
    assert_eq!(said, [1, 0, 0, 0, 0]);
    peer.fails(addr(1)).wait(addr(1));
    assert_eq!(peer.events().len(), 1);
    peer.ends(
        addr(1),
        CloseReason::Refused(ServerStatus::NotOk),
        PeerProof::Nothing,
        false,
    );
    assert_eq!(peer.events().len(), 1, "something else came of it in between");
}
