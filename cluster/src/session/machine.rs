//! The session itself: handshake, election, synchronization, health, end.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::event::{Event, LocalChange};
use super::handshake::{Credentials, Handshake, HandshakeStep};
use super::health::{Due, Health, Timing};
use super::ledger::PeerAccount;
use super::peer_actors::PeerActors;
use super::refusal::{EntryRefusal, EntryRefusals};
use super::{CloseReason, GroupInterest, Rival, Role, StockChallenge, StockPeers};
use crate::wire::{Actor, Auth, Control, GroupChange, HandshakeNonce, Message, NameMessage, ServerStatus, Timestamp};

mod interest;
mod opening;
mod words;

/// The most actors in one `Spawn` or `PgJoin`: some hundred kilobytes, far below any peer's frame limit.
const ACTORS_PER_MESSAGE: usize = 8_192;

/// The configuration of a session.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Our end.
    pub role: Role,
    /// Our own name; as initiator with the connection's nonce.
    pub local: NameMessage,
    /// The shared secret.
    pub cookie: String,
    /// Ask the peer for its other sessions once authenticated.
    pub transitive: bool,
    /// The waits.
    pub timing: Timing,
    /// Whether a peer may prove no more than the cookie.
    pub stock_peers: StockPeers,
    /// Our challenge to a stock peer: unpredictable.
    pub challenge: StockChallenge,
    /// Our part of what a peer proves that is not a stock one: fresh and unpredictable.
    pub nonce: HandshakeNonce,
    /// Any number. It spreads the pings of many sessions over time.
    pub jitter: u64,
    /// What the peer's actors are charged to.
    pub account: Arc<PeerAccount>,
    /// The groups that this node wants to know of; none for all. Its name has to announce an interest.
    pub interest: Option<GroupInterest>,
}

/// A node's decision about a peer that it has dialled, and that has said who it is but not proved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialDecision {
    /// Prove the cookie, and have it proved.
    GoOn,
    /// There is a session with that very node already: this connection is one too many.
    AlreadyLinked,
}

#[derive(Debug)]
enum SessionState {
    Handshake(Handshake),
    /// Both ends proved the cookie; the node decides whether this connection survives.
    Electing,
    Open,
    Closed,
}

/// The progress of the exchange of actors and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SyncProgress {
    Neither,
    WeSent,
    PeerSent,
    Done,
}

/// A session between this node and one other.
#[derive(Debug)]
pub struct Session {
    ours: Credentials,
    role: Role,
    transitive: bool,
    timing: Timing,
    jitter: u64,
    state: SessionState,
    sync: SyncProgress,
    handshake_deadline: Instant,
    health: Option<Health>,
    /// The timestamps of the pings that were sent for confirmations, oldest first.
    confirmations: VecDeque<Timestamp>,
    peer_actors: PeerActors,
    /// What the peer understands beyond the stock protocol.
    peer_capabilities: u32,
    interest: Option<GroupInterest>,
    peer_interest: Option<GroupInterest>,
    /// What this node has to tell when a session starts is yet to be told.
    is_snapshot_due: bool,
    /// The pids of actors that the peer was asked for, and has not said anything of.
    questions: HashSet<u64>,
    /// The pids of actors that the peer asked for before it could be told anything.
    early_questions: Vec<u64>,
    /// The peer was asked for its other sessions, and has not answered.
    awaits_sessions: bool,
    /// The peer has said that another node tried to take this one's name. An honest one says so once.
    is_contested: bool,
    /// The peer has said that it stops.
    peer_leaves: bool,
    transmits: VecDeque<Message>,
    events: VecDeque<Event>,
}

impl Session {
    /// Starts a session; as initiator it has its name to send at once.
    pub fn new(config: SessionConfig, now: Instant) -> Self {
        let mut transmits = VecDeque::new();
        if config.role == Role::Initiator {
            transmits.push_back(Message::Auth(Auth::Name(config.local.clone())));
        }
        Self {
            ours: Credentials {
                local: config.local,
                cookie: config.cookie,
                stock_peers: config.stock_peers,
                challenge: config.challenge,
                nonce: config.nonce,
            },
            role: config.role,
            transitive: config.transitive,
            jitter: config.jitter,
            state: SessionState::Handshake(Handshake::new(config.role)),
            sync: SyncProgress::Neither,
            handshake_deadline: now + config.timing.handshake,
            timing: config.timing,
            health: None,
            confirmations: VecDeque::new(),
            peer_actors: PeerActors::new(config.account),
            peer_capabilities: 0,
            interest: config.interest,
            peer_interest: None,
            is_snapshot_due: false,
            questions: HashSet::new(),
            early_questions: Vec::new(),
            awaits_sessions: false,
            is_contested: false,
            peer_leaves: false,
            transmits,
            events: VecDeque::new(),
        }
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Message> {
        self.transmits.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Session::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            SessionState::Handshake(_) => Some(self.handshake_deadline),
            SessionState::Electing | SessionState::Open => self.health.as_ref().map(Health::poll_timeout),
            SessionState::Closed => None,
        }
    }

    /// True once both ends have proved the cookie.
    pub fn is_authenticated(&self) -> bool {
        matches!(self.state, SessionState::Electing | SessionState::Open)
    }

    /// True once both ends have sent all that they had.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, SessionState::Open) && self.sync == SyncProgress::Done
    }

    /// The peer's actor with this pid, if it advertises one.
    pub(crate) fn peer_actor(&self, pid: u64) -> Option<Actor> {
        self.peer_actors.actor(pid)
    }

    /// The pid of the peer's actor with this name.
    pub(crate) fn peer_actor_named(&self, name: &str) -> Option<u64> {
        self.peer_actors.named(name)
    }

    /// A message of the handshake or the control plane arrived. Data messages don't come here.
    pub fn handle_message(&mut self, message: Message, now: Instant) {
        // A state that no arm puts back is `Closed`, so nothing that is forgotten here can leave a session half open.
        match (std::mem::replace(&mut self.state, SessionState::Closed), message) {
            // The reader may still hand over messages that had arrived when the session ended.
            (SessionState::Closed, _) => {}
            (SessionState::Handshake(handshake), Message::Auth(auth)) => self.step(handshake, auth, now),
            (SessionState::Handshake(handshake), message) => self.close(CloseReason::OutOfOrder {
                expected: handshake.expected(),
                got: message.kind(),
            }),
            (state @ (SessionState::Electing | SessionState::Open), Message::Control(control)) => {
                self.state = state;
                self.handle_control(control, now);
            }
            (SessionState::Electing | SessionState::Open, Message::Auth(auth)) => self.close(CloseReason::OutOfOrder {
                expected: "a control or data message",
                got: auth.kind(),
            }),
            (state, Message::Data(_) | Message::Unknown) => self.state = state,
        }
    }

    fn step(&mut self, handshake: Handshake, auth: Auth, now: Instant) {
        let mut out = Vec::new();
        let step = handshake.step(&self.ours, auth, &mut out);
        // Sent after a failed step as well: the step may have left a refusal for the peer.
        self.transmits.extend(out.into_iter().map(Message::Auth));
        match step {
            Ok(HandshakeStep::Continue(next)) => self.state = SessionState::Handshake(next),
            Ok(HandshakeStep::PeerNamed(name, next)) => {
                self.state = SessionState::Handshake(next);
                let flags = name.flags.unwrap_or_default();
                self.peer_capabilities = flags.capabilities;
                // It is proved before the peer can say anything of its actors, or 0.
                self.peer_actors.set_entities(flags.incarnation != 0);
                self.events.push_back(Event::PeerNamed(name));
            }
            Ok(HandshakeStep::Authenticated) => {
                self.state = SessionState::Electing;
                self.health = Some(Health::new(self.timing.silence, self.jitter, now));
                self.events.push_back(Event::Authenticated);
            }
            Err(reason) => self.close(reason),
        }
    }

    /// The node's answer to [`Event::PeerNamed`], as acceptor.
    pub fn handle_admission(&mut self, status: ServerStatus) {
        let mut out = Vec::new();
        match std::mem::replace(&mut self.state, SessionState::Closed) {
            SessionState::Handshake(handshake) => {
                let next = handshake.admit(&self.ours, status, &mut out);
                self.transmits.extend(out.into_iter().map(Message::Auth));
                match next {
                    Ok(next) => self.state = SessionState::Handshake(next),
                    Err(reason) => self.close(reason),
                }
            }
            state => self.state = state,
        }
    }

    /// The node's answer to [`Event::PeerNamed`], as initiator.
    pub fn handle_dial(&mut self, dial: DialDecision) {
        match (std::mem::replace(&mut self.state, SessionState::Closed), dial) {
            (SessionState::Handshake(Handshake::Decision(_)), DialDecision::AlreadyLinked) => {
                self.close(CloseReason::AlreadyLinked)
            }
            (SessionState::Handshake(handshake), DialDecision::GoOn) => {
                let mut out = Vec::new();
                self.state = SessionState::Handshake(handshake.go_on(&self.ours, &mut out));
                self.transmits.extend(out.into_iter().map(Message::Auth));
            }
            (state, _) => self.state = state,
        }
    }

    /// The node's answer to [`Event::Authenticated`] where another node has the peer's name, and stays.
    pub(crate) fn handle_rival(&mut self, name: String, rival: Rival) {
        if !matches!(self.state, SessionState::Electing) {
            return;
        }
        // Told before the end: the peer's own log then says where the other node is.
        self.tell_of(&rival, false);
        self.close(CloseReason::NameTaken { name, rival });
    }

    /// Something changed among the local actors. Before there was a snapshot this is in the one to come.
    pub fn handle_local(&mut self, change: LocalChange) {
        if !self.tells_changes() {
            return;
        }
        match change {
            LocalChange::Spawned(actor) => self.send(Control::Spawn(vec![actor])),
            LocalChange::Terminated(pid) => self.send(Control::Terminate(vec![pid])),
            LocalChange::Joined(change) => parts(change).for_each(|part| self.send(Control::PgJoin(part))),
            LocalChange::Left(change) => parts(change).for_each(|part| self.send(Control::PgLeave(part))),
        }
    }

    /// The node's answer to [`Event::SessionsAsked`].
    pub(crate) fn handle_sessions(&mut self, sessions: Vec<NameMessage>) {
        if matches!(self.state, SessionState::Open) {
            self.send(Control::NodeSessions(sessions));
        }
    }

    /// Asks for an [`Event::Confirmed`] once the peer has handled everything that it was sent until now. A node handles
    /// what it is sent in order, so its answer to a ping is the proof. False while the session isn't open.
    pub(crate) fn handle_confirmation(&mut self, now: Instant) -> bool {
        let (SessionState::Open, Some(health)) = (&self.state, &self.health) else {
            return false;
        };
        let ping = health.ping(now);
        self.confirmations.push_back(ping);
        self.send(Control::Ping(Some(ping)));
        true
    }

    /// Something was read from the peer since the last time this was asked.
    pub fn handle_traffic(&mut self, now: Instant) {
        if let Some(health) = &mut self.health {
            health.handle_traffic(now);
        }
    }

    /// The deadline of [`Session::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        match (&self.state, &mut self.health) {
            // The timer may be early, because it isn't made anew when a deadline moves to a later time.
            (SessionState::Handshake(_), _) if now >= self.handshake_deadline => {
                self.close(CloseReason::HandshakeTimeout(self.timing.handshake));
            }
            (SessionState::Electing | SessionState::Open, Some(health)) => match health.handle_timeout(now) {
                Due::Nothing => {}
                Due::Ping(timestamp) => self.send(Control::Ping(Some(timestamp))),
                Due::PeerSilent(silence) => self.close(CloseReason::PeerSilent(silence)),
            },
            _ => {}
        }
    }

    /// The connection ended, or the node ends it.
    pub fn handle_closed(&mut self, reason: CloseReason) {
        let reason = match (&self.state, reason) {
            // Reader, writer and node may each report an end, and the later ones follow from the first.
            (SessionState::Closed, _) => return,
            (SessionState::Handshake(handshake), CloseReason::ConnectionClosed) => handshake.reason_if_closed(),
            (_, CloseReason::ConnectionClosed | CloseReason::Io(_)) if self.peer_leaves => CloseReason::PeerLeft,
            (_, reason) => reason,
        };
        self.close(reason);
    }

    fn handle_control(&mut self, control: Control, now: Instant) {
        // A control message counts at once; the reader's note of it comes only with the next tick.
        self.handle_traffic(now);
        let mut refusals = EntryRefusals::default();
        if let Err(reason) = self.apply(control, now, &mut refusals) {
            self.close(reason);
        }
        if !refusals.is_empty() {
            self.events
                .extend(refusals.into_inner().into_iter().map(Event::Refused));
        }
    }

    fn apply(&mut self, control: Control, now: Instant, refusals: &mut EntryRefusals) -> Result<(), CloseReason> {
        match control {
            Control::Spawn(actors) => self.spawned(&actors, refusals),
            Control::PgJoin(mut change) => {
                // A member that was never advertised is advertised by joining: stock nodes see it so.
                self.spawned(&change.actors, refusals);
                let reserved = self.leave_out_reserved(&mut change);
                if reserved > 0 {
                    refusals.note(EntryRefusal::Reserved, reserved, || {
                        format!("a member of the group {:.60}", change.group)
                    });
                }
                if change.has_long_name() {
                    let spoken = || format!("group {:.60} of scope {:.60}", change.group, change.scope);
                    refusals.note(EntryRefusal::GroupName, change.actors.len(), spoken);
                } else {
                    self.grouped(change, Event::Joined);
                }
            }
            // Joins of such a group were left out and counted, so there is nothing to leave and nothing more to count.
            Control::PgLeave(change) if change.has_long_name() => {}
            Control::PgLeave(mut change) => {
                self.leave_out_reserved(&mut change);
                self.grouped(change, Event::Left);
            }
            Control::Terminate(pids) => {
                self.answered(pids.iter().copied());
                let known = self.peer_actors.terminate(pids);
                if !known.is_empty() {
                    self.events.push_back(Event::Terminated(known));
                }
            }
            // The answer keeps its place behind what the peer sent before, which is what a confirmation at the other end relies on.
            Control::Ping(timestamp) => self.send(Control::Pong(timestamp)),
            Control::Pong(timestamp) => {
                let latency = self.health.as_ref().and_then(|health| health.latency(timestamp, now));
                self.events.extend(latency.map(Event::Pong));
                self.confirmed(timestamp);
            }
            Control::EnumerateNodeSessions(asking) => self.events.push_back(Event::SessionsAsked(asking)),
            // Each answer is worth many connections, and nobody is asked twice.
            Control::NodeSessions(sessions) if std::mem::take(&mut self.awaits_sessions) => {
                self.events.push_back(Event::SessionsLearned(sessions));
            }
            Control::Ready => self.advance_sync(SyncProgress::PeerSent),
            Control::NameTaken(taken) => self.name_taken(&taken)?,
            Control::Leaving => self.peer_leaves = true,
            Control::Interest(wanted) => self.interest_told(wanted)?,
            Control::Ask(pid) => self.asked(pid),
            Control::NodeSessions(_) | Control::Unknown => {}
        }
        Ok(())
    }

    fn confirmed(&mut self, pong: Option<Timestamp>) {
        let answered = self.confirmations.iter().position(|ping| Some(*ping) == pong);
        if let Some(answered) = answered {
            // The peer handles what it is sent in order, so the answer to one ping is also the answer to all before it.
            self.confirmations.drain(..=answered);
            self.events.push_back(Event::Confirmed(answered + 1));
        }
    }

    fn spawned(&mut self, actors: &[Actor], refusals: &mut EntryRefusals) {
        let new = self.peer_actors.spawn(actors, refusals);
        if !new.is_empty() {
            self.events.push_back(Event::Spawned(new));
        }
        // Behind the event, since whoever has asked looks for the actor then.
        self.answered(actors.iter().map(|actor| actor.pid));
    }

    /// What of a change of a group is nobody's to make, for the group's name. Gives how many members are left out.
    fn leave_out_reserved(&self, change: &mut GroupChange) -> usize {
        change.retain_entitled(|actor| self.peer_actors.actor(actor.pid)?.name)
    }

    /// Of actors that were not taken, neither joins nor leaves count.
    fn grouped(&mut self, mut change: GroupChange, event: fn(GroupChange) -> Event) {
        change.actors.retain(|actor| self.peer_actors.contains(actor.pid));
        if !change.actors.is_empty() {
            self.events.push_back(event(change));
        }
    }

    fn advance_sync(&mut self, step: SyncProgress) {
        let next = match (self.sync, step) {
            (SyncProgress::Neither, step) => step,
            (SyncProgress::WeSent, SyncProgress::PeerSent) | (SyncProgress::PeerSent, SyncProgress::WeSent) => {
                SyncProgress::Done
            }
            // A peer that says `Ready` a second time must not make this session ready twice.
            (unchanged, _) => unchanged,
        };
        if next == SyncProgress::Done && self.sync != SyncProgress::Done {
            self.events.push_back(Event::Ready);
        }
        self.sync = next;
    }

    fn send(&mut self, control: Control) {
        self.transmits.push_back(Message::Control(control));
    }

    fn close(&mut self, reason: CloseReason) {
        self.state = SessionState::Closed;
        self.health = None;
        self.events.push_back(Event::Closed(reason));
    }
}

fn parts(change: GroupChange) -> impl Iterator<Item = GroupChange> {
    let GroupChange { scope, group, actors } = change;
    let parts: Vec<_> = actors.chunks(ACTORS_PER_MESSAGE).map(<[Actor]>::to_vec).collect();
    parts.into_iter().map(move |actors| GroupChange {
        scope: scope.clone(),
        group: group.clone(),
        actors,
    })
}
