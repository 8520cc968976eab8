//! Actors that exist once for each key: what their callers, their peers and an operator notice.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails should panic"
)]

mod guests;
