//! The memory that a message takes for as long as it waits.

use ractor::message::SerializedMessage;

/// The bytes that a waiting message takes beside those that it carries: a place of 112 bytes in ractor's queue, or of 104 in a
/// guest's mailbox and one in ractor's for its token, and an allocation for each part. Measured for a cast of a few bytes: 180 in
/// all.
pub const MESSAGE_OVERHEAD: usize = 256;

/// The bytes that a call takes besides: the port of its reply, and its place among those that wait for one. Measured: 200.
const CALL_OVERHEAD: usize = 200;

/// The bytes that a message takes for as long as it waits: everything that it carries, as it was allocated, and what holds it. All
/// limits on what waits count with this.
pub fn retained_bytes(message: &SerializedMessage) -> usize {
    let carried = |variant: &String, args: &Vec<u8>, metadata: &Option<Vec<u8>>| {
        // Capacities and not lengths, because a buffer keeps its whole allocation for as long as it waits.
        variant.capacity() + args.capacity() + metadata.as_ref().map_or(0, Vec::capacity)
    };
    MESSAGE_OVERHEAD
        + match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => carried(variant, args, metadata),
            SerializedMessage::Call {
                variant,
                args,
                metadata,
                ..
            } => CALL_OVERHEAD + carried(variant, args, metadata),
            SerializedMessage::CallReply(_, bytes) => bytes.capacity(),
        }
}
