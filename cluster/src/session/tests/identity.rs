//! Who a peer is: what two nodes prove to each other, and what somebody without the cookie can make of it.

use std::time::Instant;

use super::pair::{Pair, config, name, proving};
use crate::session::{CloseReason, DialDecision, Event, Role, Session, SessionConfig, StockPeers};
use crate::wire::{Auth, ChallengeReply, Message, NameMessage, NodeFlags, ServerStatus};

fn pair(initiator: NameMessage, acceptor: NameMessage) -> Pair {
    Pair::with(
        config(Role::Initiator, initiator, "cookie"),
        config(Role::Acceptor, acceptor, "cookie"),
    )
}

fn named(events: &[Event]) -> Option<&NameMessage> {
    events.iter().find_map(|event| match event {
        Event::PeerNamed(name) => Some(name),
        _ => None,
    })
}

/// What a session says to these messages, one after the other, and why it ended.
fn talk(config: SessionConfig, messages: impl IntoIterator<Item = Auth>) -> (Vec<Auth>, Option<CloseReason>) {
    let mut session = Session::new(config, Instant::now());
    let (mut said, mut closed) = (Vec::new(), None);
    let mut messages = messages.into_iter();
    loop {
        while let Some(event) = session.poll_event() {
            match event {
                Event::PeerNamed(_) => {
                    session.handle_admission(ServerStatus::Ok);
                    session.handle_dial(DialDecision::GoOn);
                }
                Event::Closed(reason) => closed = Some(reason),
                _ => {}
            }
        }
        while let Some(message) = session.poll_transmit() {
            if let Message::Auth(auth) = message {
                said.push(auth);
            }
        }
        let Some(auth) = messages.next() else {
            return (said, closed);
        };
        session.handle_message(Message::Auth(auth), Instant::now());
    }
}

#[test]
fn two_nodes_that_prove_who_they_are_know_each_others_incarnations() {
    let mut pair = pair(proving("alpha", 1, 99), proving("beta", 2, 0));
    pair.settle();
    assert!(pair.initiator.session.is_ready() && pair.acceptor.session.is_ready());
    assert_eq!(named(&pair.initiator.events), Some(&proving("beta", 2, 99)));
    assert_eq!(named(&pair.acceptor.events), Some(&proving("alpha", 1, 99)));
}

#[test]
fn an_incarnation_that_is_not_proved_is_none() {
    let claiming = NameMessage {
        flags: Some(NodeFlags {
            version: 1,
            incarnation: 7,
            ..NodeFlags::default()
        }),
        ..name("beta", 2, 0)
    };
    let mut pair = pair(proving("alpha", 1, 99), claiming);
    pair.settle();
    assert!(pair.initiator.session.is_ready(), "as any stock node");
    assert_eq!(named(&pair.initiator.events).unwrap().flags.unwrap().incarnation, 0);
}

#[test]
fn a_node_that_reaches_itself_hears_so_at_both_ends() {
    let mut pair = pair(proving("alpha", 1, 9), proving("alpha", 1, 0));
    pair.settle();
    assert_eq!(pair.initiator.closed(), Some(&CloseReason::SelfConnection));
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::SelfConnection));
}

/// It has seen this node's introduction, number and all, and repeats it.
#[test]
fn a_stranger_that_claims_to_be_this_very_node_is_a_stranger() {
    for (own, role) in [
        (proving("alpha", 1, 9), Role::Initiator),
        (proving("alpha", 1, 0), Role::Acceptor),
    ] {
        let [initiator, acceptor] = [Role::Initiator, Role::Acceptor].map(|end| {
            let cookie = if end == role { "cookie" } else { "guess" };
            config(end, own.clone(), cookie)
        });
        let mut pair = Pair::with(initiator, acceptor);
        pair.settle();
        let (ours, expected) = match role {
            Role::Initiator => (&pair.initiator, CloseReason::CookieRefused),
            Role::Acceptor => (&pair.acceptor, CloseReason::WrongCookie),
        };
        assert_eq!(ours.closed(), Some(&expected));
    }
}

#[test]
fn nodes_that_say_one_address_are_told_apart_if_they_prove_who_they_are() {
    let other = NameMessage {
        connection_string: "localhost:1".into(),
        ..proving("beta", 2, 0)
    };
    let mut proved = pair(proving("alpha", 1, 9), other);
    proved.settle();
    assert!(proved.initiator.session.is_ready(), "{:?}", proved.initiator.events);
    // A stock node would close as well: nothing else is left to tell the two apart.
    let mut stock = pair(name("beta", 1, 9), proving("alpha", 1, 0));
    stock.settle();
    let address = "localhost:1".to_owned();
    assert_eq!(stock.acceptor.closed(), Some(&CloseReason::SameAddress { address }));
}

#[test]
fn two_nodes_of_one_name_are_not_one() {
    for other in [proving("alpha", 2, 0), name("alpha", 2, 0)] {
        let mut pair = pair(proving("alpha", 1, 9), other);
        pair.settle();
        let closed = pair.initiator.closed();
        assert!(matches!(closed, Some(CloseReason::SameName { .. })), "{closed:?}");
    }
}

#[test]
fn what_somebody_on_the_way_changes_is_found_out() {
    fn change(message: Message, change: fn(&mut NodeFlags)) -> Message {
        match message {
            Message::Auth(Auth::ServerChallenge(mut challenge)) => {
                challenge.flags.as_mut().into_iter().for_each(change);
                Message::Auth(Auth::ServerChallenge(challenge))
            }
            other => other,
        }
    }
    let tampers: [fn(Message) -> Message; 6] = [
        |message| change(message, |flags| flags.capabilities |= 1),
        |message| change(message, |flags| flags.max_frame = 1),
        |message| change(message, |flags| flags.incarnation += 1),
        |message| match message {
            Message::Auth(Auth::Name(mut name)) => {
                name.name.insert(0, 'x');
                Message::Auth(Auth::Name(name))
            }
            other => other,
        },
        |message| match message {
            Message::Auth(Auth::Name(mut name)) => {
                name.connection_id += 1;
                Message::Auth(Auth::Name(name))
            }
            other => other,
        },
        |message| match message {
            Message::Auth(Auth::ServerChallenge(mut challenge)) => {
                challenge.nonce = Some([0; 16]);
                Message::Auth(Auth::ServerChallenge(challenge))
            }
            other => other,
        },
    ];
    for (number, tamper) in tampers.into_iter().enumerate() {
        let mut pair = pair(proving("alpha", 1, 9), proving("beta", 2, 0));
        pair.tamper = tamper;
        pair.settle();
        assert_eq!(pair.acceptor.closed(), Some(&CloseReason::WrongCookie), "{number}");
        assert!(!pair.initiator.session.is_authenticated(), "{number}");
    }
}

/// Takes what is not stock's out of a message.
fn strip(message: Message) -> Message {
    let plain = |flags: Option<NodeFlags>| {
        flags.map(|NodeFlags { version, .. }| NodeFlags {
            version,
            ..NodeFlags::default()
        })
    };
    match message {
        Message::Auth(Auth::Name(mut name)) => {
            name.flags = plain(name.flags);
            Message::Auth(Auth::Name(name))
        }
        Message::Auth(Auth::ServerChallenge(mut challenge)) => {
            challenge.flags = plain(challenge.flags);
            challenge.nonce = None;
            Message::Auth(Auth::ServerChallenge(challenge))
        }
        other => other,
    }
}

#[test]
fn a_proof_that_is_announced_and_does_not_come_ends_the_handshake() {
    // What the initiator announces is taken away on its way.
    let mut one_way = pair(proving("alpha", 1, 9), proving("beta", 2, 0));
    one_way.tamper = |message| match message {
        Message::Auth(Auth::Name(_)) => strip(message),
        other => other,
    };
    one_way.settle();
    assert_eq!(one_way.initiator.closed(), Some(&CloseReason::Downgraded));
    // What it sends for its proof is.
    let mut other_way = pair(proving("alpha", 1, 9), proving("beta", 2, 0));
    other_way.tamper = |message| match message {
        Message::Auth(Auth::ClientChallenge(mut reply)) => {
            reply.nonce = None;
            Message::Auth(Auth::ClientChallenge(reply))
        }
        other => other,
    };
    other_way.settle();
    assert_eq!(other_way.acceptor.closed(), Some(&CloseReason::Downgraded));
}

#[test]
fn two_nodes_that_take_each_other_for_stock_connect_only_where_stock_peers_may() {
    for (initiator, acceptor, links) in [
        (StockPeers::Accepted, StockPeers::Accepted, true),
        (StockPeers::Refused, StockPeers::Accepted, false),
        (StockPeers::Accepted, StockPeers::Refused, false),
    ] {
        let mut configs = [
            config(Role::Initiator, proving("alpha", 1, 9), "cookie"),
            config(Role::Acceptor, proving("beta", 2, 0), "cookie"),
        ];
        configs[0].stock_peers = initiator;
        configs[1].stock_peers = acceptor;
        let [initiator, acceptor] = configs;
        let mut pair = Pair::with(initiator, acceptor);
        pair.tamper = strip;
        pair.settle();
        assert_eq!(pair.initiator.session.is_ready(), links);
        assert_eq!(pair.acceptor.session.is_ready(), links);
        let refused = [&pair.initiator, &pair.acceptor].map(|end| end.closed() == Some(&CloseReason::StockPeer));
        assert_eq!(refused.contains(&true), !links, "{:?}", pair.initiator.events);
    }
}

#[test]
fn a_node_that_refuses_stock_peers_answers_no_stock_challenge() {
    let mut config = config(Role::Initiator, proving("alpha", 1, 9), "cookie");
    config.stock_peers = StockPeers::Refused;
    let (said, closed) = talk(
        config,
        [
            Auth::ServerStatus(ServerStatus::Ok),
            Auth::ServerChallenge(crate::wire::Challenge {
                name: "beta@localhost".into(),
                flags: None,
                challenge: 42,
                connection_string: "localhost:2".into(),
                nonce: None,
            }),
        ],
    );
    assert_eq!(closed, Some(CloseReason::StockPeer));
    assert!(
        !said.iter().any(|auth| matches!(auth, Auth::ClientChallenge(_))),
        "{said:?}"
    );
}

/// The steps of an initiator that gets in at an acceptor with this nonce.
fn recorded(nonce: u8, initiator: NameMessage) -> Vec<Auth> {
    let mut acceptor = config(Role::Acceptor, proving("beta", 2, 0), "cookie");
    acceptor.nonce = [nonce; 16];
    let mut ours = Session::new(config(Role::Initiator, initiator, "cookie"), Instant::now());
    let mut theirs = Session::new(acceptor, Instant::now());
    let mut steps = Vec::new();
    loop {
        let mut busy = false;
        while let Some(message) = ours.poll_transmit() {
            if let Message::Auth(auth) = &message {
                steps.push(auth.clone());
            }
            theirs.handle_message(message, Instant::now());
            busy = true;
        }
        while let Some(message) = theirs.poll_transmit() {
            ours.handle_message(message, Instant::now());
            busy = true;
        }
        for end in [&mut ours, &mut theirs] {
            while let Some(event) = end.poll_event() {
                if let Event::PeerNamed(_) = event {
                    end.handle_admission(ServerStatus::Ok);
                    end.handle_dial(DialDecision::GoOn);
                }
                busy = true;
            }
        }
        if !busy {
            assert!(theirs.is_authenticated(), "an honest handshake failed");
            return steps;
        }
    }
}

#[test]
fn a_proof_that_was_overheard_is_worth_nothing_later() {
    let steps = recorded(1, proving("alpha", 1, 9));
    let mut again = config(Role::Acceptor, proving("beta", 2, 0), "cookie");
    again.nonce = [2; 16];
    let (_, closed) = talk(again, steps.clone());
    assert_eq!(closed, Some(CloseReason::WrongCookie));
    // Nor at another node, nor in another life of this one.
    for other in [proving("gamma", 2, 0), proving("beta", 3, 0)] {
        let mut other = config(Role::Acceptor, other, "cookie");
        other.nonce = [1; 16];
        let (_, closed) = talk(other, steps.clone());
        assert_eq!(closed, Some(CloseReason::WrongCookie));
    }
}

#[test]
fn a_stock_challenge_is_good_for_one_answer_on_however_many_connections() {
    let steps = recorded(1, name("alpha", 1, 9));
    let challenge = config(Role::Acceptor, proving("beta", 2, 0), "cookie").challenge;
    let acceptor = || SessionConfig {
        challenge: challenge.clone(),
        ..config(Role::Acceptor, proving("beta", 2, 0), "cookie")
    };
    let wrong = steps.iter().cloned().map(|auth| match auth {
        Auth::ClientChallenge(reply) => Auth::ClientChallenge(ChallengeReply {
            digest: vec![0; 32],
            ..reply
        }),
        auth => auth,
    });
    assert_eq!(talk(acceptor(), wrong).1, Some(CloseReason::WrongCookie));
    let (said, closed) = talk(acceptor(), steps.clone());
    assert_eq!(closed, None, "a wrong answer spends nothing");
    assert!(said.iter().any(|auth| matches!(auth, Auth::ServerAck { .. })));
    let (said, closed) = talk(acceptor(), steps);
    assert_eq!(closed, Some(CloseReason::ChallengeSpent));
    let gives_a_proof = |auth: &Auth| matches!(auth, Auth::ServerAck { .. });
    assert!(
        !said.iter().any(gives_a_proof),
        "it answers nobody who has only listened"
    );
}

#[test]
fn a_node_that_is_linked_already_is_not_proved_anything() {
    let mut pair = pair(proving("alpha", 1, 9), proving("beta", 2, 0));
    pair.initiator.dial = DialDecision::AlreadyLinked;
    pair.settle();
    assert_eq!(pair.initiator.closed(), Some(&CloseReason::AlreadyLinked));
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::ConnectionClosed));
    assert_eq!(pair.acceptor.count(&Event::Authenticated), 0);
}
