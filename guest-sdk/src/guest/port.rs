//! Reply ports: the one-use way back from the handler of a call to its caller.

use std::any::Any;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::guest::MessagingErr;
use crate::guest::bindings::ractor::actor::messaging;
use crate::guest::concurrency::Duration;
use crate::guest::requests::FailCall;
use crate::guest::runtime::incoming::{IncomingCall, Undelivered};

/// A reply, or the reason why there is none.
type Answer<T> = Result<T, String>;

type Sink<T> = Box<dyn FnOnce(Answer<T>) -> Result<(), Undelivered> + Send>;

/// Who waits for the reply.
#[derive(Debug)]
enum Caller {
    /// The host, under this number, on behalf of the actor that called this one.
    Host(u64),
    /// This actor, as long as the slot is there.
    Myself(Weak<dyn Any + Send + Sync>),
}

/// The way of a reply to its caller. A handler may answer at once, or keep the port in its state and answer while it handles a
/// later message. Dropping the port tells the caller that no reply will come.
pub struct RpcReplyPort<T> {
    // A lock that is never taken: it makes the port, and so every message with a port, `Sync`, which an error that
    // hands a message back has to be.
    sink: Mutex<Sink<T>>,
    caller: Caller,
    timeout: Option<Duration>,
}

impl<T> RpcReplyPort<T> {
    /// How long the caller waits, if that is known. It is for calls that this actor makes, not for those it receives.
    pub fn get_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Sends the reply.
    ///
    /// # Errors
    /// `ChannelClosed` if the caller has given up, or the reply could not be encoded for it. Unlike ractor, the reply is not handed
    /// back.
    pub fn send(self, message: T) -> Result<(), MessagingErr<T>> {
        let sink = into_inner(self.sink);
        sink(Ok(message)).map_err(|Undelivered| MessagingErr::ChannelClosed)
    }

    /// True if the caller is known to have given up: then a reply is not worth making.
    pub fn is_closed(&self) -> bool {
        match &self.caller {
            Caller::Host(reply_to) => !messaging::is_waiting(*reply_to),
            Caller::Myself(slot) => slot.strong_count() == 0,
        }
    }

    /// The number by which the host knows the call; none if it is one of this actor to itself.
    #[cfg(feature = "reload")]
    pub(crate) fn number(&self) -> Option<u64> {
        match &self.caller {
            Caller::Host(reply_to) => Some(*reply_to),
            Caller::Myself(_) => None,
        }
    }

    /// A port that takes a `U`, converts it and passes it on to this one. If `convert` returns none, this port is
    /// dropped. The derive macros build the bridge between typed replies and their bytes with it.
    pub fn map_reply<U>(self, convert: impl FnOnce(U) -> Option<T> + Send + 'static) -> RpcReplyPort<U>
    where
        T: 'static,
    {
        let Self { sink, caller, timeout } = self;
        let sink = into_inner(sink);
        RpcReplyPort::new(caller, timeout, move |answer| match answer.map(convert) {
            Ok(Some(converted)) => sink(Ok(converted)),
            Ok(None) => Err(Undelivered),
            Err(reason) => sink(Err(reason)),
        })
    }

    fn new(
        caller: Caller,
        timeout: Option<Duration>,
        sink: impl FnOnce(Answer<T>) -> Result<(), Undelivered> + Send + 'static,
    ) -> Self {
        Self {
            sink: Mutex::new(Box::new(sink)),
            caller,
            timeout,
        }
    }
}

impl<T: Send + 'static> RpcReplyPort<T> {
    /// A port that fills the slot that comes with it.
    pub(crate) fn local(timeout: Option<Duration>) -> (Self, Slot<T>) {
        let slot = Slot(Arc::new(Mutex::new(None)));
        // Weak, because the end of the slot is how the port knows that nobody waits any more.
        let filled = Arc::downgrade(&slot.0);
        let caller = Caller::Myself(filled.clone());
        let port = Self::new(caller, timeout, move |answer| {
            let filled = filled.upgrade().ok_or(Undelivered)?;
            *lock(&filled) = Some(answer);
            Ok(())
        });
        (port, slot)
    }
}

impl RpcReplyPort<Vec<u8>> {
    /// The port of a call that the host delivered.
    pub(crate) fn incoming(call: IncomingCall) -> Self {
        Self::new(Caller::Host(call.reply_to()), None, move |answer| call.answer(answer))
    }
}

impl<T> std::fmt::Debug for RpcReplyPort<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpcReplyPort")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl<T> FailCall for RpcReplyPort<T> {
    fn fail(self, reason: impl Display) {
        let sink = into_inner(self.sink);
        // A caller that has given up misses nothing.
        let _ignored = sink(Err(reason.to_string()));
    }
}

/// Where the reply to a call of this actor arrives.
pub(crate) struct Slot<T>(Arc<Mutex<Option<Answer<T>>>>);

impl<T> Slot<T> {
    /// The reply, or the reason why there is none, if either arrived.
    pub(crate) fn take(&self) -> Option<Answer<T>> {
        lock(&self.0).take()
    }
}

// A guest has one thread, and a panic ends it: the standard library's lock costs next to nothing there, and is never poisoned.

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
