//! A link whose session ends, and callers that do something at once.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use ractor::RpcReplyPort;
use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor::message::SerializedMessage;

use super::{Link, Undelivered};
use crate::directory::SendRefused;
use crate::node::SessionLimits;
use crate::transport::OutboxError;

/// The actor of the peer that is called.
const ACTOR: u64 = 7;

fn link() -> Arc<Link> {
    let link = Arc::new(Link::new(1, SessionLimits::default()));
    link.add_remote([ACTOR].into_iter());
    link
}

fn call_with(port: RpcReplyPort<Vec<u8>>) -> SerializedMessage {
    SerializedMessage::Call {
        variant: "Get".to_owned(),
        args: Vec::new(),
        reply: port,
        metadata: None,
    }
}

fn call() -> (SerializedMessage, OneshotReceiver<Vec<u8>>) {
    let (port, reply) = oneshot();
    (call_with(port.into()), reply)
}

/// What a caller does that isn't a task: it uses the link within its waker.
struct Eager {
    link: Arc<Link>,
    woken: AtomicUsize,
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        assert!(self.link.outbound_calls.try_lock().is_some(), "woken under the lock");
        self.woken.fetch_add(1, Ordering::SeqCst);
    }
}

/// The first tag that a link gives.
const FIRST: u64 = 1;

/// The session goes on reading for a while after it has closed, and its stand-ins go on sending.
#[test]
fn a_late_reply_answers_no_call_that_was_begun_after_the_session_had_closed() {
    let link = link();
    let (first, mut told) = call();
    link.send(ACTOR, first).unwrap();
    link.fail_all_calls();
    assert!((&mut told).now_or_never().is_some_and(|told| told.is_err()));
    let (second, mut told) = call();
    let sent = link.send(ACTOR, second);
    assert_eq!(sent.err(), Some(Undelivered::Outbox(OutboxError::Closed)));
    link.complete(ACTOR, FIRST, b"the reply to the first".to_vec());
    let told = (&mut told).now_or_never();
    assert!(told.is_some_and(|told| told.is_err()), "it waits for nothing");
}

#[test]
fn a_caller_hears_at_once_that_the_actor_has_ended_since_it_was_found() {
    let link = link();
    link.remove_remotes(vec![ACTOR]);
    let (message, mut told) = call();
    assert_eq!(link.send(ACTOR, message).err(), Some(Undelivered::Ended));
    assert!((&mut told).now_or_never().is_some_and(|told| told.is_err()));
    assert_eq!(link.dead_letters(), 1);
}

/// A stock peer says nothing of a call to an actor that it doesn't have, so a call that is sent to one would wait for ever.
#[tokio::test]
async fn whoever_waits_for_room_hears_that_the_actor_has_ended_meanwhile() {
    let link = Link::new(
        1,
        SessionLimits {
            outbox: 1,
            ..SessionLimits::default()
        },
    );
    link.add_remote([ACTOR].into_iter());
    let (message, _waits) = call();
    link.send(ACTOR, message).unwrap();
    let (message, mut told) = call();
    let mut sending = Box::pin(link.send_when_room(ACTOR, message));
    assert!((&mut sending).now_or_never().is_none(), "there is no room");
    link.remove_remotes(vec![ACTOR]);
    let mut drained = crate::transport::sim::Chunks::default();
    link.outbox().drain_into(&mut drained);
    link.outbox().wrote(drained.len());
    assert_eq!(sending.await, Err(SendRefused::UnknownActor));
    assert!((&mut told).now_or_never().is_some_and(|told| told.is_err()));
}

/// Otherwise a caller that does something with the link as soon as it hears would wait for itself.
#[test]
fn callers_can_use_the_link_in_whatever_way_they_hear_of_the_end_of_their_calls() {
    const GRACE: Duration = Duration::from_secs(2);
    let ends: [fn(&Link); 6] = [
        |link| link.fail_all_calls(),
        |link| link.shut(),
        |link| link.remove_remotes(vec![ACTOR]),
        |link| link.sweep_calls(Instant::now() + GRACE),
        |link| link.complete(ACTOR, FIRST, Vec::new()),
        |link| link.fail_call(ACTOR, FIRST, Some(b"no")),
    ];
    for end in ends {
        let link = link();
        let (port, mut reply) = oneshot::<Vec<u8>>();
        // Late from the start, so that a reply that comes is dropped with the port.
        link.send(ACTOR, call_with((port, Duration::ZERO).into())).unwrap();
        let eager = Arc::new(Eager {
            link: link.clone(),
            woken: AtomicUsize::new(0),
        });
        let waker = Waker::from(eager.clone());
        let polled = Pin::new(&mut reply).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        end(&link);
        assert_eq!(eager.woken.load(Ordering::SeqCst), 1);
    }
    // And of a call that isn't even begun.
    let link = link();
    link.fail_all_calls();
    let (port, mut reply) = oneshot::<Vec<u8>>();
    let eager = Arc::new(Eager {
        link: link.clone(),
        woken: AtomicUsize::new(0),
    });
    let waker = Waker::from(eager.clone());
    assert!(Pin::new(&mut reply).poll(&mut Context::from_waker(&waker)).is_pending());
    link.send(ACTOR, call_with(port.into())).unwrap_err();
    assert_eq!(eager.woken.load(Ordering::SeqCst), 1);
}
