//! What arrives for an actor, in which order, and what that takes.

use std::time::Duration;

use ractor::RpcReplyPort;

use super::*;
use crate::directory::reply_port;

struct Asking {
    queue: ArrivalQueue,
    limits: Limits,
    quota: Arc<Quota>,
    start: Instant,
}

impl Asking {
    fn new(limits: Limits) -> Self {
        Self {
            queue: ArrivalQueue::default(),
            quota: Arc::new(Quota::new(&limits)),
            limits,
            start: Instant::now(),
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    /// Asks the guest with the same number, which has this many seconds.
    fn ask(&mut self, token: u64, seconds: u64) -> RpcReplyPort<Vec<u8>> {
        let (port, reply) = reply_port(None);
        let ask = Ask {
            span: None,
            call_span: None,
            target: Some(token),
            placed: Placed::Nowhere,
            stage: Stage::Outstanding(reply),
            begun: self.at(token),
            deadline: self.at(seconds),
            is_longest: false,
            _share: self.quota.share(Common::Asks, 1).unwrap(),
            _counted: None,
        };
        self.queue.handle_sent(token, ask);
        port
    }

    /// True if the actor is to be told.
    fn heard(&mut self, token: u64, seconds: u64) -> bool {
        let now = self.at(seconds);
        let effects = self
            .queue
            .handle_heard(token, Waker::noop(), now, &self.limits, &self.quota);
        effects.tells
    }

    fn expire(&mut self, seconds: u64) -> bool {
        let now = self.at(seconds);
        self.queue.handle_expired(now, &self.limits, &self.quota).is_some()
    }

    fn taken(&mut self) -> Vec<String> {
        let taken = std::iter::from_fn(|| self.queue.poll_arrival());
        taken
            .map(|(arrival, ..)| match arrival {
                Arrival::Reply(token, Ok(reply)) => format!("{token}: {reply:?}"),
                Arrival::Reply(token, Err(error)) => format!("{token}: {error:?}"),
                Arrival::Wake(timer) => format!("wake {timer}"),
            })
            .collect()
    }
}

#[test]
fn outcomes_are_taken_in_the_order_that_they_come_and_told_of_once() {
    let mut asking = Asking::new(Limits::default());
    let ports = [1, 2, 3].map(|token| asking.ask(token, 10 - token));
    let [one, two, three] = ports;
    assert!(!asking.heard(2, 0), "there is nothing yet");
    two.send(vec![2]).unwrap();
    assert!(asking.heard(2, 0));
    drop(one);
    assert!(!asking.heard(1, 0), "it has not looked since");
    assert!(!asking.expire(6));
    assert!(asking.expire(7) && !asking.expire(7));
    assert!(three.is_closed());
    assert_eq!(
        asking.taken(),
        ["2: [2]", "1: CallError::NoReply", "3: CallError::Timeout"]
    );
    assert!(!asking.queue.is_waiting() && asking.queue.next_deadline().is_none());
    asking.queue.handle_look();
    drop(asking.ask(4, 1));
    assert!(asking.heard(4, 0), "it has looked");
    asking.queue.handle_look();
    assert!(asking.queue.poll_left(), "and has not taken it");
}

#[test]
fn what_is_cancelled_is_taken_by_nobody_whether_or_not_it_has_come() {
    let mut asking = Asking::new(Limits::default());
    let (one, two) = (asking.ask(1, 1), asking.ask(2, 1));
    one.send(vec![1]).unwrap();
    asking.heard(1, 0);
    assert!(asking.queue.handle_cancel(1).is_some() && asking.queue.handle_cancel(1).is_none());
    drop(asking.queue.handle_cancel_after(1));
    assert!(two.is_closed());
    assert_eq!(asking.taken(), Vec::<String>::new());
    assert_eq!((asking.queue.count(), asking.queue.bytes), (0, 0));
}

#[test]
fn the_newest_of_a_circle_ends_and_what_has_come_is_no_wait() {
    let mut asking = Asking::new(Limits::default());
    let (one, _two) = (asking.ask(1, 1), asking.ask(2, 1));
    assert!(asking.queue.waits_for_all(&mut |_| true));
    assert!(!asking.queue.waits_for_all(&mut |target| target == 1));
    asking.queue.handle_wake_started(7, None);
    assert!(!asking.queue.waits_for_all(&mut |_| true), "a timer runs");
    asking.queue.handle_wake_ended(7);
    one.send(Vec::new()).unwrap();
    assert!(!asking.queue.waits_for_all(&mut |_| true), "it was not heard of yet");
    let (limits, quota) = (asking.limits.clone(), asking.quota.clone());
    assert!(
        !asking.queue.handle_circle(2, &limits, &quota).tells,
        "it came after the circle was seen"
    );
    asking.heard(1, 0);
    assert_eq!(asking.taken(), ["1: []"]);
    asking.queue.handle_look();
    let newest = asking.queue.newest().unwrap().token;
    assert!(asking.queue.handle_circle(newest, &limits, &quota).tells);
    assert_eq!(asking.taken(), ["2: CallError::WouldDeadlock"]);
}

#[test]
fn bytes_that_wait_are_the_familys_until_they_are_taken() {
    let mut asking = Asking::new(Limits {
        mailbox_bytes: 10,
        family_mailbox_bytes: Some(10),
        ..Limits::default()
    });
    for token in 1..=3 {
        asking.ask(token, 1).send(vec![0; 6]).unwrap();
        asking.heard(token, 0);
    }
    let overloaded = "CallError::Overloaded";
    assert_eq!(
        asking.taken(),
        [
            "1: [0, 0, 0, 0, 0, 0]".to_owned(),
            format!("2: {overloaded}"),
            format!("3: {overloaded}")
        ]
    );
    assert_eq!(asking.queue.bytes, 0);
    assert!(
        asking.quota.take(Common::MailboxBytes, 10).is_ok(),
        "all was given back"
    );
}

#[test]
fn a_timer_that_ends_takes_its_arrival_with_it() {
    let mut asking = Asking::new(Limits::default());
    for timer in [1, 2] {
        asking.queue.handle_wake_started(timer, None);
        asking.queue.handle_wake(timer);
    }
    asking.queue.handle_wake_ended(1);
    assert!(asking.queue.is_waiting());
    assert_eq!(asking.taken(), ["wake 2"]);
    asking.queue.handle_wake_ended(2);
    assert!(!asking.queue.is_waiting());
}

/// Where a span is written down that nobody reads.
#[derive(Debug)]
struct Nowhere;

impl crate::directory::trace::Recorder for Nowhere {
    fn failed(&self, _: &str) {}
}

fn span() -> Arc<ActiveSpan> {
    let parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let context = crate::directory::trace::TraceContext::parse(parent, b"").unwrap();
    Arc::new(ActiveSpan::new(context, Box::new(Nowhere)))
}

#[test]
fn a_handler_that_has_slept_goes_on_within_its_own_trace() {
    let mut asking = Asking::new(Limits::default());
    let traced = span();
    asking.queue.handle_wake_started(1, Some(traced.clone()));
    asking.queue.handle_wake_started(2, None);
    asking.queue.handle_wake_started(3, Some(span()));
    for timer in [2, 1] {
        asking.queue.handle_wake(timer);
    }
    let mut spans = std::iter::from_fn(|| asking.queue.poll_arrival()).map(|(_, span, _)| span);
    assert!(matches!(spans.next(), Some(None)), "it is in no trace");
    let span = spans.next().flatten().unwrap();
    assert!(Arc::ptr_eq(&span, &traced));
    drop(spans);
    drop(span);
    for timer in [1, 2] {
        assert!(asking.queue.handle_wake_ended(timer).is_none());
    }
    assert_eq!(Arc::strong_count(&traced), 1, "nothing of it is kept");
    assert!(
        asking.queue.handle_wake_ended(3).is_some(),
        "one that is cancelled ends its part"
    );
}
