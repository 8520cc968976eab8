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

pub(crate) use halves::split;
pub(crate) use listen::bind;
pub(crate) use outbox::{Outbox, OutboxError, Taken};
pub(crate) use reader::{FrameReader, ReadError};
pub(crate) use stream::tls_socket;
pub use stream::{BoxRead, BoxWrite, ClusterBidiStream, IncomingEncryptionMode, NetworkStream};
pub(crate) use writer::write_outbox;
