//! Handshakes that work, and every way in which one doesn't.

use std::time::{Duration, Instant};

use super::pair::{Pair, config, name, proving};
use crate::session::{CloseReason, DialDecision, Event, LocalSnapshot, Role, Session};
use crate::wire::{
    Auth, Cast, Challenge, ChallengeReply, Control, Data, MAX_NODE_NAME_BYTES, Message, NameMessage, ServerStatus,
};

#[test]
fn two_nodes_with_one_cookie_become_ready_and_know_each_other() {
    let mut pair = Pair::new();
    pair.settle();
    for end in [&pair.initiator, &pair.acceptor] {
        assert!(end.session.is_authenticated() && end.session.is_ready());
        assert_eq!(end.count(&Event::Authenticated), 1);
        assert_eq!(end.count(&Event::Ready), 1);
    }
    assert!(
        pair.initiator.events.contains(&Event::PeerNamed(name("beta", 2, 99))),
        "under the connection's nonce"
    );
    assert!(pair.acceptor.events.contains(&Event::PeerNamed(name("alpha", 1, 99))));
}

#[test]
fn different_cookies_end_with_that_reason_at_both_ends() {
    let mut pair = Pair::with(
        config(Role::Initiator, name("alpha", 1, 99), "mine"),
        config(Role::Acceptor, name("beta", 2, 0), "yours"),
    );
    pair.settle();
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::WrongCookie));
    assert_eq!(pair.initiator.closed(), Some(&CloseReason::CookieRefused));
    assert!(!pair.initiator.session.is_authenticated() && !pair.acceptor.session.is_authenticated());
}

#[test]
fn an_acceptor_that_forges_its_proof_is_found_out() {
    let mut initiator = Session::new(config(Role::Initiator, name("alpha", 1, 9), "cookie"), Instant::now());
    let challenge = Challenge {
        name: "beta@localhost".into(),
        flags: None,
        challenge: 5,
        connection_string: "localhost:2".into(),
        nonce: None,
    };
    for auth in [
        Auth::ServerStatus(ServerStatus::Ok),
        Auth::ServerChallenge(challenge),
        Auth::ServerAck { digest: vec![0; 32] },
    ] {
        initiator.handle_message(Message::Auth(auth), Instant::now());
        initiator.handle_dial(DialDecision::GoOn);
    }
    let events: Vec<_> = std::iter::from_fn(|| initiator.poll_event()).collect();
    assert_eq!(events.last(), Some(&Event::Closed(CloseReason::WrongCookie)));
}

/// Who is called so could forge lines of the log, write to the terminals of operators, or pass its actors off as another node's.
#[test]
fn a_peer_whose_name_plays_tricks_is_not_let_in_at_either_end() {
    let (control, form) = ("has a control character", "is not of the form name@hostname");
    for (node, address, what, problem) in [
        ("a\nb@h", "h:1", "name", control),
        ("a@h\u{1b}[2J", "h:1", "name", control),
        ("a@h", "h:1\r\nb", "connection string", control),
        ("localhost", "h:1", "name", form),
        ("", "h:1", "name", form),
    ] {
        let named = |connection_id| NameMessage {
            name: node.to_owned(),
            connection_string: address.to_owned(),
            ..name("x", 1, connection_id)
        };
        let refused = CloseReason::BadName { what, problem };
        let mut pair = Pair::with(
            config(Role::Initiator, named(99), "cookie"),
            config(Role::Acceptor, name("beta", 2, 0), "cookie"),
        );
        pair.settle();
        assert_eq!(
            pair.acceptor.closed(),
            Some(&refused),
            "{node:?} as the one that accepts"
        );
        let mut pair = Pair::with(
            config(Role::Initiator, name("alpha", 1, 99), "cookie"),
            config(Role::Acceptor, named(0), "cookie"),
        );
        pair.settle();
        assert_eq!(
            pair.initiator.closed(),
            Some(&refused),
            "{node:?} as the one that connects"
        );
    }
}

#[test]
fn a_name_of_the_longest_length_is_let_in() {
    let longest = |port, nonce| {
        let mut name = name("alpha", port, nonce);
        name.name = format!("{}@localhost", "n".repeat(MAX_NODE_NAME_BYTES - "@localhost".len()));
        name
    };
    let mut pair = Pair::with(
        config(Role::Initiator, longest(1, 99), "cookie"),
        config(Role::Acceptor, name("beta", 2, 0), "cookie"),
    );
    pair.settle();
    assert_eq!((pair.initiator.closed(), pair.acceptor.closed()), (None, None));
}

#[test]
fn a_peer_with_a_name_that_is_too_long_is_not_let_in_at_either_end() {
    let long = || "n".repeat(MAX_NODE_NAME_BYTES + 1);
    for what in ["name", "connection string"] {
        let with_long = |mut name: NameMessage| {
            match what {
                "name" => name.name = long(),
                _ => name.connection_string = long(),
            }
            name
        };
        let refused = CloseReason::NameTooLong {
            what,
            bytes: MAX_NODE_NAME_BYTES + 1,
            limit: MAX_NODE_NAME_BYTES,
        };
        let mut pair = Pair::with(
            config(Role::Initiator, with_long(name("alpha", 1, 99)), "cookie"),
            config(Role::Acceptor, name("beta", 2, 0), "cookie"),
        );
        pair.settle();
        assert_eq!(pair.acceptor.closed(), Some(&refused), "as the one that accepts");
        let mut pair = Pair::with(
            config(Role::Initiator, name("alpha", 1, 99), "cookie"),
            config(Role::Acceptor, with_long(name("beta", 2, 0)), "cookie"),
        );
        pair.settle();
        assert_eq!(pair.initiator.closed(), Some(&refused), "as the one that connects");
    }
}

#[test]
fn the_nodes_verdict_about_a_name_ends_or_continues_the_handshake() {
    for (verdict, initiator, acceptor) in [
        (ServerStatus::Ok, None, None),
        (ServerStatus::OkSimultaneous, None, None),
        (ServerStatus::Alive, None, None),
        (
            ServerStatus::NotOk,
            Some(CloseReason::Refused(ServerStatus::NotOk)),
            Some(CloseReason::DuplicateConnection),
        ),
        (
            ServerStatus::NotAllowed,
            Some(CloseReason::Refused(ServerStatus::NotAllowed)),
            Some(CloseReason::Refused(ServerStatus::NotAllowed)),
        ),
    ] {
        let mut pair = Pair::new();
        pair.acceptor.admission = verdict;
        pair.settle();
        assert_eq!(pair.initiator.closed(), initiator.as_ref(), "{verdict:?}");
        assert_eq!(pair.acceptor.closed(), acceptor.as_ref(), "{verdict:?}");
        assert_eq!(pair.initiator.session.is_ready(), initiator.is_none(), "{verdict:?}");
    }
}

#[test]
fn the_loser_of_an_election_says_so_and_the_other_end_sees_the_connection_close() {
    let mut pair = Pair::new();
    pair.acceptor.snapshot = None;
    pair.settle();
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::DuplicateConnection));
    assert_eq!(pair.initiator.closed(), Some(&CloseReason::ConnectionClosed));
    assert!(!pair.initiator.session.is_ready());
}

#[test]
fn a_peer_that_stops_in_the_middle_is_given_up_in_time() {
    for silent in [Role::Initiator, Role::Acceptor] {
        let mut pair = Pair::new();
        match silent {
            Role::Initiator => pair.initiator.frozen = true,
            Role::Acceptor => pair.acceptor.frozen = true,
        }
        pair.pass(Duration::from_secs(4));
        let waiting = |pair: &Pair| match silent {
            Role::Initiator => pair.acceptor.closed().cloned(),
            Role::Acceptor => pair.initiator.closed().cloned(),
        };
        assert_eq!(waiting(&pair), None);
        pair.pass(Duration::from_secs(2));
        assert_eq!(
            waiting(&pair),
            Some(CloseReason::HandshakeTimeout(Duration::from_secs(5))),
            "{silent:?}"
        );
    }
}

/// Every step of the handshake, as a stranger might send it at any time.
fn any_steps() -> Vec<Auth> {
    vec![
        Auth::Name(name("mallory", 3, 1)),
        Auth::ServerStatus(ServerStatus::Ok),
        Auth::ClientStatus(true),
        Auth::ServerChallenge(Challenge {
            name: "mallory@localhost".into(),
            flags: None,
            challenge: 1,
            connection_string: "localhost:3".into(),
            nonce: None,
        }),
        Auth::ServerChallenge(Challenge {
            name: "mallory@localhost".into(),
            flags: proving("mallory", 3, 1).flags,
            challenge: 1,
            connection_string: "localhost:3".into(),
            nonce: Some([3; 16]),
        }),
        Auth::Name(proving("mallory", 3, 1)),
        Auth::ClientChallenge(ChallengeReply {
            challenge: 1,
            digest: vec![1, 2, 3],
            nonce: Some([1; 16]),
        }),
        Auth::ServerAck { digest: Vec::new() },
        Auth::Unknown,
    ]
}

#[test]
fn no_sequence_of_steps_gets_a_stranger_in() {
    let steps = any_steps();
    for role in [Role::Initiator, Role::Acceptor] {
        // Every sequence of four steps.
        for number in 0..steps.len().pow(4) {
            // With and without a proof of who it is.
            let own = if number % 2 == 0 {
                name("alpha", 1, 9)
            } else {
                proving("alpha", 1, 9)
            };
            let mut session = Session::new(config(role, own, "cookie"), Instant::now());
            let mut digits = number;
            for _ in 0..4 {
                session.handle_message(Message::Auth(steps[digits % steps.len()].clone()), Instant::now());
                while let Some(event) = session.poll_event() {
                    if matches!(event, Event::PeerNamed(_)) {
                        session.handle_admission(ServerStatus::Ok);
                        session.handle_dial(DialDecision::GoOn);
                    }
                    assert_ne!(event, Event::Authenticated, "sequence {number} as {role:?}");
                }
                digits /= steps.len();
            }
            assert!(!session.is_authenticated());
        }
    }
}

#[test]
fn control_before_authentication_closes_and_data_is_not_the_sessions_business() {
    let mut session = Session::new(config(Role::Acceptor, name("alpha", 1, 0), "cookie"), Instant::now());
    session.handle_message(Message::Data(Data::Cast(Cast::default())), Instant::now());
    session.handle_message(Message::Control(Control::Ready), Instant::now());
    let closed = session.poll_event();
    assert!(
        matches!(closed, Some(Event::Closed(CloseReason::OutOfOrder { .. }))),
        "{closed:?}"
    );
    session.handle_message(Message::Auth(Auth::Name(name("beta", 2, 1))), Instant::now());
    assert_eq!(session.poll_event(), None, "nothing follows the end");
}

#[test]
fn answers_that_come_too_late_change_nothing() {
    let mut session = Session::new(config(Role::Acceptor, name("alpha", 1, 0), "cookie"), Instant::now());
    session.handle_admission(ServerStatus::Ok);
    session.handle_election(Some(LocalSnapshot::default()));
    assert_eq!(session.poll_transmit(), None);
    session.handle_closed(CloseReason::Local);
    session.handle_closed(CloseReason::ConnectionClosed);
    assert_eq!(session.poll_event(), Some(Event::Closed(CloseReason::Local)));
    assert_eq!(session.poll_event(), None);
}
