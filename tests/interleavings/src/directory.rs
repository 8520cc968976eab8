//! The part of the host's `directory` that a mailbox uses.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::message::SerializedMessage;
use crate::sync::Mutex;

/// In bytes.
pub(crate) fn retained_bytes(message: &SerializedMessage) -> usize {
    match message {
        SerializedMessage::Cast { args, .. } | SerializedMessage::Call { args, .. } => args.len(),
        SerializedMessage::CallReply(_, bytes) => bytes.len(),
    }
}

/// The host's constant of this name.
pub(crate) const PROBE_VARIANT: &str = "\0probe";
pub(crate) const DESCRIBE_VARIANT: &str = "\0describe";

/// A future in a box.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a message waits in a mailbox that has taken it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Placed {
    Waits(u64),
    Nowhere,
}

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// The port ended.
    Dropped,
}

/// A reply to come, without the reason that it may fail for.
pub(crate) struct Reply<T>(Mutex<State<T>>);

enum State<T> {
    Waiting(oneshot::Receiver<T>),
    Come(Result<T, NoReply>),
    Over,
}

impl<T> Reply<T> {
    pub(crate) fn new(receiver: oneshot::Receiver<T>) -> Self {
        Self(Mutex::new(State::Waiting(receiver)))
    }

    /// True if the reply is there, or there will be none. It can still be taken.
    pub(crate) fn has_come(&self) -> bool {
        let mut state = self.0.lock();
        if let State::Waiting(receiver) = &mut *state {
            let outcome = match receiver.try_recv() {
                Ok(reply) => Ok(reply),
                Err(TryRecvError::Closed) => Err(NoReply::Dropped),
                Err(TryRecvError::Empty) => return false,
            };
            *state = State::Come(outcome);
        }
        true
    }
}

impl<T: Unpin> Future for Reply<T> {
    type Output = Result<T, NoReply>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        if let State::Waiting(receiver) = &mut *state {
            return Pin::new(receiver).poll(context).map_err(|_| NoReply::Dropped);
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Come(outcome) => Poll::Ready(outcome),
            State::Waiting(_) | State::Over => Poll::Ready(Err(NoReply::Dropped)),
        }
    }
}

/// Where messages for an actor are put.
pub(crate) trait Inbox {
    /// Takes a message, or hands it back.
    fn put(&self, message: SerializedMessage) -> Result<Placed, NotPut>;

    /// Takes a message back that was put here.
    fn withdraw(&self, placed: Placed) -> Option<SerializedMessage>;

    /// Done as soon as there may be room again.
    fn room(&self) -> Option<BoxFuture<'_, ()>>;

    /// Says who sends a message that is about to be put here.
    fn comes_from(&self, message: &SerializedMessage, sender: Sender);

    /// The actor is about to drain.
    fn drains(&self);
}

/// Nobody traces an actor.
pub(crate) fn is_anyone_traced() -> bool {
    false
}

/// Who sends a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender;

/// A message that was not taken.
#[derive(Debug)]
pub(crate) struct NotPut {
    pub(crate) message: SerializedMessage,
    pub(crate) reason: PutRefused,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutRefused {
    Full,
    Ended,
}

/// Traces, of which there are none here.
pub(crate) mod trace {
    use std::sync::Arc;

    /// The place of a message in a trace.
    #[derive(Debug)]
    pub(crate) enum TraceContext {}

    impl TraceContext {
        pub(crate) fn retained_bytes(&self) -> usize {
            match *self {}
        }
    }

    /// The trace of a message that is handed on now.
    pub(crate) fn of_message() -> Option<Arc<TraceContext>> {
        None
    }
}
