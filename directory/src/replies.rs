//! Reply ports whose callers hear why a call failed.
//!
//! A reply port of ractor's carries a reply, or ends; it has no room for a reason. So the reason goes beside it. [`fail`] leaves it in
//! a place that the thread has for it, and ends the port. Within that end tokio calls the waker of whoever waits, and the waker of a
//! [`Reply`] takes the reason from there. A port in between that passes on what comes without a task, as those of
//! `ractor-host-derive` do, passes the reason on, too. Whoever waits in another way hears what it always heard: that there is no
//! reply.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::RpcReplyPort;
use ractor::concurrency::{OneshotReceiver, oneshot};
use tokio::task::unconstrained;

use crate::text::tidy;

/// The longest reason, in bytes.
pub const MAX_REASON_BYTES: usize = 4096;

/// What stands at the end of a reason that was too long.
const CUT_OFF: &str = "... (cut off)";

thread_local! {
    /// The reason of the call that this thread is failing.
    static PASSING: RefCell<Option<FailureReason>> = const { RefCell::new(None) };
}

/// Why a call failed, in the words of the actor that failed it: at most [`MAX_REASON_BYTES`] on one line, whoever wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureReason(Box<str>);

impl FailureReason {
    /// As much of the text as a reason can have, without control characters.
    pub fn new(text: &str) -> Self {
        let tidied = tidy(text, MAX_REASON_BYTES);
        if tidied.len() <= MAX_REASON_BYTES {
            return Self(tidied.into());
        }
        // Escaped characters and notes have made it longer.
        let kept = tidied.floor_char_boundary(MAX_REASON_BYTES - CUT_OFF.len());
        let mut kept = tidied.get(..kept).unwrap_or_default().to_owned();
        kept.push_str(CUT_OFF);
        Self(kept.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<FailureReason> for String {
    fn from(reason: FailureReason) -> Self {
        reason.0.into()
    }
}

/// Who was told the reason of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Told {
    /// Whoever waits for the reply, here or on another node.
    Caller,
    /// Nobody: the caller hears that there is no reply, and has no ear for a reason.
    Nobody,
    /// Nobody: the caller had given up.
    GivenUp,
}

/// Ends a call without a reply, for a reason.
pub fn fail<T>(port: RpcReplyPort<T>, reason: FailureReason) -> Told {
    if port.is_closed() {
        return Told::GivenUp;
    }
    /// Leaves the thread as it was, whatever the wakers do.
    struct Outer(Option<FailureReason>);
    impl Drop for Outer {
        fn drop(&mut self) {
            PASSING.set(self.0.take());
        }
    }
    let _outer = Outer(PASSING.replace(Some(reason)));
    drop(port);
    PASSING.take().map_or(Told::Caller, |_| Told::Nobody)
}

/// For the waker of a reply that was not sent: the reason, if the port whose end calls the waker ends through [`fail`]. Whoever
/// takes it tells the caller.
pub fn take_reason() -> Option<FailureReason> {
    PASSING.take()
}

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// The port ended.
    #[error("the actor dropped the call without a reply")]
    Dropped,
    /// The actor failed the call.
    #[error("the actor failed the call: {0}")]
    Failed(FailureReason),
}

/// A port for a reply, and the reply that comes through it. With a timeout, the port tells how long the caller waits; the time
/// itself is the caller's to keep.
pub fn reply_port<T: Send + 'static>(timeout: Option<Duration>) -> (RpcReplyPort<T>, Reply<T>) {
    let (port, receiver) = oneshot();
    let waiter = Arc::new(Waiter(Mutex::new(State::Waiting { receiver, task: None })));
    // Before anybody has the port, so that its end finds the waker.
    waiter.watch();
    let port = match timeout {
        Some(timeout) => (port, timeout).into(),
        None => port.into(),
    };
    (port, Reply(waiter))
}

/// The reply to a call, which its caller awaits. Dropping it closes the port.
pub struct Reply<T>(Arc<Waiter<T>>);

struct Waiter<T>(Mutex<State<T>>);

enum State<T> {
    Waiting {
        receiver: OneshotReceiver<T>,
        /// Who polls the [`Reply`].
        task: Option<Waker>,
    },
    Come(Result<T, NoReply>),
    Over,
}

impl<T> Reply<T> {
    /// True if the reply is there, or there will be none. It can still be awaited.
    pub fn has_come(&self) -> bool {
        !matches!(*self.0.0.lock(), State::Waiting { .. })
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("has_come", &self.has_come()).finish()
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, NoReply>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.0.lock();
        // The receiver is left to the waker: whoever saw its end before the waker has run would miss the reason.
        if let State::Waiting { task, .. } = &mut *state {
            if task.as_ref().is_none_or(|task| !task.will_wake(context.waker())) {
                let before = task.replace(context.waker().clone());
                // Without the lock: it may be the last that is left of a task, with what that holds.
                drop(state);
                drop(before);
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Come(outcome) => Poll::Ready(outcome),
            State::Waiting { .. } | State::Over => Poll::Ready(Err(NoReply::Dropped)),
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        // A statement of its own: what is dropped may be woken, and must not find the lock taken.
        let state = std::mem::replace(&mut *self.0.0.lock(), State::Over);
        drop(state);
    }
}

impl<T: Send + 'static> Waiter<T> {
    fn watch(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        if let State::Waiting { receiver, .. } = &mut *self.0.lock() {
            // A poll that counted towards what the task may do in one go might not leave the waker there.
            let poll = Pin::new(&mut unconstrained(receiver)).poll(&mut Context::from_waker(&waker));
            debug_assert!(poll.is_pending());
        }
    }

    /// What has come, if anything has.
    fn settle(&self) {
        let mut state = self.0.lock();
        let State::Waiting { receiver, task } = &mut *state else {
            return;
        };
        let outcome = match receiver.try_recv() {
            Ok(reply) => Ok(reply),
            Err(_) if receiver.is_terminated() => Err(take_reason().map_or(NoReply::Dropped, NoReply::Failed)),
            Err(_) => return,
        };
        let task = task.take();
        let before = std::mem::replace(&mut *state, State::Come(outcome));
        drop(state);
        drop(before);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<T: Send + 'static> Wake for Waiter<T> {
    fn wake(self: Arc<Self>) {
        self.settle();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.settle();
    }
}

/// A port whose outcome goes to a function, which is called once, on the thread that replies or drops the port. No task waits for it.
///
/// The port never looks closed: whoever passes a call on hears of its caller's end by the call's timeout alone.
pub fn relay_port<T: Send + 'static>(
    timeout: Option<Duration>,
    then: impl FnOnce(Result<T, NoReply>) + Send + 'static,
) -> RpcReplyPort<T> {
    let (port, receiver) = oneshot();
    let relay = Arc::new(Relay(Mutex::new(Some((receiver, then)))));
    // Before anybody has the port. The two hold each other until the port has ended.
    relay.watch();
    match timeout {
        Some(timeout) => (port, timeout).into(),
        None => port.into(),
    }
}

struct Relay<T, F>(Mutex<Option<(OneshotReceiver<T>, F)>>);

impl<T, F> Relay<T, F>
where
    T: Send + 'static,
    F: FnOnce(Result<T, NoReply>) + Send + 'static,
{
    fn watch(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        if let Some((receiver, _)) = &mut *self.0.lock() {
            let poll = Pin::new(&mut unconstrained(receiver)).poll(&mut Context::from_waker(&waker));
            debug_assert!(poll.is_pending());
        }
    }

    fn settle(&self) {
        let (outcome, ended) = {
            let mut waiting = self.0.lock();
            let Some((receiver, _)) = &mut *waiting else { return };
            let outcome = match receiver.try_recv() {
                Ok(reply) => Ok(reply),
                Err(_) if receiver.is_terminated() => Err(take_reason().map_or(NoReply::Dropped, NoReply::Failed)),
                Err(_) => return,
            };
            (outcome, waiting.take())
        };
        // Without the lock: the receiver has the waker, and so this.
        if let Some((_, then)) = ended {
            then(outcome);
        }
    }
}

impl<T, F> Wake for Relay<T, F>
where
    T: Send + 'static,
    F: FnOnce(Result<T, NoReply>) + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.settle();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ractor::concurrency::oneshot;

    use super::*;

    fn reason(text: &str) -> FailureReason {
        FailureReason::new(text)
    }

    #[tokio::test]
    async fn a_caller_hears_a_reply_an_end_and_a_reason() {
        let (port, reply) = reply_port::<u8>(Some(Duration::from_secs(9)));
        assert_eq!(port.get_timeout(), Some(Duration::from_secs(9)));
        assert!(!reply.has_come());
        port.send(7).unwrap();
        assert!(reply.has_come());
        assert_eq!(reply.await, Ok(7));

        let (port, reply) = reply_port::<u8>(None);
        drop(port);
        assert_eq!(reply.await, Err(NoReply::Dropped));

        let (port, reply) = reply_port::<u8>(None);
        assert_eq!(fail(port, reason("no such row")), Told::Caller);
        assert_eq!(reply.await, Err(NoReply::Failed(reason("no such row"))));
    }

    #[tokio::test]
    async fn a_reason_that_comes_while_the_caller_waits_wakes_it() {
        let (port, reply) = reply_port::<u8>(None);
        let waiting = tokio::spawn(reply);
        tokio::task::yield_now().await;
        assert_eq!(fail(port, reason("late")), Told::Caller);
        assert_eq!(waiting.await.unwrap(), Err(NoReply::Failed(reason("late"))));
    }

    #[test]
    fn a_reason_is_told_to_the_caller_of_this_call_and_to_no_other() {
        let (stock, mut receiver) = oneshot::<u8>();
        assert_eq!(fail(stock.into(), reason("unheard")), Told::Nobody);
        assert!(receiver.try_recv().is_err());
        let (next, reply) = reply_port::<u8>(None);
        drop(next);
        assert!(reply.has_come());
        assert_eq!(take_reason(), None, "nothing is left for the next one");
        assert!(matches!(&*reply.0.0.lock(), State::Come(Err(NoReply::Dropped))));
    }

    #[test]
    fn a_caller_that_has_gone_closes_the_port() {
        let (port, reply) = reply_port::<u8>(None);
        assert!(!port.is_closed());
        drop(reply);
        assert!(port.is_closed());
        assert_eq!(fail(port, reason("nobody waits")), Told::GivenUp);
    }

    #[test]
    fn what_waits_leaves_nothing_behind() {
        for fails in [true, false] {
            let (port, reply) = reply_port::<Vec<u8>>(None);
            let waiter = Arc::downgrade(&reply.0);
            if fails {
                assert_eq!(fail(port, reason("gone")), Told::Caller);
                drop(reply);
            } else {
                drop(reply);
                drop(port);
            }
            assert_eq!(waiter.strong_count(), 0);
        }
    }

    #[test]
    fn what_comes_of_a_call_that_is_passed_on_goes_to_a_function_once_and_leaves_nothing_behind() {
        type Heard = Arc<Mutex<Vec<Result<u32, NoReply>>>>;
        let heard = Heard::default();
        let relay = || {
            let heard = heard.clone();
            relay_port(None, move |outcome| heard.lock().push(outcome))
        };
        relay().send(1).unwrap();
        drop(relay());
        assert_eq!(fail(relay(), reason("no such row")), Told::Caller);
        let failed = NoReply::Failed(reason("no such row"));
        assert_eq!(*heard.lock(), [Ok(1), Err(NoReply::Dropped), Err(failed)]);
        assert_eq!(Arc::strong_count(&heard), 1);
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        assert_eq!(reason("two\nlines").as_str(), "two\\nlines");
        for text in [
            "x".repeat(9_000),
            "ü".repeat(4_000),
            "\u{1}".repeat(4_096),
            "é\n".repeat(3_000),
        ] {
            let first = reason(&text);
            assert!(first.as_str().len() <= MAX_REASON_BYTES, "{}", first.as_str().len());
            assert!(!first.as_str().contains(char::is_control));
            // It may pass several nodes.
            assert_eq!(reason(first.as_str()), first);
        }
        let longest = "x".repeat(MAX_REASON_BYTES);
        assert_eq!(reason(&longest).as_str(), longest);
    }
}
