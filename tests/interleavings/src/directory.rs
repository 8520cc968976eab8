//! The part of the host's `directory` that a mailbox uses.

use std::pin::Pin;

use crate::message::SerializedMessage;

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

/// Where messages for an actor are put.
pub(crate) trait Inbox {
    /// Takes a message, or hands it back.
    fn put(&self, message: SerializedMessage) -> Result<(), NotPut>;

    /// Done as soon as there may be room again.
    fn room(&self) -> Option<BoxFuture<'_, ()>>;
}

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
