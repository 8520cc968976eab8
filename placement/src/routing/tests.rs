//! One sender and two receivers, message by message.

use std::num::NonZeroU64;

use super::*;
use crate::words::{BootTime, ShardRow, TypeId};

const SHARD: ShardId = ShardId {
    type_id: TypeId(0),
    shard: 1,
};

fn node(number: u64) -> Incarnation {
    Incarnation(NonZeroU64::new(number).unwrap())
}

fn at(milliseconds: u64) -> BootTime {
    BootTime(milliseconds * 1_000_000)
}

fn row(epoch: u64, owner: Option<u64>) -> ShardRow {
    ShardRow {
        shard: SHARD,
        epoch: Epoch(epoch),
        owner: owner.map(node),
    }
}

fn sender() -> Sender<&'static str> {
    Sender::new(SenderLimits::default())
}

fn sent(sender: &mut Sender<&'static str>) -> Vec<(u64, u64, &'static str)> {
    let all = std::iter::from_fn(|| sender.poll_transmit());
    all.map(|one| (one.to.0.get(), one.header.number, one.body)).collect()
}

fn refused(number: u64, round: u64, hint: Option<u64>) -> Reply {
    Reply::NotOwner {
        shard: SHARD,
        number,
        round,
        // A hint is about the next one.
        epoch: Epoch(1 + u64::from(hint.is_some())),
        hint: hint.map(node),
    }
}

fn acknowledged(up_to: u64, round: u64) -> Reply {
    let shard = SHARD;
    Reply::Acknowledged { shard, up_to, round }
}

#[test]
fn what_was_refused_is_sent_again_in_order_before_anything_newer() {
    let mut sender = sender();
    let old = row(1, Some(1));
    for body in ["a", "b", "c"] {
        sender.handle_send(old, body, 1, at(0)).unwrap();
    }
    assert_eq!(sent(&mut sender), [(1, 1, "a"), (1, 2, "b"), (1, 3, "c")]);
    sender.handle_reply(node(1), refused(2, 1, Some(2)), old, at(1));
    sender.handle_send(old, "d", 1, at(2)).unwrap();
    assert_eq!(sent(&mut sender), [], "it waits for what is outstanding");
    sender.handle_reply(node(1), refused(3, 1, Some(2)), old, at(3));
    sender.handle_reply(node(1), acknowledged(3, 1), old, at(3));
    sender.handle_timeout(|_| Some(old), at(500));
    assert_eq!(sent(&mut sender), [(2, 2, "b"), (2, 3, "c"), (2, 4, "d")]);
    sender.handle_reply(node(2), acknowledged(4, 1), old, at(600));
    assert_eq!(sender.bytes(), 3, "that was about an earlier round");
}

#[test]
fn what_was_outstanding_at_a_lost_session_is_lost_and_what_was_refused_is_not() {
    let mut sender = sender();
    let old = row(1, Some(1));
    for body in ["a", "b"] {
        sender.handle_send(old, body, 1, at(0)).unwrap();
    }
    sent(&mut sender);
    sender.handle_reply(node(1), refused(1, 1, None), old, at(1));
    sender.handle_gone(node(1), |_| Some(row(2, Some(2))), at(2));
    sender.handle_timeout(|_| Some(row(2, Some(2))), at(500));
    assert_eq!(sent(&mut sender), [(2, 1, "a")]);
    assert_eq!(sender.poll_event(), Some(SenderEvent::Lost("b")));
}

#[test]
fn a_shard_whose_messages_nobody_takes_is_overloaded_and_gives_them_up() {
    let limits = SenderLimits::default();
    let mut sender = sender();
    for _ in 0..limits.messages {
        sender.handle_send(row(1, None), "a", 1, at(0)).unwrap();
    }
    let kind = LimitKind::Messages;
    let shard = SHARD;
    assert_eq!(
        sender.handle_send(row(1, None), "a", 1, at(0)),
        Err(Overloaded { shard, kind })
    );
    sender.handle_timeout(|_| Some(row(1, None)), at(0).after(limits.hold));
    assert_eq!(sender.poll_event(), Some(SenderEvent::Unowned("a")));
    assert_eq!(sender.bytes(), 0);
}

#[test]
fn bytes_are_bounded_for_a_shard() {
    let mut sender = sender();
    sender.handle_send(row(1, None), "a", 4 << 20, at(0)).unwrap();
    let kind = LimitKind::ShardBytes;
    let shard = SHARD;
    assert_eq!(
        sender.handle_send(row(1, None), "b", 1, at(0)),
        Err(Overloaded { shard, kind })
    );
}

#[test]
fn a_hint_is_followed_if_it_is_newer_than_what_is_known() {
    let mut sender = sender();
    let old = row(2, Some(1));
    sender.handle_send(old, "a", 1, at(0)).unwrap();
    sent(&mut sender);
    // Of the epoch that is known here: the two would send it to each other.
    sender.handle_reply(node(1), refused(1, 1, Some(2)), old, at(1));
    sender.handle_timeout(|_| Some(old), at(200));
    assert_eq!(sent(&mut sender), [(1, 1, "a")]);
    let newer = |hint| Reply::NotOwner {
        shard: SHARD,
        number: 1,
        round: 2,
        epoch: Epoch(3),
        hint: Some(node(hint)),
    };
    sender.handle_reply(node(1), newer(3), old, at(201));
    sender.handle_timeout(|_| Some(old), at(400));
    assert_eq!(sent(&mut sender), [(3, 1, "a")]);
    // Whoever was hinted at has gone: what was on its way there is lost, and what comes goes by what is known.
    sender.handle_gone(node(3), |_| Some(old), at(401));
    sender.handle_send(old, "b", 1, at(402)).unwrap();
    sender.handle_timeout(|_| Some(old), at(600));
    assert_eq!(sent(&mut sender), [(1, 2, "b")]);
}

#[test]
fn one_that_is_too_large_keeps_nobody_back() {
    let mut sender = sender();
    let row = row(1, Some(1));
    assert!(sender.is_idle(SHARD));
    for body in ["a", "large", "b"] {
        sender.handle_send(row, body, 1, at(0)).unwrap();
    }
    assert_eq!(sender.handle_unsendable(header(2, 1, 1), row, at(1)), Some("large"));
    assert_eq!(sender.handle_unsendable(header(2, 1, 1), row, at(1)), None);
    assert!(!sender.is_idle(SHARD));
    sender.handle_reply(node(1), acknowledged(3, 1), row, at(2));
    assert!(sender.is_idle(SHARD));
    assert_eq!(sender.bytes(), 0);
}

fn header(number: u64, round: u64, epoch: u64) -> Header {
    Header {
        shard: SHARD,
        epoch: Epoch(epoch),
        number,
        round,
    }
}

struct Owner(Receiver);

impl Owner {
    fn new() -> Self {
        let mut receiver = Receiver::default();
        receiver.handle_session(node(9), SessionId(1));
        Self(receiver)
    }

    fn take(&mut self, header: Header, owned: Option<u64>) -> Verdict {
        self.0
            .handle_message(node(9), SessionId(1), header, owned.map(Epoch), Epoch(7), None)
    }

    fn replies(&mut self) -> Vec<Reply> {
        std::iter::from_fn(|| self.0.poll_reply())
            .map(|(_, _, reply)| reply)
            .collect()
    }
}

#[test]
fn behind_a_refused_message_nothing_of_its_round_is_taken() {
    let mut owner = Owner::new();
    assert_eq!(owner.take(header(1, 1, 3), None), Verdict::Refused);
    assert_eq!(
        owner.take(header(2, 1, 3), Some(5)),
        Verdict::Refused,
        "it has got the shard back since"
    );
    assert_eq!(owner.take(header(1, 2, 3), Some(5)), Verdict::Accepted);
    assert_eq!(owner.take(header(1, 2, 3), Some(5)), Verdict::Dropped, "a second time");
    assert_eq!(
        owner.take(header(2, 2, 6), Some(5)),
        Verdict::Refused,
        "an epoch that it hasn't"
    );
}

#[test]
fn acknowledged_is_what_has_begun_or_was_returned_without_a_gap() {
    let mut owner = Owner::new();
    for number in 1..=3 {
        assert_eq!(owner.take(header(number, 1, 1), Some(1)), Verdict::Accepted);
    }
    assert!(owner.0.handle_begun(node(9), SessionId(1), &header(2, 1, 1)));
    assert_eq!(owner.replies(), []);
    assert!(owner.0.handle_begun(node(9), SessionId(1), &header(1, 1, 1)));
    assert_eq!(owner.replies(), [acknowledged(2, 1)]);
    owner
        .0
        .handle_returned(node(9), SessionId(1), &header(3, 1, 1), Epoch(1), None);
    assert_eq!(owner.replies(), [refused(3, 1, None), acknowledged(3, 1)]);
}

#[test]
fn what_is_left_of_an_older_session_is_never_begun() {
    let mut owner = Owner::new();
    owner.take(header(1, 1, 1), Some(1));
    owner.0.handle_session(node(9), SessionId(2));
    assert!(!owner.0.handle_begun(node(9), SessionId(1), &header(1, 1, 1)));
    assert_eq!(owner.take(header(2, 1, 1), Some(1)), Verdict::Dropped);
    owner.0.handle_gone(node(9), SessionId(1));
    let taken = owner
        .0
        .handle_message(node(9), SessionId(2), header(2, 2, 1), Some(Epoch(1)), Epoch(1), None);
    assert_eq!(taken, Verdict::Accepted);
}
