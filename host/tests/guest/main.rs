//! Guests end to end, against components written by hand: what a sender, a supervisor and an operator notice.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails should panic"
)]

mod asks;
mod batches;
mod caching;
mod checkpoints;
mod commands;
mod complexity;
mod failing;
mod failures;
mod figures;
mod grants;
mod interface_faults;
mod interfaces;
mod life;
mod limits;
mod loading;
mod logs;
mod messages;
mod metrics;
mod needs;
mod old_worlds;
mod random;
mod randomness;
mod reload;
mod reload_failures;
mod reload_support;
mod sources;
mod support;
mod tiers;
mod turns;
mod world;
