//! What nodes of this program tell each other about themselves, beyond what stock nodes do.

use std::time::Duration;

use super::{Session, SessionState};
use crate::session::event::Event;
use crate::session::handshake::shown;
use crate::session::{CloseReason, Rival};
use crate::wire::{CAPABILITY_NAME_TAKEN, Control, NameTaken};

impl Session {
    /// Another node with the peer's name tried to connect, and was turned away.
    pub(crate) fn handle_contested(&mut self, rival: &Rival) {
        if matches!(self.state, SessionState::Open) {
            self.tell_of(rival, true);
        }
    }

    /// This node stops in order, and the peer is to know.
    pub(crate) fn handle_leaving(&mut self) {
        // The capability says that the peer is a node of ours, and that it ignores what it doesn't know.
        if matches!(self.state, SessionState::Open) && self.peer_capabilities & CAPABILITY_NAME_TAKEN != 0 {
            self.send(Control::Leaving);
        }
    }

    pub(super) fn tell_of(&mut self, rival: &Rival, receiver_stays: bool) {
        if self.peer_capabilities & CAPABILITY_NAME_TAKEN != 0 {
            self.send(Control::NameTaken(NameTaken {
                address: rival.address.clone(),
                for_seconds: rival.since.as_secs(),
                receiver_stays,
            }));
        }
    }

    /// The peer says that another node has this one's name.
    pub(super) fn name_taken(&mut self, taken: &NameTaken) -> Result<(), CloseReason> {
        let rival = Rival {
            // What a peer says ends up in the log.
            address: shown(&taken.address),
            since: Duration::from_secs(taken.for_seconds),
        };
        if taken.receiver_stays {
            // Each is a line of the log.
            if !std::mem::replace(&mut self.is_contested, true) {
                self.events.push_back(Event::NameContested(rival));
            }
            return Ok(());
        }
        let name = self.ours.local.name.clone();
        Err(CloseReason::NameTaken { name, rival })
    }
}
