//! What others can make a node keep: each field that they fill has a row that says what bounds it, and is filled.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails should panic"
)]

mod protocol;
mod raw;
mod wire;
