//! Replacing the code of real nodes: by command, on one node and on several, by watching files, and in the dev loop; and
//! states that outlive their nodes.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod checkpoints;
mod control;
mod dev;
mod disks;
mod lab;
mod languages;
mod reloads;
mod rollouts;
mod tally;
mod uploads;
mod versions;
mod watches;
