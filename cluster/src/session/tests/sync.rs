//! Actors and groups as they come and go, and the health of the link.

use std::time::Duration;

use super::pair::{Pair, account, config, name, proving};
use crate::session::{CloseReason, EntryRefusal, Event, Full, LocalChange, LocalSnapshot, Refused, Role};
use crate::wire::{
    Actor, CAPABILITY_NAME_TAKEN, Control, GroupChange, MAX_NAME_BYTES, Message, NameMessage, NameTaken,
};

fn actor(pid: u64, name: Option<&str>) -> Actor {
    Actor {
        pid,
        name: name.map(Into::into),
    }
}

fn group(group: &str, pids: &[u64]) -> GroupChange {
    GroupChange {
        scope: "scope".into(),
        group: group.into(),
        actors: pids.iter().map(|pid| actor(*pid, None)).collect(),
    }
}

#[test]
fn what_a_node_has_when_the_session_starts_arrives_before_ready() {
    let mut pair = Pair::new();
    let actors = vec![actor(0, None), actor(7, Some("seven"))];
    pair.acceptor.snapshot = Some(LocalSnapshot {
        actors: actors.clone(),
        groups: vec![group("g", &[7]), group("h", &[0, 7])],
    });
    pair.settle();
    let seen: Vec<_> = pair
        .initiator
        .events
        .iter()
        .skip_while(|event| **event != Event::Authenticated)
        .collect();
    assert_eq!(
        seen,
        [
            &Event::Authenticated,
            &Event::Spawned(actors),
            &Event::Joined(group("g", &[7])),
            &Event::Joined(group("h", &[0, 7])),
            &Event::Ready
        ]
    );
    assert_eq!(pair.initiator.session.peer_actor(7), Some(actor(7, Some("seven"))));
    assert_eq!(pair.initiator.session.peer_actor(8), None);
}

#[test]
fn a_hundred_thousand_actors_arrive_in_messages_of_bounded_size() {
    let mut pair = Pair::new();
    let actors: Vec<_> = (0..100_000).map(|pid| actor(pid, None)).collect();
    pair.acceptor.snapshot = Some(LocalSnapshot {
        actors,
        groups: vec![group("all", &(0..50_000).collect::<Vec<_>>())],
    });
    pair.settle();
    let spawned = pair.initiator.events.iter().filter_map(|event| match event {
        Event::Spawned(actors) => Some(actors.len()),
        _ => None,
    });
    let sizes: Vec<_> = spawned.collect();
    assert_eq!(sizes.iter().sum::<usize>(), 100_000);
    assert!(sizes.iter().all(|size| *size <= 8192), "{sizes:?}");
    assert!(pair.initiator.session.is_ready());
}

#[test]
fn changes_arrive_in_order_and_only_what_is_known_leaves() {
    let mut pair = Pair::new();
    pair.settle();
    pair.initiator.events.clear();
    for change in [
        LocalChange::Spawned(actor(5, Some("five"))),
        LocalChange::Joined(group("g", &[5])),
        LocalChange::Left(group("g", &[5, 6])),
        LocalChange::Terminated(5),
        LocalChange::Terminated(5),
        LocalChange::Left(group("g", &[5])),
        LocalChange::Joined(group("g", &[9])),
    ] {
        pair.acceptor.session.handle_local(change);
    }
    pair.settle();
    assert_eq!(
        pair.initiator.events,
        [
            Event::Spawned(vec![actor(5, Some("five"))]),
            Event::Joined(group("g", &[5])),
            Event::Left(group("g", &[5])),
            Event::Terminated(vec![5]),
            Event::Spawned(vec![actor(9, None)]),
            Event::Joined(group("g", &[9])),
        ],
        "an unknown actor that joins is advertised by that"
    );
}

#[test]
fn an_entry_with_a_name_that_is_too_long_is_left_out_alone() {
    let long = "n".repeat(MAX_NAME_BYTES + 1);
    let fits = "n".repeat(MAX_NAME_BYTES);
    let mut pair = Pair::new();
    pair.acceptor.snapshot = Some(LocalSnapshot {
        actors: vec![actor(1, Some(&long)), actor(2, Some(&fits)), actor(3, Some(&long))],
        groups: vec![group(&long, &[2, 4]), group(&fits, &[1, 2, 4])],
    });
    pair.settle();
    let changes = [
        LocalChange::Left(group(&long, &[2])),
        LocalChange::Left(group(&fits, &[3, 4])),
        LocalChange::Terminated(1),
        LocalChange::Terminated(2),
    ];
    for change in changes {
        pair.acceptor.session.handle_local(change);
    }
    pair.settle();
    let refused = |refusal, first: String, count| Event::Refused(Refused { refusal, first, count });
    let (shown, seen) = ("n".repeat(60), &pair.initiator.events);
    assert_eq!(
        seen[2..],
        [
            Event::Spawned(vec![actor(2, Some(&fits))]),
            refused(EntryRefusal::ActorName, format!("actor 1 {shown}"), 2),
            Event::Spawned(vec![actor(4, None)]),
            refused(EntryRefusal::GroupName, format!("group {shown} of scope scope"), 2),
            // A member is advertised by joining, and this one by a name that is short enough: by none.
            Event::Spawned(vec![actor(1, None)]),
            Event::Joined(group(&fits, &[1, 2, 4])),
            Event::Ready,
            Event::Left(group(&fits, &[4])),
            Event::Terminated(vec![1]),
            Event::Terminated(vec![2]),
        ]
    );
}

/// Of a node that has proved who it is, `entity:cart` may be an actor, and the only member of the group of that name. Nobody else has such
/// names.
#[test]
fn names_of_entities_are_nobody_elses_and_the_session_goes_on() {
    let (cart, worker) = (actor(1, Some("entity:cart")), actor(3, Some("worker")));
    let members = |name: &str, actors: &[&Actor]| GroupChange {
        actors: actors.iter().map(|actor| (*actor).clone()).collect(),
        ..group(name, &[])
    };
    let refused = |first: &str, count| {
        let (refusal, first) = (EntryRefusal::Reserved, first.to_owned());
        Event::Refused(Refused { refusal, first, count })
    };
    let seen = |alpha: NameMessage, beta: NameMessage| {
        let initiator = config(Role::Initiator, alpha, "cookie");
        let mut pair = Pair::with(initiator, config(Role::Acceptor, beta, "cookie"));
        pair.acceptor.snapshot = Some(LocalSnapshot {
            actors: vec![
                cart.clone(),
                actor(2, Some("entity:cart/1")),
                worker.clone(),
                actor(4, Some("entity:")),
            ],
            groups: vec![
                members("entity:cart", &[&cart, &worker]),
                members("entity:cart/1", &[&cart, &worker]),
                members("entity:till", &[&cart]),
                members("workers", &[&worker]),
            ],
        });
        pair.settle();
        let left = LocalChange::Left(members("entity:cart", &[&cart, &worker]));
        pair.acceptor.session.handle_local(left);
        pair.settle();
        pair.initiator.events.split_off(2)
    };
    assert_eq!(
        seen(name("alpha", 1, 99), name("beta", 2, 0)),
        [
            Event::Spawned(vec![worker.clone()]),
            refused("actor 1 entity:cart", 3),
            // The actor, as each time that it is named, and both as members.
            refused("actor 1 entity:cart", 3),
            refused("actor 1 entity:cart", 3),
            refused("actor 1 entity:cart", 2),
            Event::Joined(members("workers", &[&worker])),
            Event::Ready,
        ],
        "of a stock node"
    );
    assert_eq!(
        seen(proving("alpha", 1, 99), proving("beta", 2, 0)),
        [
            Event::Spawned(vec![cart.clone(), worker.clone()]),
            refused("actor 2 entity:cart/1", 2),
            Event::Joined(members("entity:cart", &[&cart])),
            refused("a member of the group entity:cart", 1),
            refused("a member of the group entity:cart/1", 2),
            refused("a member of the group entity:till", 1),
            Event::Joined(members("workers", &[&worker])),
            Event::Ready,
            Event::Left(members("entity:cart", &[&cart])),
        ]
    );
}

#[test]
fn actors_beyond_what_a_peer_may_have_are_left_out_until_others_end() {
    let mut initiator = config(Role::Initiator, name("alpha", 1, 99), "cookie");
    initiator.account = account(1_000);
    let mut pair = Pair::with(initiator, config(Role::Acceptor, name("beta", 2, 0), "cookie"));
    let actors: Vec<_> = (0..20).map(|pid| actor(pid, Some("name"))).collect();
    pair.acceptor.snapshot = Some(LocalSnapshot {
        actors: actors.clone(),
        groups: vec![group("g", &[0, 19])],
    });
    pair.settle();
    assert_eq!(pair.initiator.count(&Event::Ready), 1, "the session goes on");
    let known = |pair: &Pair| {
        let session = &pair.initiator.session;
        (0..100)
            .filter(|pid| session.peer_actor(*pid).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(known(&pair), [0, 1, 2, 3, 4]);
    let joined = Event::Joined(group("g", &[0]));
    assert_eq!(pair.initiator.count(&joined), 1, "who was left out joins nothing");
    let full = EntryRefusal::Full(Full::Peer(1_000));
    let left_out = |event: &Event| match event {
        Event::Refused(Refused { refusal, count, .. }) if *refusal == full => *count,
        _ => 0,
    };
    let left_out: usize = pair.initiator.events.iter().map(left_out).sum();
    assert_eq!(left_out, 16, "fifteen that started and one that joined");

    for pid in [3, 17] {
        pair.acceptor.session.handle_local(LocalChange::Terminated(pid));
    }
    let newcomer = LocalChange::Spawned(actor(50, Some("name")));
    pair.acceptor.session.handle_local(newcomer);
    pair.settle();
    assert_eq!(known(&pair), [0, 1, 2, 4, 50]);
}

#[test]
fn changes_before_the_session_is_open_are_the_snapshots() {
    let mut pair = Pair::new();
    pair.acceptor.session.handle_local(LocalChange::Spawned(actor(5, None)));
    pair.settle();
    assert!(
        !pair
            .initiator
            .events
            .iter()
            .any(|event| matches!(event, Event::Spawned(_)))
    );
}

#[test]
fn only_a_transitive_node_asks_and_learns() {
    for transitive in [true, false] {
        let mut initiator = config(Role::Initiator, name("alpha", 1, 99), "cookie");
        initiator.transitive = transitive;
        let mut pair = Pair::with(initiator, config(Role::Acceptor, name("beta", 2, 0), "cookie"));
        pair.settle();
        assert_eq!(
            pair.acceptor.count(&Event::SessionsAsked(name("alpha", 1, 0))),
            usize::from(transitive)
        );
        pair.acceptor.session.handle_sessions(vec![name("gamma", 3, 0)]);
        pair.settle();
        let learned = Event::SessionsLearned(vec![name("gamma", 3, 0)]);
        assert_eq!(pair.initiator.count(&learned), usize::from(transitive));
    }
}

/// Each answer is worth many connections, and each word about a name is a line of the log.
#[test]
fn what_a_peer_is_to_say_once_counts_once() {
    let mut initiator = config(Role::Initiator, name("alpha", 1, 99), "cookie");
    initiator.transitive = true;
    let mut pair = Pair::with(initiator, config(Role::Acceptor, name("beta", 2, 0), "cookie"));
    pair.settle();
    for _ in 0..100 {
        pair.acceptor.session.handle_sessions(vec![name("gamma", 3, 0)]);
        let taken = Control::NameTaken(NameTaken {
            address: "h:1".to_owned(),
            for_seconds: 5,
            receiver_stays: true,
        });
        pair.initiator.session.handle_message(Message::Control(taken), pair.now);
    }
    pair.settle();
    assert_eq!(pair.initiator.closed(), None);
    assert_eq!(
        pair.initiator.count(&Event::SessionsLearned(vec![name("gamma", 3, 0)])),
        1
    );
    let contested = |event: &&Event| matches!(event, Event::NameContested(_));
    assert_eq!(pair.initiator.events.iter().filter(contested).count(), 1);
}

#[test]
fn an_idle_link_between_live_nodes_lives() {
    let mut pair = Pair::new();
    pair.settle();
    pair.pass(Duration::from_secs(600));
    for end in [&pair.initiator, &pair.acceptor] {
        assert_eq!(end.closed(), None);
        let pongs = end
            .events
            .iter()
            .filter(|event| matches!(event, Event::Pong(_)))
            .count();
        assert!(pongs >= 120, "{pongs} pongs in ten minutes");
        assert!(
            end.events.contains(&Event::Pong(Duration::from_millis(2))),
            "there and back"
        );
    }
}

#[test]
fn a_confirmation_is_the_answer_to_a_ping_of_its_own() {
    let mut pair = Pair::new();
    let now = pair.now;
    assert!(
        !pair.initiator.session.handle_confirmation(now),
        "nothing to confirm before it is open"
    );
    pair.settle();
    pair.pass(Duration::from_secs(60));
    assert_eq!(
        pair.initiator.count(&Event::Confirmed(1)),
        0,
        "other pings confirm nothing"
    );
    let now = pair.now;
    for _ in 0..2 {
        assert!(pair.initiator.session.handle_confirmation(now));
    }
    pair.acceptor.frozen = true;
    pair.pass(Duration::from_secs(1));
    assert_eq!(
        pair.initiator.count(&Event::Confirmed(1)),
        0,
        "the peer has not handled anything"
    );
    pair.acceptor.frozen = false;
    pair.pass(Duration::from_secs(1));
    assert_eq!(pair.initiator.count(&Event::Confirmed(1)), 2);
    assert_eq!(pair.acceptor.count(&Event::Confirmed(1)), 0);
}

#[test]
fn a_frozen_peer_is_down_within_a_quarter_of_the_allowed_silence() {
    for alive_for in [0, 1, 7, 20] {
        let mut pair = Pair::new();
        pair.settle();
        pair.pass(Duration::from_secs(alive_for));
        pair.acceptor.frozen = true;
        pair.pass(Duration::from_millis(7_500));
        assert_eq!(pair.initiator.closed(), None, "frozen after {alive_for} s");
        pair.pass(Duration::from_millis(5_000));
        let reason = pair.initiator.closed();
        assert!(
            matches!(reason, Some(CloseReason::PeerSilent(_))),
            "frozen after {alive_for} s: {reason:?}"
        );
    }
}

#[test]
fn a_peer_that_has_said_that_it_leaves_has_not_crashed() {
    let mut initiator = config(Role::Initiator, name("alpha", 1, 99), "cookie");
    initiator.local.flags.get_or_insert_default().capabilities |= CAPABILITY_NAME_TAKEN;
    let mut pair = Pair::with(initiator, config(Role::Acceptor, name("beta", 2, 0), "cookie"));
    pair.settle();
    pair.acceptor.session.handle_leaving();
    pair.settle();
    pair.cut();
    assert_eq!(pair.initiator.closed(), Some(&CloseReason::PeerLeft));
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::ConnectionClosed));
}

#[test]
fn the_end_of_the_connection_is_the_end() {
    let mut pair = Pair::new();
    pair.settle();
    pair.cut();
    for end in [&pair.initiator, &pair.acceptor] {
        assert_eq!(end.closed(), Some(&CloseReason::ConnectionClosed));
        assert_eq!(end.session.poll_timeout(), None);
        assert!(!end.session.is_ready());
    }
}
