//! The calls by which an actor is asked how far it has come, and what it is.
//!
//! Mailboxes of ractor have no length. But a serialized call that an actor can't decode is dropped, reply port and all, when its turn
//! comes. A *probe* is such a call: the end of its port says that the actor has come past it.

use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor::message::SerializedMessage;

/// The variant of a call that every actor drops unanswered when its turn comes: natives because they know no such
/// variant, guests because their host does.
pub const PROBE_VARIANT: &str = "\0probe";

/// The bytes for one actor after which a probe follows, wherever there is a limit on what waits for it.
pub const PROBE_EVERY: usize = 256 << 10;

/// The variant of a call that asks an actor what it is. The host of a guest answers it, with the bytes of the guest's
/// description: in version 1 if the call has no arguments, or in the newest up to the number that its only byte says. Natives drop it unanswered, because they know no such variant.
pub const DESCRIBE_VARIANT: &str = "\0describe";

/// A probe, and the receiver that ends when an actor has come past it: with an error, since nobody answers. A probe that can't be
/// delivered ends at once, as it should: an actor that has ended holds nothing.
pub fn probe() -> (SerializedMessage, OneshotReceiver<Vec<u8>>) {
    let (port, passed) = oneshot();
    let probe = SerializedMessage::Call {
        variant: PROBE_VARIANT.to_owned(),
        args: Vec::new(),
        reply: port.into(),
        metadata: None,
    };
    (probe, passed)
}
