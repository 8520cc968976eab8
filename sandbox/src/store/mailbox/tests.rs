//! The mailbox by itself, in front of an actor that does nothing.

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::*;
use crate::directory::{MESSAGE_OVERHEAD, PROBE_VARIANT};

/// Stands for the guest's actor: it takes tokens and does nothing.
struct Idle;

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Idle {
    type Msg = Vec<u8>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Vec<u8>>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// A mailbox with these limits, in front of such an actor.
pub(crate) async fn mailbox(limits: Limits) -> Arc<Mailbox> {
    member(&limits, &Arc::new(Quota::new(&limits))).await
}

fn cast(variant: &str) -> SerializedMessage {
    SerializedMessage::Cast {
        variant: variant.to_owned(),
        args: Vec::new(),
        metadata: None,
    }
}

fn call(variant: &str) -> (SerializedMessage, oneshot::Receiver<Vec<u8>>) {
    let (port, reply) = oneshot::channel();
    let message = SerializedMessage::Call {
        variant: variant.to_owned(),
        args: Vec::new(),
        reply: port.into(),
        metadata: None,
    };
    (message, reply)
}

fn untraced(message: SerializedMessage) -> Received {
    Received { message, trace: None }
}

fn next(mailbox: &Mailbox) -> Option<SerializedMessage> {
    mailbox.next().map(|received| received.message)
}

fn drain(mailbox: &Mailbox) -> Vec<String> {
    std::iter::from_fn(|| next(mailbox))
        .map(|message| match message {
            SerializedMessage::Cast { variant, .. } | SerializedMessage::Call { variant, .. } => variant,
            SerializedMessage::CallReply(..) => String::new(),
        })
        .collect()
}

fn two(mailbox_full: WhenFull) -> Limits {
    Limits {
        mailbox_messages: 2,
        mailbox_full,
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_full_mailbox_refuses_or_makes_room() {
    for (policy, kept, refused) in [
        (WhenFull::Wait, ["a", "b"], 2),
        (WhenFull::Reject, ["a", "b"], 2),
        (WhenFull::DropOldest, ["c", "d"], 0),
    ] {
        let mailbox = mailbox(two(policy)).await;
        let outcomes = ["a", "b", "c", "d"].map(|variant| mailbox.put(cast(variant)));
        assert_eq!(
            outcomes.iter().filter(|put| put.is_err()).count(),
            refused,
            "{policy:?}"
        );
        assert_eq!(mailbox.room().is_some(), policy == WhenFull::Wait);
        assert_eq!(drain(&mailbox), kept, "{policy:?}");
        mailbox.put(cast("again")).unwrap();
    }
}

#[tokio::test]
async fn bytes_count_but_one_message_always_fits() {
    let mailbox = mailbox(Limits {
        mailbox_bytes: 2 * MESSAGE_OVERHEAD + 10,
        ..Limits::default()
    })
    .await;
    mailbox.put(cast(&"x".repeat(1000))).unwrap();
    assert_eq!(mailbox.put(cast("")).unwrap_err().reason, PutRefused::Full);
    drain(&mailbox);
    mailbox.put(cast("12345")).unwrap();
    mailbox.put(cast("12345")).unwrap();
    assert_eq!(mailbox.put(cast("")).unwrap_err().reason, PutRefused::Full);
}

#[tokio::test]
async fn who_waits_for_room_hears_of_it() {
    let mailbox = mailbox(two(WhenFull::Wait)).await;
    mailbox.put(cast("a")).unwrap();
    mailbox.put(cast("b")).unwrap();
    let room = mailbox.room().unwrap();
    let NotPut { message, .. } = mailbox.put(cast("c")).unwrap_err();
    let next = next(&mailbox);
    assert!(matches!(next, Some(SerializedMessage::Cast { variant, .. }) if variant == "a"));
    room.await;
    mailbox.put(message).unwrap();
    assert_eq!(drain(&mailbox), ["b", "c"]);
}

#[tokio::test]
async fn a_probe_gets_in_and_tells_when_its_turn_has_come() {
    let mailbox = mailbox(two(WhenFull::Reject)).await;
    mailbox.put(cast("a")).unwrap();
    mailbox.put(cast("b")).unwrap();
    let (probe, mut passed) = call(PROBE_VARIANT);
    mailbox.put(probe).unwrap();
    next(&mailbox);
    next(&mailbox);
    assert_eq!(passed.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    drop(next(&mailbox));
    assert_eq!(passed.try_recv(), Err(oneshot::error::TryRecvError::Closed));
}

#[tokio::test]
async fn a_probe_that_carries_something_is_none() {
    let mailbox = mailbox(two(WhenFull::Reject)).await;
    mailbox.put(cast("a")).unwrap();
    mailbox.put(cast("b")).unwrap();
    let (mut probe, _passed) = call(PROBE_VARIANT);
    if let SerializedMessage::Call { args, .. } = &mut probe {
        args.push(0);
    }
    assert_eq!(mailbox.put(probe).unwrap_err().reason, PutRefused::Full);
}

/// Whoever comes while the actor works off what it has is turned away, and nobody before it.
#[tokio::test]
async fn a_newcomer_during_a_drain_is_refused_alone() {
    let mailbox = mailbox(Limits::default()).await;
    mailbox.put(cast("a")).unwrap();
    mailbox.put(cast("b")).unwrap();
    mailbox.actor.drain().unwrap();
    for _ in 0..3 {
        let NotPut { message, reason } = mailbox.put(cast("late")).unwrap_err();
        assert_eq!(reason, PutRefused::Ended);
        assert!(matches!(message, SerializedMessage::Cast { variant, .. } if variant == "late"));
    }
    assert_eq!(drain(&mailbox), ["a", "b"]);
    assert_eq!(mailbox.waiting.lock().bytes(), 0);

    let mailbox = self::mailbox(two(WhenFull::DropOldest)).await;
    mailbox.put(cast("a")).unwrap();
    mailbox.put(cast("b")).unwrap();
    mailbox.actor.drain().unwrap();
    assert_eq!(mailbox.put(cast("late")).unwrap_err().reason, PutRefused::Ended);
    assert_eq!(drain(&mailbox), ["a", "b"], "nothing made room for it");
}

#[tokio::test]
async fn the_end_frees_callers_and_takes_nothing_more() {
    let mailbox = mailbox(two(WhenFull::Wait)).await;
    let (waiting, reply) = call("a");
    mailbox.put(waiting).unwrap();
    let room = mailbox.room().unwrap();
    mailbox.end();
    assert!(reply.await.is_err());
    room.await;
    assert_eq!(mailbox.put(cast("b")).unwrap_err().reason, PutRefused::Ended);
}

#[tokio::test]
async fn a_family_fills_its_mailboxes_together_and_room_in_one_is_room_in_all() {
    let one_cast = cast_cost();
    let limits = Limits {
        mailbox_bytes: 2 * one_cast,
        family_mailbox_bytes: Some(3 * one_cast),
        ..Limits::default()
    };
    let quota = Arc::new(Quota::new(&limits));
    let (one, other) = (member(&limits, &quota).await, member(&limits, &quota).await);
    for variant in ["a", "b"] {
        assert!(one.put(cast(variant)).is_ok());
    }
    assert!(other.put(cast("c")).is_ok());
    let room = other.room().unwrap();
    let refused = other.put(cast("d")).unwrap_err();
    assert_eq!(refused.reason, PutRefused::Full);
    assert_eq!(drain(&one), ["a", "b"]);
    room.await;
    assert!(other.put(refused.message).is_ok());
    assert!(one.put(cast("e")).is_ok());
    assert!(one.put(cast("f")).is_err(), "the family has three");
    other.end();
    assert!(one.put(cast("f")).is_ok(), "what a member leaves is free");
}

async fn member(limits: &Limits, quota: &Arc<Quota>) -> Arc<Mailbox> {
    let (actor, _) = Actor::spawn(None, Idle, ()).await.unwrap();
    let label = Label::new("test".into(), "test".into(), actor.get_id().pid(), limits);
    Arc::new(Mailbox::new(
        actor.get_cell(),
        label,
        Arc::new(limits.clone()),
        quota.clone(),
    ))
}

/// What `cast` of one letter takes.
fn cast_cost() -> usize {
    1 + MESSAGE_OVERHEAD
}

/// The end of a call runs the waker of whoever waits for it, which may come back here.
#[tokio::test]
async fn a_call_that_makes_room_ends_when_the_mailbox_is_free() {
    struct Looks(Arc<Mailbox>, std::sync::atomic::AtomicBool);
    impl std::task::Wake for Looks {
        fn wake(self: Arc<Self>) {
            let is_free = self.0.waiting.try_lock().is_some();
            self.1.store(is_free, Ordering::Relaxed);
        }
    }
    let mailbox = mailbox(two(WhenFull::DropOldest)).await;
    let (message, mut reply) = call("first");
    let looks = Arc::new(Looks(mailbox.clone(), std::sync::atomic::AtomicBool::new(false)));
    let waker = std::task::Waker::from(looks.clone());
    let poll = std::pin::Pin::new(&mut reply).poll(&mut std::task::Context::from_waker(&waker));
    assert!(poll.is_pending());
    for message in [message, cast("second"), cast("third")] {
        mailbox.put(message).unwrap();
    }
    assert_eq!(drain(&mailbox), ["second", "third"]);
    assert!(looks.1.load(Ordering::Relaxed), "it was woken with the mailbox's lock");
}

#[test]
fn there_are_no_more_tokens_than_messages_had_room() {
    let limits = two(WhenFull::DropOldest);
    let mut waiting = Waiting::default();
    let mut tokens = 0;
    for _ in 0..100 {
        let put = waiting.handle_put(untraced(cast("x")), &limits, || false);
        assert!(put.outcome.is_ok());
        tokens += usize::from(put.needs_token);
    }
    assert_eq!(tokens, 2);
    // Each finds a message.
    for _ in 0..tokens {
        assert!(waiting.poll_message(&limits).is_some());
    }
    assert!(waiting.handle_put(untraced(cast("x")), &limits, || false).needs_token);

    // A large one takes the place of several, and those that follow have their tokens.
    let limits = Limits {
        mailbox_messages: 10,
        mailbox_bytes: 9 * MESSAGE_OVERHEAD,
        ..limits
    };
    let mut waiting = Waiting::default();
    let mut tokens = 0;
    for bytes in [0, 0, 0, 0, 0, 6 * MESSAGE_OVERHEAD, 0, 0, 0, 0, 0, 0] {
        let large = SerializedMessage::Cast {
            variant: String::new(),
            args: vec![0; bytes],
            metadata: None,
        };
        tokens += usize::from(waiting.handle_put(untraced(large), &limits, || false).needs_token);
    }
    let left = waiting.count();
    let found = (0..tokens).filter(|_| waiting.poll_message(&limits).is_some()).count();
    assert_eq!(found, left, "of {tokens} tokens");
    assert!(waiting.handle_put(untraced(cast("x")), &limits, || false).needs_token);
}

#[tokio::test]
async fn a_message_that_is_withdrawn_leaves_its_token_to_nobody_else() {
    let mailbox = mailbox(Limits::default()).await;
    let places: Vec<Placed> = ["one", "two", "three"]
        .into_iter()
        .map(|variant| mailbox.put(cast(variant)).unwrap())
        .collect();
    assert!(mailbox.withdraw(places[1]).is_some());
    assert!(mailbox.withdraw(places[1]).is_none(), "once");
    assert_eq!(mailbox.len(), 2);
    let variant = |message| match message {
        Some(SerializedMessage::Cast { variant, .. }) => variant,
        _ => "nothing".to_owned(),
    };
    // One for each of the three tokens: what a native sent between them keeps its place.
    let taken: Vec<String> = (0..3).map(|_| variant(next(&mailbox))).collect();
    assert_eq!(taken, ["one", "nothing", "three"]);
    assert!(mailbox.withdraw(places[0]).is_none(), "the actor has it");
    assert_eq!(mailbox.waiting.lock().bytes(), 0);
    // The last of all.
    let last = mailbox.put(cast("last")).unwrap();
    assert!(mailbox.withdraw(last).is_some() && next(&mailbox).is_none());
    assert_eq!(
        variant({
            drop(mailbox.put(cast("after")));
            next(&mailbox)
        }),
        "after"
    );
    assert!(mailbox.withdraw(Placed::Nowhere).is_none());
}

#[tokio::test]
async fn a_message_that_is_withdrawn_makes_room() {
    let mailbox = mailbox(two(WhenFull::Wait)).await;
    let first = mailbox.put(cast("one")).unwrap();
    mailbox.put(cast("two")).unwrap();
    assert!(mailbox.put(cast("three")).is_err());
    assert!(mailbox.withdraw(first).is_some());
    let room = mailbox.room().unwrap();
    // When its token has come, which takes up its place until then.
    assert!(next(&mailbox).is_none());
    room.await;
    mailbox.put(cast("three")).unwrap();
}

#[tokio::test]
async fn messages_that_are_withdrawn_count_until_their_tokens_have_come() {
    let mailbox = mailbox(two(WhenFull::Wait)).await;
    for _ in 0..2 {
        let placed = mailbox.put(cast("again")).unwrap();
        assert!(mailbox.withdraw(placed).is_some());
    }
    let refused = mailbox.put(cast("more")).unwrap_err();
    assert_eq!(refused.reason, PutRefused::Full, "nobody can pile up tokens");
    let room = mailbox.room().unwrap();
    assert!(next(&mailbox).is_none());
    room.await;
    mailbox.put(cast("more")).unwrap();
}
