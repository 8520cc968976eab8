//! The outbox of a connection.

#[path = "../../../host/src/transport/chunks.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
mod chunks;
#[path = "../../../host/src/transport/outbox.rs"]
#[rustfmt::skip]
mod outbox;

pub mod outboxes;

mod allocator {
    pub(super) fn expect_large_payloads() {}
}
