//! What the fuzz targets call: bytes in, a panic if something that must hold doesn't. Hidden, and only there with the
//! feature `fuzzing` or in this crate's own tests, which replay the corpora in `fuzz/` and mutations of them.
//!
//! The bytes are read as instructions (see `input`), so that a fuzzer gets past the first message.

mod configuration;
mod imports;
mod records;

pub use configuration::configuration;
pub use imports::imports;
use ractor_host_cluster::fuzzing::input;
pub use ractor_host_cluster::fuzzing::{control, derive, frame, handshake, micro};
pub use records::{database, records};

/// What the control actor is asked by somebody without the control key, and what its clients are answered.
pub fn requests(bytes: &[u8]) {
    crate::control::fuzzing::requests(bytes);
}

#[cfg(test)]
mod tests;
