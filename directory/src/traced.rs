//! Whether any actor of this process is traced: who sends messages says who they are only then.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of actors that are traced, each as often as somebody traces it.
static TRACED: AtomicUsize = AtomicUsize::new(0);

/// Who sends a message, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The actor of this process with this pid.
    Actor(u64),
    /// An actor of the node with this number. Which one, a message doesn't say.
    Node(u64),
}

/// True if anybody traces an actor of this process: then senders say who they are, by [`comes_from`](crate::Inbox::comes_from).
#[inline]
pub fn is_anyone_traced() -> bool {
    // A message that is sent as a trace begins may have no sender there.
    TRACED.load(Ordering::Relaxed) > 0
}

/// An actor is traced, until this is dropped.
#[derive(Debug)]
pub struct TracedMark(());

impl TracedMark {
    /// One more.
    #[expect(clippy::new_without_default, reason = "to have one is an act")]
    pub fn new() -> Self {
        TRACED.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for TracedMark {
    fn drop(&mut self) {
        TRACED.fetch_sub(1, Ordering::Relaxed);
    }
}
