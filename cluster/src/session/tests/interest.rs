//! Which groups nodes want to know of, and actors that are kept back until somebody asks for them.

use super::pair::{Pair, account, config, name};
use crate::session::{BadGroups, CloseReason, Event, GroupInterest, GroupPattern, LocalSnapshot, Role, SessionConfig};
use crate::wire::{Actor, CAPABILITY_GROUPS, CAPABILITY_INTEREST, Control, Message, WantedGroups};

/// An end that says what it wants, if it wants less than everything.
fn end(role: Role, node: &str, interest: Option<GroupInterest>) -> SessionConfig {
    let (port, nonce) = if role == Role::Initiator { (1, 99) } else { (2, 0) };
    let mut config = config(role, name(node, port, nonce), "cookie");
    let says = if interest.is_some() { CAPABILITY_INTEREST } else { 0 };
    config.local.flags.get_or_insert_default().capabilities |= CAPABILITY_GROUPS | says;
    config.account = account(1 << 20);
    config.interest = interest;
    config
}

fn wants(pattern: &str) -> Option<GroupInterest> {
    Some(GroupInterest::new([GroupPattern::every(pattern)]).unwrap())
}

fn actor(pid: u64) -> Actor {
    Actor { pid, name: None }
}

#[test]
fn a_node_hears_what_its_peer_wants_before_it_tells_of_anything() {
    for (alpha, beta) in [(wants("a*"), None), (None, wants("b*")), (wants("a*"), wants("b*"))] {
        let initiator = end(Role::Initiator, "alpha", alpha.clone());
        let mut pair = Pair::with(initiator, end(Role::Acceptor, "beta", beta.clone()));
        for end in [&mut pair.initiator, &mut pair.acceptor] {
            end.snapshot = Some(LocalSnapshot {
                actors: vec![actor(7)],
                groups: Vec::new(),
            });
        }
        pair.settle();
        for (end, peers) in [(&pair.initiator, &beta), (&pair.acceptor, &alpha)] {
            assert_eq!(end.session.peer_interest(), peers.as_ref());
            assert_eq!(end.count(&Event::Spawned(vec![actor(7)])), 1);
            assert_eq!(end.count(&Event::Ready), 1);
            assert!(end.session.tells_changes());
        }
    }
}

#[test]
fn a_stock_peer_hears_nothing_of_it() {
    let initiator = end(Role::Initiator, "alpha", wants("a*"));
    let mut pair = Pair::with(initiator, config(Role::Acceptor, name("beta", 2, 0), "cookie"));
    pair.tamper = |message| {
        let is_ours = matches!(message, Message::Control(Control::Interest(_) | Control::Ask(_)));
        assert!(!is_ours, "{message:?}");
        message
    };
    pair.settle();
    assert!(pair.initiator.session.handle_question(7));
    pair.settle();
    assert_eq!(pair.initiator.count(&Event::Answered(7)), 1, "it keeps nothing back");
    assert_eq!(pair.initiator.count(&Event::Ready), 1);
}

#[test]
fn an_interest_that_is_none_ends_the_session() {
    let initiator = end(Role::Initiator, "alpha", wants("a*"));
    let mut pair = Pair::with(initiator, end(Role::Acceptor, "beta", None));
    pair.tamper = |message| match message {
        Message::Control(Control::Interest(_)) => {
            let wanted = WantedGroups {
                pattern: "a".to_owned(),
                one_per_node: false,
            };
            Message::Control(Control::Interest(vec![wanted; 65]))
        }
        message => message,
    };
    pair.settle();
    let reason = CloseReason::BadGroups(BadGroups::TooMany(65));
    assert_eq!(pair.acceptor.closed(), Some(&reason));
    assert_eq!(reason.name(), "bad_groups");
}

#[test]
fn what_was_not_announced_or_is_said_again_changes_nothing() {
    let initiator = end(Role::Initiator, "alpha", wants("a*"));
    let mut pair = Pair::with(initiator, end(Role::Acceptor, "beta", None));
    pair.settle();
    let other = || {
        Message::Control(Control::Interest(vec![WantedGroups {
            pattern: "other".to_owned(),
            one_per_node: false,
        }]))
    };
    pair.acceptor.session.handle_message(other(), pair.now);
    pair.initiator.session.handle_message(other(), pair.now);
    pair.settle();
    assert_eq!(pair.acceptor.session.peer_interest(), wants("a*").as_ref());
    assert_eq!(pair.initiator.session.peer_interest(), None);
    assert_eq!(pair.acceptor.count(&Event::InterestTold), 1);
    assert_eq!(pair.initiator.count(&Event::InterestTold), 0);
}

#[test]
fn a_peer_says_whether_an_actor_is_there_that_it_kept_back() {
    let initiator = end(Role::Initiator, "alpha", wants("a*"));
    let mut pair = Pair::with(initiator, end(Role::Acceptor, "beta", None));
    pair.settle();
    for (pid, found) in [(7, Some(actor(7))), (8, None)] {
        // Asked twice, since two may look at once: one question, and one answer for both.
        for _ in 0..2 {
            assert!(pair.initiator.session.handle_question(pid));
        }
        pair.settle();
        assert_eq!(pair.acceptor.count(&Event::Asked(pid)), 1);
        assert_eq!(pair.initiator.count(&Event::Answered(pid)), 0);
        pair.acceptor.session.handle_answer(pid, found.clone());
        pair.settle();
        assert_eq!(pair.initiator.count(&Event::Answered(pid)), 1);
        assert_eq!(pair.initiator.session.peer_actor(pid), found);
    }
    assert!(pair.initiator.session.handle_question(7));
    pair.settle();
    assert_eq!(pair.initiator.count(&Event::Answered(7)), 2);
    assert_eq!(pair.acceptor.count(&Event::Asked(7)), 1, "it is known by now");
}

/// A node may come across an address while its session with that node is still opening.
#[test]
fn a_question_that_comes_early_is_answered_behind_the_rest() {
    let initiator = end(Role::Initiator, "alpha", wants("a*"));
    let mut pair = Pair::with(initiator, end(Role::Acceptor, "beta", None));
    // In front of the interest, which the other end waits for with all that it has to tell.
    pair.tamper = |message| match message {
        Message::Control(Control::Interest(_)) => Message::Control(Control::Ask(7)),
        message => message,
    };
    pair.settle();
    assert_eq!(pair.acceptor.count(&Event::Asked(7)), 0);
    let interest = wants("a*").unwrap().to_wire();
    let interest = Message::Control(Control::Interest(interest));
    pair.acceptor.session.handle_message(interest, pair.now);
    pair.settle();
    let at = |event: &Event| pair.acceptor.events.iter().position(|other| other == event);
    assert!(
        at(&Event::InterestTold) < at(&Event::Asked(7)),
        "{:?}",
        pair.acceptor.events
    );
    assert_eq!(pair.acceptor.count(&Event::Asked(7)), 1);
    assert!(pair.acceptor.session.tells_changes());
}

#[test]
fn there_is_an_end_to_what_a_peer_is_asked() {
    let initiator = end(Role::Initiator, "alpha", wants("a*"));
    let mut pair = Pair::with(initiator, end(Role::Acceptor, "beta", None));
    assert!(!pair.initiator.session.handle_question(1), "there is nobody to ask yet");
    pair.settle();
    let session = &mut pair.initiator.session;
    let asked = (0..5_000).filter(|pid| session.handle_question(*pid)).count();
    assert_eq!(asked, 4_096);
    assert!(session.handle_question(0), "one more who waits for the same");
}
