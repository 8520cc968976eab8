//! What entities do to others.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use ractor::RpcReplyPort;
use ractor_host_directory::{FailureReason, Told, fail};

/// When the state of an entity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Never: an entity that was passivated starts afresh.
    #[default]
    None,
    /// At its end, and as often as this while it changes.
    Every(Duration),
    /// Before anything that follows from it leaves the entity.
    BeforeReply,
}

/// Something that an entity does to others.
pub enum Output {
    /// The reply to a call.
    Reply(RpcReplyPort<Vec<u8>>, Vec<u8>),
    /// A call has no reply, for this reason.
    Failed(RpcReplyPort<Vec<u8>>, String),
    /// Anything that is done at once.
    Act(Box<dyn FnOnce() + Send>),
    /// Anything that may have to wait, with those after it.
    Wait(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reply(..) => "Reply",
            Self::Failed(..) => "Failed",
            Self::Act(_) => "Act",
            Self::Wait(_) => "Wait",
        })
    }
}

impl Output {
    /// The memory that it takes while it waits, as far as that is seen from here.
    pub(super) fn bytes(&self) -> usize {
        OUTPUT_OVERHEAD
            + match self {
                Self::Reply(_, bytes) => bytes.capacity(),
                Self::Failed(_, reason) => reason.capacity(),
                Self::Act(_) | Self::Wait(_) => 0,
            }
    }

    /// Does it, unless it may have to wait.
    pub(super) fn leave(self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        match self {
            // The caller may have given up.
            Self::Reply(port, bytes) => drop(port.send(bytes)),
            Self::Failed(port, reason) => told(fail(port, FailureReason::new(&reason))),
            Self::Act(act) => act(),
            Self::Wait(wait) => return Some(wait),
        }
        None
    }

    /// It is given up. Whoever waits for it hears why.
    pub(super) fn give_up(self, reason: &str) {
        if let Self::Reply(port, _) | Self::Failed(port, _) = self {
            told(fail(port, FailureReason::new(reason)));
        }
    }
}

/// They are given up. Whoever waits for one hears why.
pub(super) fn give_up(outputs: Vec<Output>, reason: &str) {
    for output in outputs {
        output.give_up(reason);
    }
}

/// Whoever has given up hears nothing, and whoever has no ear for a reason hears that there is no reply.
pub(crate) fn told(_: Told) {}

/// What an output takes beside what it carries.
const OUTPUT_OVERHEAD: usize = 128;
