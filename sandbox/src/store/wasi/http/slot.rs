//! A slot for one request.

use tokio::sync::OwnedSemaphorePermit;

use crate::accounting::family::Share;

/// The slot of one request, of the guest and of its family, until it and its response have ended.
pub(super) struct Slot {
    pub(super) _own: OwnedSemaphorePermit,
    pub(super) _family: Option<Share>,
}
