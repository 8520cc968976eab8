//! The supervisors of a node.
//!
//! For now there is one, [`Root`]: every actor of node.toml is linked to it, and it reports and counts what happens to
//! them. It restarts nothing.

mod root;

pub use root::{Counts, Root, RootError};
