//! Which groups the two ends want to know of, and actors that a peer is told of only when it asks.

use super::{Session, SessionState};
use crate::session::event::{Event, LocalChange};
use crate::session::{CloseReason, GroupInterest, Role, ToldGroups};
use crate::wire::{Actor, CAPABILITY_GROUPS, CAPABILITY_INTEREST, CAPABILITY_ON_DEMAND, Control};

/// The most actors that a peer may be asked for at a time.
const MAX_QUESTIONS: usize = 4_096;

impl Session {
    /// True if the peer has announced an interest in groups that it hasn't told yet. This node waits for it with what it has to tell.
    pub(crate) fn awaits_interest(&self) -> bool {
        // It tells those alone that understand it.
        self.announces(CAPABILITY_GROUPS)
            && self.peer_capabilities & CAPABILITY_INTEREST != 0
            && self.peer_interest.is_none()
            && !self.is_for_entities()
    }

    /// True if whoever opened the connection did so for entities alone.
    pub(crate) fn is_for_entities(&self) -> bool {
        match self.role {
            Role::Initiator => self.announces(CAPABILITY_ON_DEMAND),
            Role::Acceptor => self.peer_capabilities & CAPABILITY_ON_DEMAND != 0,
        }
    }

    /// True if this end's name says so.
    fn announces(&self, capability: u32) -> bool {
        self.ours.local.flags.unwrap_or_default().capabilities & capability != 0
    }

    /// What the peer is to be told of.
    pub(crate) fn audience(&self) -> ToldGroups {
        if self.is_for_entities() {
            ToldGroups::for_entities()
        } else {
            ToldGroups::new(self.peer_interest.clone())
        }
    }

    /// True once the peer is told of changes as they come. Until then they are in what it is told when the session starts.
    pub(crate) fn tells_changes(&self) -> bool {
        matches!(self.state, SessionState::Open) && !self.is_snapshot_due
    }

    /// What the peer wants to know of groups; none if it wants everything.
    pub(crate) fn peer_interest(&self) -> Option<&GroupInterest> {
        self.peer_interest.as_ref()
    }

    /// True if the peer keeps actors back until they are asked for.
    pub(crate) fn is_kept_back_from(&self) -> bool {
        (self.interest.is_some() || self.is_for_entities()) && self.peer_capabilities & CAPABILITY_GROUPS != 0
    }

    /// Tells the peer what this node wants, before the peer tells of anything.
    pub(super) fn tell_interest(&mut self) {
        if self.is_kept_back_from() && !self.is_for_entities() {
            let wanted = self.interest.as_ref().map(GroupInterest::to_wire).unwrap_or_default();
            self.send(Control::Interest(wanted));
        }
    }

    /// The peer says what it wants. Only the first word counts, and only where it was announced.
    pub(super) fn interest_told(&mut self, wanted: Vec<crate::wire::WantedGroups>) -> Result<(), CloseReason> {
        if !self.awaits_interest() {
            return Ok(());
        }
        self.peer_interest = Some(GroupInterest::from_wire(wanted)?);
        // While the node decides whether this connection survives, it hasn't asked for anything yet, and won't wait.
        if self.is_snapshot_due {
            self.events.push_back(Event::InterestTold);
        }
        Ok(())
    }

    /// Asks the peer for an actor that it may have kept back. An [`Event::Answered`] follows, unless the session ends. False if there are too
    /// many such questions, or there is nobody to ask.
    pub(crate) fn handle_question(&mut self, pid: u64) -> bool {
        if !matches!(self.state, SessionState::Open) {
            return false;
        }
        if self.peer_actors.contains(pid) || !self.is_kept_back_from() {
            self.events.push_back(Event::Answered(pid));
            return true;
        }
        if self.questions.len() >= MAX_QUESTIONS && !self.questions.contains(&pid) {
            return false;
        }
        if self.questions.insert(pid) {
            self.send(Control::Ask(pid));
        }
        true
    }

    /// The peer asks for an actor. It is answered behind what it is told when the session starts.
    pub(super) fn asked(&mut self, pid: u64) {
        if self.tells_changes() {
            self.events.push_back(Event::Asked(pid));
        } else if self.early_questions.len() < MAX_QUESTIONS {
            self.early_questions.push(pid);
        }
    }

    /// The node's answer to [`Event::Asked`]: the actor as it is advertised, if there is one.
    pub(crate) fn handle_answer(&mut self, pid: u64, actor: Option<Actor>) {
        self.handle_local(match actor {
            Some(actor) => LocalChange::Spawned(actor),
            None => LocalChange::Terminated(pid),
        });
    }

    /// The peer has said something of these actors: those that were asked for are answered.
    pub(super) fn answered(&mut self, pids: impl IntoIterator<Item = u64>) {
        if self.questions.is_empty() {
            return;
        }
        let answered = pids.into_iter().filter(|pid| self.questions.remove(pid));
        self.events.extend(answered.map(Event::Answered));
    }
}
