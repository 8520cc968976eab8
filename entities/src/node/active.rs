//! An entity that is active, as its type reaches it.

use std::sync::Arc;
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor_host_directory::{Local, NotPut};

use crate::code::LiveEntity;
use crate::mailbox;
use crate::seat::Seat;

/// The time that an entity which may act no more has to send on what it has taken. The shortest margin between a node's own deadline and the end of
/// its lease is as long.
const MOMENT: Duration = Duration::from_secs(1);

/// An active entity.
#[derive(Clone)]
pub(super) struct Active(pub(super) Arc<ActiveParts>);

pub(super) struct ActiveParts {
    pub(super) local: Local,
    pub(super) seat: Seat,
    pub(super) live: Arc<dyn LiveEntity>,
}

impl Active {
    pub(super) fn put(&self, message: SerializedMessage) -> Result<(), NotPut> {
        self.0.seat.waits(&message);
        let put = self.hand_over(message);
        put.inspect_err(|not_put| self.0.seat.waits_no_more(&not_put.message))
    }

    fn hand_over(&self, message: SerializedMessage) -> Result<(), NotPut> {
        let Local { cell, inbox } = &self.0.local;
        if let Some(inbox) = inbox {
            return inbox.put(message).map(drop);
        }
        cell.send_serialized(message).map_err(|error| mailbox::refused(*error))
    }

    /// Has it end once it has handled what it has.
    pub(super) fn leave(&self) {
        drain(&self.0.local);
    }
}

fn drain(local: &Local) {
    if let Some(inbox) = &local.inbox {
        inbox.drains();
    }
    // It may have ended by now.
    drop(local.cell.drain());
}

/// Has an actor end that may act no more. One whose mailbox gives nothing back has a moment to send on what is in it; it handles nothing of that.
pub(super) fn end_at_once(local: &Local, gives_back: bool) {
    let cell = local.cell.clone();
    if gives_back {
        return cell.kill();
    }
    drain(local);
    tokio::spawn(async move {
        tokio::time::sleep(MOMENT).await;
        cell.kill();
    });
}
