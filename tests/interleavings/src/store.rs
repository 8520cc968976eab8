//! The mailbox, and who waits for whom.

#[path = "../../../sandbox/src/store/mailbox.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
pub(crate) mod mailbox;
#[path = "../../../sandbox/src/store/waits.rs"]
#[rustfmt::skip]
pub(crate) mod waits;
