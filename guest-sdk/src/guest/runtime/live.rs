//! An actor that is exported with `awaits`. One future owns it and its state and does one piece of work after the other, so that a
//! handler which waits is simply where this future stands: nothing else can come at the state meanwhile, and what comes for the actor
//! waits in its order.
//!
//! Messages don't come while a handler isn't done, because the host holds the mailbox then. News of other actors do, and stay here
//! until it is, as they stay in ractor's mailbox natively.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use super::executor::{self, block_on};
use super::{Entry, Handled, Running, decode, waiting_host, waits};
use crate::guest::actor::myself;
use crate::guest::message::SerializedMessage;
use crate::guest::{Actor, ActorRef, DescribeMessage, SupervisionEvent};

/// Something that sees the actor and its state while no handler has them.
#[cfg(feature = "reload")]
type Visit<A> = Box<dyn FnOnce(&A, &mut <A as Actor>::State) -> Handled>;

thread_local! {
    /// The actor has said that it wants to stop, and why, in a handler that isn't done.
    static STOP: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Stops the actor when the handler that runs is done.
pub(super) fn stop(reason: Option<String>) {
    STOP.set(Some(reason));
}

/// See the module.
pub(super) struct Live<A: Actor> {
    desk: Rc<Desk<A>>,
    future: Pin<Box<dyn Future<Output = Infallible>>>,
    /// What is to be done when the handler is that isn't.
    waiting: Vec<Work<A>>,
    is_busy: bool,
}

enum Work<A: Actor> {
    PostStart,
    Message(A::Msg),
    Event(SupervisionEvent),
    PostStop,
    #[cfg(feature = "reload")]
    Visit(Visit<A>),
}

/// Where the actor's future finds its work and leaves what came of it.
struct Desk<A: Actor> {
    work: Cell<Option<Work<A>>>,
    outcome: Cell<Option<Handled>>,
    /// The handler that isn't done won't be any more.
    is_given_up: Cell<bool>,
}

/// Puts something into an empty place. Code that would drop what is there is left out.
fn put<T>(place: &Cell<Option<T>>, value: T) {
    let empty = place.replace(Some(value));
    debug_assert!(empty.is_none(), "the place is taken");
    std::mem::forget(empty);
}

/// Awaits a handler, or what is left of it when it is given up: nothing. A macro, because a function would move the future, which
/// may be large.
macro_rules! handled {
    ($desk:expr, $handler:expr) => {{
        let mut handler = pin!($handler);
        poll_fn(|context| {
            if $desk.is_given_up.get() {
                return Poll::Ready(None);
            }
            handler.as_mut().poll(context).map(Some)
        })
        .await
    }};
}

async fn live<A: Actor>(actor: A, mut state: A::State, desk: Rc<Desk<A>>) -> Infallible {
    loop {
        let work = poll_fn(|_| desk.work.take().map_or(Poll::Pending, Poll::Ready)).await;
        let myself: ActorRef<A::Msg> = myself().into();
        let outcome = match work {
            Work::Message(message) => handled!(desk, actor.handle(myself, message, &mut state)),
            Work::Event(event) => handled!(desk, actor.handle_supervisor_evt(myself, event, &mut state)),
            Work::PostStart => handled!(desk, actor.post_start(myself, &mut state)),
            Work::PostStop => Some(block_on(actor.post_stop(myself, &mut state))),
            #[cfg(feature = "reload")]
            Work::Visit(visit) => Some(visit(&actor, &mut state)),
        };
        if let Some(outcome) = outcome {
            put(&desk.outcome, outcome);
        }
    }
}

impl<A: Actor> Live<A> {
    pub(super) fn new(actor: A, state: A::State) -> Self {
        let desk = Rc::new(Desk {
            work: Cell::new(None),
            outcome: Cell::new(None),
            is_given_up: Cell::new(false),
        });
        Self {
            future: Box::pin(live(actor, state, desk.clone())),
            desk,
            waiting: Vec::new(),
            is_busy: false,
        }
    }

    /// Lets something see the actor and its state.
    #[cfg(feature = "reload")]
    pub(super) fn visit(&mut self, visit: impl FnOnce(&A, &mut A::State) -> Handled + 'static) -> Handled {
        // The host waits until no handler is in the way.
        if self.is_busy {
            return Err("a handler of the actor isn't done".into());
        }
        self.take(Work::Visit(Box::new(visit)))
    }

    /// Does something now, or when the handler is done that isn't.
    fn take(&mut self, work: Work<A>) -> Handled {
        if self.is_busy {
            self.waiting.push(work);
        } else {
            self.begin(work);
        }
        self.go_on()
    }

    fn begin(&mut self, work: Work<A>) {
        put(&self.desk.work, work);
        self.is_busy = true;
    }

    /// Goes on until everything is done, or a handler waits. Then the host is told.
    fn go_on(&mut self) -> Handled {
        while self.is_busy {
            // What woke before, wakes now.
            executor::take_woken();
            let _never_ready = executor::poll(self.future.as_mut(), Some(&waits::AWAITING));
            let Some(outcome) = self.desk.outcome.take() else {
                if executor::take_woken() {
                    continue;
                }
                if !waits::is_waiting() {
                    executor::never_ready();
                }
                waiting_host::hold_mailbox();
                break;
            };
            self.is_busy = false;
            if let Some(reason) = STOP.take() {
                // A stop comes before anything that waits.
                self.waiting.clear();
                waiting_host::stop(reason.as_deref());
                return outcome;
            }
            outcome?;
            if !self.waiting.is_empty() {
                // There are few.
                let next = self.waiting.remove(0);
                self.begin(next);
            }
        }
        Ok(())
    }

    /// The handler won't be done any more, nor what waits for it.
    #[cold]
    fn give_up(&mut self) {
        self.waiting.clear();
        STOP.take();
        self.desk.is_given_up.set(true);
        // It drops the handler and stops where it waits for work, of which there is none.
        let _never_ready = executor::poll(self.future.as_mut(), Some(&waits::AWAITING));
        self.desk.is_given_up.set(false);
        self.is_busy = false;
    }
}

impl<A> Running for Live<A>
where
    A: Actor,
    A::Msg: DescribeMessage,
{
    fn handle(&mut self, message: SerializedMessage) -> Handled {
        match decode::<A::Msg>(message) {
            Some(message) => self.take(Work::Message(message)),
            None => Ok(()),
        }
    }

    fn enter(&mut self, entry: Entry) -> Handled {
        let work = match entry {
            Entry::Arrival => return self.go_on(),
            Entry::Event(event) => Work::Event(event),
            Entry::PostStart => Work::PostStart,
            Entry::PostStop => {
                if self.is_busy {
                    self.give_up();
                }
                Work::PostStop
            }
        };
        self.take(work)
    }
}
