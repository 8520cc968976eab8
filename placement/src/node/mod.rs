//! One node's part in its cluster: its lease, what it owns, and what it may do with that.
//!
//! Statements for the store come out through [`Node::poll_statement`], and what came of them goes in through [`Node::handle_outcome`].
//! All times are readings of CLOCK_BOOTTIME that are passed in. Nothing here asks the store's clock.

mod config;
mod ending;
mod event;
mod lease;
mod machine;
mod owned;
mod shards;

pub use config::{NodeConfig, Planner, Timing, plan};
pub use event::{Event, LossReason};
pub use machine::Node;

#[cfg(test)]
mod tests;
