//! Handlers that are not done: polled after each callback, because each may have brought what one of them waits for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::bindings::imported::requests::{self, CallError, Mailbox};

/// A handler, and what becomes of other messages while it isn't done.
struct Handler {
    mailbox: Mailbox,
    future: Pin<Box<dyn Future<Output = Result<(), String>>>>,
}

/// What an ask comes to, as a script notes it.
pub(crate) type Outcome = Result<Vec<u8>, CallError>;

#[derive(Default)]
struct Arrived {
    replies: HashMap<u64, Outcome>,
    wakes: Vec<u64>,
    events: Vec<String>,
}

thread_local! {
    static HANDLERS: RefCell<Vec<Handler>> = const { RefCell::new(Vec::new()) };
    static ARRIVED: RefCell<Arrived> = RefCell::default();
}

/// Begins a handler.
pub(crate) fn begin(mailbox: Mailbox, future: impl Future<Output = Result<(), String>> + 'static) {
    let future = Box::pin(future);
    HANDLERS.with_borrow_mut(|handlers| handlers.push(Handler { mailbox, future }));
}

/// Polls all handlers, and says whether any of them is left. An error is that of the handler that failed.
pub(crate) fn run() -> Result<(), String> {
    let mut context = Context::from_waker(Waker::noop());
    // Taken out: what a handler does may begin another one.
    let handlers = HANDLERS.take();
    for mut handler in handlers {
        match handler.future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => {
                requests::pending(handler.mailbox);
                HANDLERS.with_borrow_mut(|handlers| handlers.push(handler));
            }
        }
    }
    Ok(())
}

pub(crate) fn reply_came(token: u64, outcome: Outcome) {
    ARRIVED.with_borrow_mut(|arrived| arrived.replies.insert(token, outcome));
}

pub(crate) fn wake_came(timer: u64) {
    ARRIVED.with_borrow_mut(|arrived| arrived.wakes.push(timer));
}

pub(crate) fn event_came(event: String) {
    ARRIVED.with_borrow_mut(|arrived| arrived.events.push(event));
}

/// Waits for the outcome of any of these asks, which it takes out.
pub(crate) async fn first_of(tokens: &mut Vec<u64>) -> Outcome {
    poll_fn(|_| {
        let (at, outcome) = ARRIVED.with_borrow_mut(|arrived| {
            let found = tokens.iter().enumerate();
            found
                .filter_map(|(at, token)| Some((at, arrived.replies.remove(token)?)))
                .next()
                .map_or((0, None), |(at, outcome)| (at, Some(outcome)))
        });
        match outcome {
            Some(outcome) => {
                tokens.remove(at);
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    })
    .await
}

/// Waits for the time of a timer.
pub(crate) async fn woken(timer: u64) {
    poll_fn(|_| {
        let woken = ARRIVED.with_borrow_mut(|arrived| {
            let at = arrived.wakes.iter().position(|wake| *wake == timer);
            at.map(|at| arrived.wakes.remove(at))
        });
        woken.map_or(Poll::Pending, |_| Poll::Ready(()))
    })
    .await;
}

/// Waits for news of another actor.
pub(crate) async fn news() -> String {
    poll_fn(|_| {
        let event = ARRIVED.with_borrow_mut(|arrived| arrived.events.pop());
        event.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
