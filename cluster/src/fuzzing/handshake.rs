//! A stranger: someone who hasn't the cookie, and says whatever it likes in whatever order.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::input::Input;
use super::{config, messages};
use crate::session::{CloseReason, DialDecision, Event, LocalChange, LocalSnapshot, Role, Session, Timing};
use crate::wire::{self, Auth, Message};

/// The most bytes that one message of a stranger's may be answered with.
const MAX_ANSWER: usize = 256;

/// Lets a stranger talk to one end of a handshake. It must never be let in, never learn anything but a name, a challenge
/// and the answer to its own, and never be kept for longer than a handshake may take.
pub fn handshake(data: &[u8]) {
    let mut input = Input::new(data);
    let role = if input.flag() { Role::Initiator } else { Role::Acceptor };
    let start = Instant::now();
    let mut end = Guarded {
        session: Session::new(config(role, 1, input.flag()), start),
        role,
        closed: false,
    };
    end.drain(&mut input);
    let mut now = start;
    while !input.is_empty() {
        end.step(&mut input, &mut now);
        end.drain(&mut input);
        assert!(!end.session.is_authenticated(), "a stranger was let in");
        assert_eq!(
            end.session.poll_timeout().is_none(),
            end.closed,
            "a deadline while it is open"
        );
    }
    end.session.handle_timeout(start + Timing::default().handshake);
    end.drain(&mut input);
    assert!(end.closed, "a stranger was kept");
}

/// The end that the stranger talks to.
struct Guarded {
    session: Session,
    role: Role,
    closed: bool,
}

impl Guarded {
    fn step(&mut self, input: &mut Input<'_>, now: &mut Instant) {
        let session = &mut self.session;
        match input.byte() % 16 {
            0..8 => session.handle_message(Message::Auth(messages::auth(input)), *now),
            8 => session.handle_message(Message::Control(messages::control(input)), *now),
            9 => {
                if let Some(message) = messages::raw(input) {
                    session.handle_message(message, *now);
                }
            }
            10 => {
                *now += Duration::from_millis(input.number() % 6_000);
                session.handle_timeout(*now);
            }
            // What the node may say at any time, if it is late.
            11 => {
                session.handle_admission(messages::status(input));
                session.handle_dial(if input.flag() {
                    DialDecision::GoOn
                } else {
                    DialDecision::AlreadyLinked
                });
            }
            12 => session.handle_election(input.flag().then(LocalSnapshot::default)),
            13 => session.handle_local(LocalChange::Spawned(messages::actor(input))),
            14 => session.handle_sessions(vec![messages::name(input)]),
            _ => {
                assert!(!session.handle_confirmation(*now), "there is nobody to confirm");
                if input.flag() {
                    session.handle_closed(CloseReason::ConnectionClosed);
                }
            }
        }
    }

    /// Takes everything that the session has to say, and has the node answer.
    fn drain(&mut self, input: &mut Input<'_>) {
        loop {
            self.sent();
            let Some(event) = self.session.poll_event() else { break };
            assert!(!self.closed, "{event:?} after the end");
            match event {
                Event::PeerNamed(_) if self.role == Role::Acceptor => {
                    self.session.handle_admission(messages::status(input));
                }
                Event::PeerNamed(_) => self.session.handle_dial(DialDecision::GoOn),
                Event::Closed(_) => self.closed = true,
                event => assert!(self.closed, "{event:?} because of a stranger"),
            }
        }
    }

    fn sent(&mut self) {
        let mut out = BytesMut::new();
        while let Some(message) = self.session.poll_transmit() {
            let allowed = match (&message, self.role) {
                (Message::Auth(Auth::Name(_) | Auth::ClientStatus(_) | Auth::ClientChallenge(_)), role) => {
                    role == Role::Initiator
                }
                (Message::Auth(Auth::ServerStatus(_) | Auth::ServerChallenge(_)), role) => role == Role::Acceptor,
                _ => false,
            };
            assert!(allowed, "{message:?} went to a stranger");
            wire::encode(&message, &mut out);
        }
        assert!(out.len() <= MAX_ANSWER, "{} bytes for a stranger", out.len());
    }
}
