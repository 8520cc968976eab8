//! A peer that has the cookie and means ill, or is broken.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::input::Input;
use super::{config, messages};
use crate::session::{CloseReason, DialDecision, Event, LocalChange, LocalSnapshot, Role, Session, SessionConfig};
use crate::wire::{Control, Message, ServerStatus};

/// Lets an authenticated peer send whatever it likes. What the session tells its node must be consistent: only new
/// actors spawn, only known ones join, leave and end, and every lookup agrees. Nothing but pings is answered unasked.
pub fn control(data: &[u8]) {
    let mut input = Input::new(data);
    let role = if input.flag() { Role::Initiator } else { Role::Acceptor };
    let mut now = Instant::now();
    let mut peer = Peer::new(authenticated(role, input.flag(), now));
    while !input.is_empty() {
        peer.step(&mut input, &mut now);
        peer.drain();
        assert_eq!(
            peer.session.poll_timeout().is_none(),
            peer.closed,
            "a deadline while it is open"
        );
        assert_eq!(
            peer.session.is_authenticated(),
            !peer.closed,
            "authenticated until the end"
        );
    }
}

/// A session at the end of an honest handshake between nodes that prove who they are.
pub(super) fn authenticated(role: Role, transitive: bool, now: Instant) -> Session {
    let other = match role {
        Role::Initiator => Role::Acceptor,
        Role::Acceptor => Role::Initiator,
    };
    authenticated_with(config(role, 1, transitive), config(other, 2, false), now)
}

/// The session of the first of two ends.
pub(super) fn authenticated_with(ours: SessionConfig, theirs: SessionConfig, now: Instant) -> Session {
    let mut ours = Session::new(ours, now);
    let mut theirs = Session::new(theirs, now);
    while hand_over(&mut ours, &mut theirs, now) | hand_over(&mut theirs, &mut ours, now) {}
    assert!(ours.is_authenticated(), "an honest handshake failed");
    ours
}

/// Takes what `from` has to say to `to`. True if it was something.
fn hand_over(from: &mut Session, to: &mut Session, now: Instant) -> bool {
    let mut busy = false;
    while let Some(message) = from.poll_transmit() {
        to.handle_message(message, now);
        busy = true;
    }
    while let Some(event) = from.poll_event() {
        if let Event::PeerNamed(_) = event {
            from.handle_admission(ServerStatus::Ok);
            from.handle_dial(DialDecision::GoOn);
        }
        busy = true;
    }
    busy
}

/// A session and what its node knows of the peer.
struct Peer {
    session: Session,
    known: BTreeSet<u64>,
    elected: bool,
    ready: bool,
    closed: bool,
    /// Confirmations that were asked for and have not come.
    unconfirmed: usize,
}

impl Peer {
    fn new(session: Session) -> Self {
        Self {
            session,
            known: BTreeSet::new(),
            elected: false,
            ready: false,
            closed: false,
            unconfirmed: 0,
        }
    }

    fn step(&mut self, input: &mut Input<'_>, now: &mut Instant) {
        match input.byte() % 16 {
            0..8 => self.message(Message::Control(messages::control(input)), *now),
            8 => {
                if let Some(message) = messages::raw(input) {
                    self.message(message, *now);
                }
            }
            9 => self.message(Message::Auth(messages::auth(input)), *now),
            10 => {
                *now += Duration::from_millis(input.number() % 20_000);
                if input.flag() {
                    self.session.handle_traffic(*now);
                }
                self.session.handle_timeout(*now);
            }
            11 => self.elect(input),
            12 => self.local(input),
            13 => self.unconfirmed += usize::from(self.session.handle_confirmation(*now)),
            14 => self.session.handle_sessions(vec![messages::name(input)]),
            _ => {
                if input.byte() == 0 {
                    self.session.handle_closed(CloseReason::ConnectionClosed);
                }
            }
        }
        // What the node does may have it say something at any length.
        while self.session.poll_transmit().is_some() {}
    }

    /// Hands a message to the session, which answers a ping and nothing else.
    fn message(&mut self, message: Message, now: Instant) {
        let answer = match &message {
            Message::Control(Control::Ping(timestamp)) if !self.closed => {
                Some(Message::Control(Control::Pong(*timestamp)))
            }
            _ => None,
        };
        let is_auth = matches!(message, Message::Auth(_));
        let pids = pids(&message);
        self.session.handle_message(message, now);
        assert_eq!(self.session.poll_transmit(), answer, "an answer that nobody asked for");
        assert_eq!(self.session.poll_transmit(), None, "more than one answer");
        self.drain();
        assert!(!is_auth || self.closed, "a handshake after the handshake");
        for pid in pids {
            let actor = self.session.peer_actor(pid);
            assert_eq!(actor.is_some(), self.known.contains(&pid), "whether {pid} is known");
            if let Some(name) = actor.and_then(|actor| actor.name) {
                self.lookup(&name);
            }
        }
    }

    /// Who is found by a name has it. A peer that gives one name to two need find neither.
    fn lookup(&self, name: &str) {
        if let Some(pid) = self.session.peer_actor_named(name) {
            let has = self.session.peer_actor(pid).and_then(|actor| actor.name);
            assert_eq!(has.as_deref(), Some(name), "who has the name");
        }
    }

    fn elect(&mut self, input: &mut Input<'_>) {
        let won = input.byte() != 0;
        self.session.handle_election(won.then(|| LocalSnapshot {
            actors: input.several(messages::actor),
            groups: input.several(messages::group_change),
        }));
        self.elected |= won;
    }

    fn local(&mut self, input: &mut Input<'_>) {
        let change = match input.byte() % 4 {
            0 => LocalChange::Spawned(messages::actor(input)),
            1 => LocalChange::Terminated(input.number()),
            2 => LocalChange::Joined(messages::group_change(input)),
            _ => LocalChange::Left(messages::group_change(input)),
        };
        self.session.handle_local(change);
    }

    fn drain(&mut self) {
        while let Some(event) = self.session.poll_event() {
            assert!(!self.closed, "{event:?} after the end");
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Spawned(actors) => {
                for actor in actors {
                    assert!(self.known.insert(actor.pid), "{} spawned twice", actor.pid);
                }
            }
            Event::Terminated(pids) => {
                for pid in pids {
                    assert!(self.known.remove(&pid), "{pid} ended without being there");
                }
            }
            Event::Joined(change) | Event::Left(change) => {
                assert!(!change.actors.is_empty(), "a change of nothing");
                for actor in change.actors {
                    assert!(self.known.contains(&actor.pid), "{} is not there", actor.pid);
                }
            }
            Event::Ready => {
                assert!(self.elected && !self.ready, "ready once, when both ends are");
                self.ready = true;
            }
            Event::Confirmed(count) => {
                assert!(0 < count && count <= self.unconfirmed, "{count} confirmations");
                self.unconfirmed -= count;
            }
            Event::PeerNamed(_) | Event::Authenticated => assert!(self.closed, "a second handshake"),
            Event::Refused(refused) => assert!(refused.count > 0, "nothing is refused"),
            Event::InterestTold | Event::Answered(_) => assert!(self.closed, "what nobody waits for"),
            Event::SessionsAsked(_)
            | Event::SessionsLearned(_)
            | Event::Pong(_)
            | Event::NameContested(_)
            | Event::Asked(_) => {}
            Event::Closed(_) => self.closed = true,
        }
    }
}

/// The pids that a message is about.
fn pids(message: &Message) -> Vec<u64> {
    let Message::Control(control) = message else {
        return Vec::new();
    };
    match control {
        Control::Spawn(actors) => actors.iter().map(|actor| actor.pid).collect(),
        Control::Terminate(pids) => pids.clone(),
        Control::PgJoin(change) | Control::PgLeave(change) => change.actors.iter().map(|actor| actor.pid).collect(),
        _ => Vec::new(),
    }
}
