//! Sockets: what a connection is made of, and its reader, outbox and writer. Nothing here knows actors or the meaning of
//! a message.

mod allocator;
mod chunks;
mod halves;
mod listen;
mod outbox;
mod reader;
mod stream;
pub mod tls;
mod writer;

/// The size, in bytes, from which a payload is not copied on its way: it is written from where it is, and read into a buffer of its
/// own unless it is there already. Smaller ones are copied with the frames around them.
pub(crate) const LARGE_PAYLOAD: usize = 16 << 10;

pub(crate) use halves::split;
pub(crate) use listen::bind;
pub(crate) use outbox::{Enqueued, FrameCounts, FrameKind, Outbox, OutboxError, Room};
pub(crate) use reader::{FrameReadError, FrameReader};
pub(crate) use stream::tls_socket;
pub use stream::{BoxRead, BoxWrite, ClusterBidiStream, IncomingEncryptionMode, NetworkStream};
pub(crate) use writer::write_outbox;

/// What the simulation of whole nodes runs.
#[cfg(any(test, feature = "simulation"))]
pub(crate) mod sim {
    pub use super::chunks::Chunks;
}
