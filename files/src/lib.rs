//! Files: reading those that users name (`reading`, and `secret` for secrets), and keeping the node's own (`own`, and `writers` for
//! who else may change them).
//!
//! Each step that may fail goes past [`point`], where a test can make it fail.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]

#[cfg(any(test, feature = "faults"))]
pub mod fault;
mod own;
#[cfg(unix)]
mod process;
mod reading;
mod secret;
mod step;
#[cfg(test)]
mod tests;
mod writers;

#[cfg(any(test, feature = "faults"))]
pub use fault::point;
pub use own::{
    aside, create, create_folder, folder_of, is_trouble, keep_new, lock, open_to_append, open_to_change, open_to_read,
    read_some, read_to_end, rehearse, remove, rename, rename_unsynced, replace, resize, restrict, sweep, sync,
    sync_folder, temporary, write,
};
pub use reading::{LARGEST, ReadError, check, read, read_pieces, without_mark};
pub use secret::read as read_secret;
pub use secret::{Exposure, Secret, SecretError, SecretFault};
pub use step::FileStep;
#[cfg(not(any(test, feature = "faults")))]
pub use step::point;
pub use writers::{ForeignWriter, Owner, Unguarded, Writable, check_writers, writer};
