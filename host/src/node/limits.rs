//! The limits of a session.

use super::{DEFAULT_MAX_INBOUND_FRAME_SIZE, DEFAULT_MAX_MAILBOX_SIZE, DEFAULT_MAX_OUTBOX_SIZE};

/// The limits of a session, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionLimits {
    /// The largest inbound frame.
    pub(super) inbound_frame: u64,
    /// What may wait for the peer.
    pub(super) outbox: usize,
    /// What the peer sent and may wait for one local actor.
    pub(super) mailbox: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            inbound_frame: DEFAULT_MAX_INBOUND_FRAME_SIZE,
            outbox: DEFAULT_MAX_OUTBOX_SIZE,
            mailbox: DEFAULT_MAX_MAILBOX_SIZE,
        }
    }
}
