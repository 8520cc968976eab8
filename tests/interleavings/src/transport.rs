//! The outbox of a connection.

#[path = "../../../cluster/src/transport/chunks.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
mod chunks;
#[path = "../../../cluster/src/transport/outbox.rs"]
#[rustfmt::skip]
mod outbox;

pub mod outboxes;

mod allocator {
    pub(super) fn expect_large_payloads() {}
}
