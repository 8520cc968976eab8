//! The connections of a process: what their sessions decide, and how they come and go.

use std::sync::Arc;

use super::dialling::Dialled;
use super::link::{End, Side, wire_of};
use super::process::{Context, Effect, Event, Process, advertisement};
use super::{SECOND, Time};
use ractor_host_cluster::internals::wire::{
    self, Auth, CAPABILITY_CALL_FAILED, CAPABILITY_IDENTITY, CAPABILITY_NAME_TAKEN, Message, NameMessage, NodeFlags,
};
use ractor_host_cluster::internals::{
    CloseReason, DialDecision, Event as Decided, LocalSnapshot, PeerAccount, PeerLedger, Session, SessionConfig,
    StockPeers, Timing,
};
use ractor_host_cluster::internals::{PeerProof, SessionEnd};

/// What a peer may have of a node: more than any has.
const PEER_BYTES: usize = 1 << 30;

/// The time that a node has to answer that it is still there.
const ANSWER: Time = 3 * SECOND;

/// The longest time for an end that closes to write what it has accepted.
const FLUSH: Time = 5 * SECOND;

impl Process {
    pub(super) fn open(&mut self, wire: usize, dial: Option<Dialled>, context: &mut Context<'_>) {
        let (_, side) = wire_of(wire);
        let identity = if self.is_stock { 0 } else { CAPABILITY_IDENTITY };
        let local = NameMessage {
            name: self.name.clone(),
            flags: Some(NodeFlags {
                version: 1,
                capabilities: CAPABILITY_CALL_FAILED | CAPABILITY_NAME_TAKEN | identity,
                max_frame: 0,
                incarnation: self.incarnation,
            }),
            connection_string: format!("{}:1", self.name),
            connection_id: match side {
                Side::Opened => context.random.next().max(1),
                Side::Accepted => 0,
            },
        };
        let config = SessionConfig {
            role: side.role(),
            local,
            cookie: self.cookie.to_owned(),
            transitive: false,
            timing: Timing::default(),
            stock_peers: dial.map_or_else(StockPeers::default, |dial| dial.stock_peers),
            challenge: (context.random.next() as u32).into(),
            nonce: u128::from(context.random.next()).to_be_bytes(),
            jitter: context.random.next(),
            account: Arc::new(PeerAccount::new(Arc::new(PeerLedger::new(PEER_BYTES)), PEER_BYTES)),
            interest: None,
        };
        self.registry.insert(wire, side.role());
        let end = End::new(wire, dial, Session::new(config, context.now), context.time);
        self.ends.insert(wire, end);
    }

    pub(super) fn wake(&mut self, wire: usize, context: &mut Context<'_>) {
        let Some(end) = self.ends.get_mut(&wire) else { return };
        end.wake = None;
        if end.link.take_traffic() {
            end.session.handle_traffic(context.now);
        }
        end.link.sweep_calls(context.now);
        end.session.handle_timeout(context.now);
    }

    /// Carries out everything that a session has decided.
    pub(super) fn pump(&mut self, wire: usize, context: &mut Context<'_>) {
        loop {
            let Some(end) = self.ends.get_mut(&wire) else { return };
            let mut stock = Vec::new();
            while let Some(message) = end.session.poll_transmit() {
                if let (Message::Auth(Auth::ClientChallenge(reply)), Some(dial)) = (&message, end.dial)
                    && reply.nonce.is_none()
                {
                    stock.push(dial);
                }
                if end
                    .link
                    .outbox()
                    .push_control(|out| wire::encode(&message, out))
                    .is_err()
                {
                    end.session.handle_closed(CloseReason::ConnectionClosed);
                }
            }
            let event = end.session.poll_event();
            for dial in stock {
                self.answers_stock_challenge(dial, context);
            }
            let Some(event) = event else { break };
            self.decided(wire, event, context);
        }
        let Some(end) = self.ends.get_mut(&wire) else { return };
        if let Some(at) = end.session.poll_timeout() {
            let at = context.time + context.until(at);
            if end.wake.is_none_or(|wake| at < wake) {
                end.wake = Some(at);
                context.after(at - context.time, Event::Wake(wire));
            }
        }
    }

    fn decided(&mut self, wire: usize, event: Decided, context: &mut Context<'_>) {
        let Some(end) = self.ends.get_mut(&wire) else { return };
        match event {
            Decided::PeerNamed(name) => {
                let flags = name.flags.unwrap_or_default();
                end.link.set_peer(flags);
                end.incarnation = flags.incarnation;
                end.peer = Some(name.name.clone());
                let is_linked = self.is_linked(&name.name, flags.incarnation);
                self.registry.name(wire, &name.name, name.connection_id);
                let Some(end) = self.ends.get_mut(&wire) else { return };
                match end.side {
                    Side::Opened if is_linked => end.session.handle_dial(DialDecision::AlreadyLinked),
                    Side::Opened => end.session.handle_dial(DialDecision::GoOn),
                    Side::Accepted => end
                        .session
                        .handle_admission(self.registry.check(&self.name, wire).into()),
                }
            }
            // The incumbent is asked whether it is still there, which one that was started anew is not.
            Decided::Authenticated => {
                end.is_proved = true;
                match self.incumbent(wire) {
                    Some(_) => context.after(ANSWER, Event::Elect(wire)),
                    None => self.elect(wire, context),
                }
            }
            Decided::Ready => end.was_ready = true,
            Decided::Spawned(actors) => {
                end.link.add_remote(actors.iter().map(|actor| actor.pid));
                let named = actors.into_iter().filter_map(|actor| Some((actor.name?, actor.pid)));
                end.actors.extend(named);
            }
            Decided::Terminated(pids) => {
                end.actors.retain(|_, pid| !pids.contains(pid));
                end.link.remove_remotes(pids);
            }
            Decided::Closed(reason) => {
                context.trace(format!("wire {wire} closes: {reason}"));
                self.close(wire, reason, context);
            }
            _ => {}
        }
    }

    /// True if there is a link to the node that this is said to be.
    fn is_linked(&self, name: &str, incarnation: u64) -> bool {
        let mut ends = self.ends.iter();
        ends.any(|(wire, end)| {
            self.registry.is_elected(*wire) && end.peer.as_deref() == Some(name) && end.incarnation == incarnation
        })
    }

    /// A link to another node of the name that the peer of this one has.
    fn incumbent(&self, wire: usize) -> Option<usize> {
        let newcomer = self.ends.get(&wire)?;
        let mut ends = self.ends.iter();
        let incumbent = ends.find(|(other, end)| {
            self.registry.is_elected(**other) && end.peer == newcomer.peer && end.incarnation != newcomer.incarnation
        });
        incumbent.map(|(wire, _)| *wire)
    }

    pub(super) fn elect_in_place_of(&mut self, wire: usize, context: &mut Context<'_>) {
        if self.ends.get(&wire).is_none_or(|end| end.closed.is_some()) {
            return;
        }
        if let Some(incumbent) = self.incumbent(wire) {
            self.kill(incumbent);
        }
        self.elect(wire, context);
    }

    /// As when the actor of a session is killed: nobody is called back, and what was accepted is written.
    fn kill(&mut self, wire: usize) {
        if let Some(end) = self.ends.get_mut(&wire) {
            end.link.shut();
            end.session.handle_closed(CloseReason::DuplicateConnection);
        }
        self.registry.remove(wire);
    }

    fn elect(&mut self, wire: usize, context: &mut Context<'_>) {
        let is_stranger = self.computer >= self.count;
        if is_stranger {
            let found = format!("a stranger was let in as {} by wire {wire}", self.name);
            context.history.violation(found);
        }
        let election = self.registry.elect(&self.name, wire);
        let (won, ending) = election.map_or((false, Vec::new()), |one| (one.won, one.ending));
        for loser in ending {
            self.kill(loser);
        }
        let snapshot = LocalSnapshot {
            actors: self.guests.values().map(advertisement).collect(),
            groups: Vec::new(),
        };
        if let Some(end) = self.ends.get_mut(&wire) {
            end.session.handle_election(won.then_some(snapshot));
        }
    }

    /// What an end has accepted is written before it goes, if anybody reads it.
    fn close(&mut self, wire: usize, reason: CloseReason, context: &mut Context<'_>) {
        let Some(end) = self.ends.get_mut(&wire) else { return };
        self.registry.over(wire, reason.clone());
        // Whoever waits for a reply hears it now.
        end.link.fail_all_calls();
        let is_dead = reason.is_link_dead();
        end.closed = Some(reason);
        if is_dead {
            end.link.outbox().abandon();
            self.gone(wire, context);
        } else {
            end.link.outbox().close();
            context.after(FLUSH, Event::Expire(wire));
        }
    }

    pub(super) fn gone(&mut self, wire: usize, context: &mut Context<'_>) {
        if let Some(end) = self.ends.remove(&wire) {
            end.link.shut();
            self.registry.remove(wire);
            context.effects.push(Effect::Close { wire });
            if let Some(dial) = end.dial {
                let proof = match (end.is_proved, end.incarnation) {
                    (false, _) => PeerProof::Nothing,
                    (true, 0) => PeerProof::Cookie,
                    (true, _) => PeerProof::Identity,
                };
                let ended = SessionEnd {
                    reason: end.closed.unwrap_or(CloseReason::ConnectionClosed),
                    peer: end.peer,
                    proof,
                    was_ready: end.was_ready,
                };
                self.dial_ended(dial, ended, context);
            }
        }
    }

    /// Ends all connections in order.
    pub(super) fn close_all(&mut self) {
        for end in self.ends.values_mut() {
            end.session.handle_closed(CloseReason::Local);
        }
    }
}
