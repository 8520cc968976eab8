//! Both ends of a connection, a network between them, and a clock that only the test moves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::session::{
    CloseReason, DialDecision, Event, LocalSnapshot, PeerAccount, PeerLedger, Role, Session, SessionConfig, StockPeers,
    Timing,
};
use crate::wire::{self, CAPABILITY_IDENTITY, Message, NameMessage, NodeFlags, ServerStatus};

/// One end: a session and what it is told by its node.
pub(super) struct End {
    pub(super) session: Session,
    /// The node's answer to the peer's name.
    pub(super) admission: ServerStatus,
    /// The node's answer to it, where it has dialled.
    pub(super) dial: DialDecision,
    /// The node's answer to authentication.
    pub(super) snapshot: Option<LocalSnapshot>,
    /// Everything that happened.
    pub(super) events: Vec<Event>,
    /// What is on its way here; none is the end of the connection.
    inbox: VecDeque<(Instant, Option<Message>)>,
    /// A frozen end handles nothing.
    pub(super) frozen: bool,
}

impl End {
    pub(super) fn closed(&self) -> Option<&CloseReason> {
        self.events.iter().find_map(|event| match event {
            Event::Closed(reason) => Some(reason),
            _ => None,
        })
    }

    pub(super) fn count(&self, event: &Event) -> usize {
        self.events.iter().filter(|other| *other == event).count()
    }
}

/// An initiator and an acceptor.
pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) latency: Duration,
    pub(super) initiator: End,
    pub(super) acceptor: End,
    /// What somebody on the way makes of a message.
    pub(super) tamper: fn(Message) -> Message,
}

pub(super) fn name(name: &str, port: u16, connection_id: u64) -> NameMessage {
    NameMessage {
        name: format!("{name}@localhost"),
        flags: Some(NodeFlags {
            version: 1,
            ..NodeFlags::default()
        }),
        connection_string: format!("localhost:{port}"),
        connection_id,
    }
}

/// The name of a node that proves who it is. Its port is its incarnation, too.
pub(super) fn proving(node: &str, port: u16, connection_id: u64) -> NameMessage {
    let mut name = name(node, port, connection_id);
    name.flags = Some(NodeFlags {
        version: 1,
        capabilities: CAPABILITY_IDENTITY,
        incarnation: u64::from(port),
        ..NodeFlags::default()
    });
    name
}

/// More than any test's peers have.
const PLENTY: usize = 1 << 30;

/// An account of a node that has no other.
pub(super) fn account(limit: usize) -> Arc<PeerAccount> {
    Arc::new(PeerAccount::new(Arc::new(PeerLedger::new(limit)), limit))
}

pub(super) fn config(role: Role, local: NameMessage, cookie: &str) -> SessionConfig {
    SessionConfig {
        role,
        local,
        cookie: cookie.to_owned(),
        transitive: false,
        timing: Timing::default(),
        stock_peers: StockPeers::default(),
        challenge: 0xdead_beef.into(),
        nonce: [role as u8; 16],
        jitter: 7,
        account: account(PLENTY),
        interest: None,
    }
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(
            config(Role::Initiator, name("alpha", 1, 99), "cookie"),
            config(Role::Acceptor, name("beta", 2, 0), "cookie"),
        )
    }

    pub(super) fn with(initiator: SessionConfig, acceptor: SessionConfig) -> Self {
        let now = Instant::now();
        let end = |config| End {
            session: Session::new(config, now),
            admission: ServerStatus::Ok,
            dial: DialDecision::GoOn,
            snapshot: Some(LocalSnapshot::default()),
            events: Vec::new(),
            inbox: VecDeque::new(),
            frozen: false,
        };
        Self {
            now,
            latency: Duration::from_millis(1),
            initiator: end(initiator),
            acceptor: end(acceptor),
            tamper: |message| message,
        }
    }

    /// Lets messages flow until both ends have nothing more to say; time passes only for their way.
    pub(super) fn settle(&mut self) {
        while self.step_once() {}
    }

    /// Lets `duration` pass, with every deadline on the way.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let awake = [&mut self.initiator, &mut self.acceptor]
                .into_iter()
                .filter(|side| !side.frozen);
            let due = awake.filter_map(|side| Some((side.session.poll_timeout()?, side)));
            let Some((next, side)) = due.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            side.session.handle_timeout(self.now);
        }
        self.now = end;
    }

    /// Ends the connection for both.
    pub(super) fn cut(&mut self) {
        for side in [&mut self.initiator, &mut self.acceptor] {
            side.session.handle_closed(CloseReason::ConnectionClosed);
        }
        self.settle();
    }

    fn step_once(&mut self) -> bool {
        let arrival = self.now + self.latency;
        let mut busy = transfer(&mut self.initiator, &mut self.acceptor, arrival, self.tamper);
        busy |= transfer(&mut self.acceptor, &mut self.initiator, arrival, self.tamper);
        let next = [&self.initiator, &self.acceptor]
            .into_iter()
            .filter(|end| !end.frozen)
            .filter_map(|end| end.inbox.front().map(|(at, _)| *at))
            .min();
        if let Some(next) = next {
            self.now = self.now.max(next);
            busy |= receive(&mut self.initiator, self.now);
            busy |= receive(&mut self.acceptor, self.now);
        }
        busy
    }
}

/// Moves what `from` has to send into the inbox of `to`, through its bytes, and lets its node answer.
fn transfer(from: &mut End, to: &mut End, arrival: Instant, tamper: fn(Message) -> Message) -> bool {
    let mut busy = false;
    while !from.frozen {
        let mut idle = true;
        while let Some(message) = from.session.poll_transmit() {
            let mut frame = BytesMut::new();
            wire::encode(&message, &mut frame);
            let payload = wire::split_frame(&mut frame, u64::MAX).unwrap().unwrap();
            assert_eq!(wire::decode(&payload).unwrap(), message, "what is sent is what arrives");
            to.inbox.push_back((arrival, Some(tamper(message))));
            idle = false;
        }
        // One event, then what it has the session send: as a node does it.
        if let Some(event) = from.session.poll_event() {
            match &event {
                Event::PeerNamed(_) => {
                    from.session.handle_admission(from.admission);
                    from.session.handle_dial(from.dial);
                }
                // What the peer wants doesn't matter here: what to tell it is the node's to decide.
                Event::Authenticated if from.session.awaits_interest() => from.session.handle_survival(),
                Event::Authenticated => from.session.handle_election(from.snapshot.clone()),
                Event::InterestTold => from.session.handle_snapshot(from.snapshot.clone().unwrap_or_default()),
                Event::Closed(_) => to.inbox.push_back((arrival, None)),
                _ => {}
            }
            from.events.push(event);
            idle = false;
        }
        if idle {
            break;
        }
        busy = true;
    }
    busy
}

fn receive(end: &mut End, now: Instant) -> bool {
    let mut busy = false;
    while !end.frozen && end.inbox.front().is_some_and(|(at, _)| *at <= now) {
        match end.inbox.pop_front() {
            Some((_, Some(message))) => end.session.handle_message(message, now),
            Some((_, None)) => end.session.handle_closed(CloseReason::ConnectionClosed),
            None => break,
        }
        busy = true;
    }
    busy
}
