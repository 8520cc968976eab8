//! Which node owns an entity, who may act for it, and how messages find it, as pure state machines.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

pub mod activation;
pub mod assign;
pub mod durable;
mod mutation;
pub mod node;
pub mod reminders;
pub mod routing;
pub mod statement;
pub mod words;

#[cfg(test)]
mod tests;
