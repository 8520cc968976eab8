//! One end of a connection: a session and what its actor keeps beside it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::Time;
use super::model::{Change, Model, View};
use super::network::{Arrival, Side};
use crate::session::{CloseReason, DialDecision, LocalChange, LocalSnapshot, Role, Session};
use crate::wire::{self, GroupChange, ServerStatus};

/// What the session's actor has to handle.
#[derive(Debug)]
pub(super) enum Input {
    Arrived(Arrival),
    Changed(Change),
    Tick,
}

/// What the session's actor waits for from its node. Meanwhile it handles nothing.
#[derive(Debug)]
pub(super) enum Answer {
    Admission(ServerStatus),
    Dial(DialDecision),
    Lost,
    Won(LocalSnapshot),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Idle,
    /// Waiting for its node.
    Asking,
    /// It has closed its end of the connection.
    Ended,
}

#[derive(Debug)]
pub(super) struct End {
    pub(super) node: usize,
    pub(super) connection: usize,
    pub(super) side: Side,
    pub(super) session: Session,
    pub(super) condition: Condition,
    pub(super) inbox: VecDeque<Input>,
    /// Its node wants it to end.
    pub(super) stop: bool,
    /// The peer proved the cookie, and the node has not heard that this is over.
    pub(super) counts: bool,
    /// Another connection was elected in its place.
    pub(super) lost: bool,
    /// It hears of changes among its node's actors.
    pub(super) monitors: bool,
    /// What it has told the peer and not withdrawn.
    advertised: BTreeSet<u64>,
    /// What it was told of the peer.
    pub(super) view: View,
    /// When it is woken next.
    pub(super) wake: Option<Time>,
    /// What was sent to it before is handled before: its node's mailbox, and the two kinds of changes.
    pub(super) last_sent: [Time; 3],
    /// Why its node says it ended.
    pub(super) reason: Option<CloseReason>,
    /// Its actor has ended.
    pub(super) gone: bool,
}

impl End {
    pub(super) fn new(node: usize, connection: usize, side: Side, session: Session) -> Self {
        Self {
            node,
            connection,
            side,
            session,
            condition: Condition::Idle,
            inbox: VecDeque::new(),
            stop: false,
            counts: false,
            lost: false,
            monitors: false,
            advertised: BTreeSet::new(),
            view: View::default(),
            wake: None,
            last_sent: [0; 3],
            reason: None,
            gone: false,
        }
    }

    pub(super) fn role(&self) -> Role {
        match self.side {
            Side::Opened => Role::Initiator,
            Side::Accepted => Role::Acceptor,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.condition == Condition::Ended
    }

    /// Handles one input, with `model` as it is at this moment.
    pub(super) fn handle(&mut self, input: Input, model: &Model, now: Instant) {
        match input {
            Input::Arrived(Arrival::Frame(payload)) => match wire::decode(&payload) {
                Ok(message) => self.session.handle_message(message, now),
                Err(error) => self.session.handle_closed(error.into()),
            },
            Input::Arrived(Arrival::Closed(reason)) => self.session.handle_closed(reason),
            Input::Changed(change) => self.change(change, model),
            Input::Tick => self.session.handle_timeout(now),
        }
    }

    /// Tells the peer of a change, as the node's session actor does.
    fn change(&mut self, change: Change, model: &Model) {
        match change {
            Change::Spawned(actor) => {
                self.advertised.insert(actor.pid);
                self.session.handle_local(LocalChange::Spawned(actor));
            }
            Change::Terminated(pid) => {
                if self.advertised.remove(&pid) {
                    self.session.handle_local(LocalChange::Terminated(pid));
                }
            }
            Change::Joined(GroupChange {
                scope,
                group,
                mut actors,
            }) => {
                // Who has ended meanwhile must not be advertised again: nobody would ever withdraw it.
                actors.retain(|actor| model.actors.contains_key(&actor.pid));
                self.advertised.extend(actors.iter().map(|actor| actor.pid));
                self.session
                    .handle_local(LocalChange::Joined(GroupChange { scope, group, actors }));
            }
            Change::Left(change) => self.session.handle_local(LocalChange::Left(change)),
        }
    }

    /// Takes its node's answer, unless it was killed meanwhile.
    pub(super) fn answer(&mut self, answer: Answer) {
        if self.has_ended() {
            return;
        }
        self.condition = Condition::Idle;
        match answer {
            Answer::Admission(status) => self.session.handle_admission(status),
            Answer::Dial(dial) => self.session.handle_dial(dial),
            Answer::Lost => self.session.handle_election(None),
            Answer::Won(snapshot) => {
                self.advertised.extend(snapshot.actors.iter().map(|actor| actor.pid));
                self.session.handle_election(Some(snapshot));
            }
        }
    }
}
