//! How a session opens: what the two ends tell each other when both have proved the cookie.

use super::{ACTORS_PER_MESSAGE, Session, SessionState, SyncProgress, parts};
use crate::session::CloseReason;
use crate::session::event::{Event, LocalSnapshot};
use crate::wire::Control;

impl Session {
    /// The node's answer to [`Event::Authenticated`]: what to tell the peer, or none if another connection survives.
    pub fn handle_election(&mut self, won: Option<LocalSnapshot>) {
        match won {
            Some(snapshot) => {
                self.handle_survival();
                self.handle_snapshot(snapshot);
            }
            // The session may have ended while the node was deciding.
            None if matches!(self.state, SessionState::Electing) => self.close(CloseReason::DuplicateConnection),
            None => {}
        }
    }

    /// As [`handle_election`](Self::handle_election) where this connection survives, and what to tell the peer
    /// [depends](Self::awaits_interest) on what it wants: an [`Event::InterestTold`] follows.
    pub(crate) fn handle_survival(&mut self) {
        if !matches!(self.state, SessionState::Electing) {
            return;
        }
        self.state = SessionState::Open;
        self.is_snapshot_due = true;
        // First of all: the peer waits for it with everything.
        self.tell_interest();
        if self.transitive {
            let mut asking = self.ours.local.clone();
            asking.connection_id = 0;
            self.send(Control::EnumerateNodeSessions(asking));
            self.awaits_sessions = true;
        }
    }

    /// What to tell the peer when the session starts. Changes among the local actors are sent behind it.
    pub(crate) fn handle_snapshot(&mut self, snapshot: LocalSnapshot) {
        if !matches!(self.state, SessionState::Open) || !std::mem::take(&mut self.is_snapshot_due) {
            return;
        }
        // Actors before the groups that they are in, and `Ready` behind everything that it vouches for.
        for actors in snapshot.actors.chunks(ACTORS_PER_MESSAGE) {
            self.send(Control::Spawn(actors.to_vec()));
        }
        for change in snapshot.groups {
            for part in parts(change) {
                self.send(Control::PgJoin(part));
            }
        }
        self.send(Control::Ready);
        self.advance_sync(SyncProgress::WeSent);
        // Behind the groups: an answer is a change like any other.
        let early = std::mem::take(&mut self.early_questions);
        self.events.extend(early.into_iter().map(Event::Asked));
    }
}
