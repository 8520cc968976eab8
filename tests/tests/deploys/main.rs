//! Replacing the code of real nodes: by command, on one node and on several, by watching files, and in the dev loop; and
//! states that outlive their nodes.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod checkpoints;
mod control;
mod dev;
mod dev_sources;
mod disks;
mod lab;
mod languages;
mod policies;
mod project_errors;
mod projects;
mod reloads;
mod rollouts;
mod sources;
mod tally;
mod traps;
mod uploads;
mod versions;
mod walks;
mod watches;
mod workshop;

/// Held by tests whose node is this process: actors have their names for the whole of it.
static ONE_NODE_HERE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
