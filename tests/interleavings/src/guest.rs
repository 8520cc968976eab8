//! The mailbox of a guest, what the host asks of its actor, and who waits for whom.

pub mod mailboxes;
pub mod waiting;
