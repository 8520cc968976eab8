//! That everything that can be filled has a bound, and what is filled stays within it.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails should panic"
)]

mod config;
mod fields;
mod fills;
#[path = "../hostile/guests.rs"]
mod guests;
#[cfg(target_os = "linux")]
mod hearsay;
mod protocol;
mod raw;
mod schema;
#[path = "../hostile/victims.rs"]
#[allow(dead_code, reason = "each of the targets that share it uses a part")]
mod victims;
mod wire;
