//! What the actors of a node do: its own, and those of the ends of its connections.

use super::Time;
use super::end::{Answer, Condition, End, Input};
use super::model::Model;
use super::network::{Arrival, Side, frame};
use super::scenario::{Cut, SECOND};
use super::world::{Happening, IMPOSTOR, MAILBOX, Node, Trace, World};
use crate::session::tests::pair::{config, name, proving};
use crate::session::{CloseReason, DialDecision, Event, Role, Session};
use crate::wire::{NameMessage, ServerStatus};

/// What an end tells or asks its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Named(NameMessage),
    Admit(NameMessage),
    Elect,
    Closing(CloseReason),
}

impl World {
    /// Starts the session at one end of a connection.
    pub(super) fn start(&mut self, connection: usize, side: Side, nonce: u64) {
        let [node, peer] = [side, side.other()].map(|side| self.connections[connection].node(side));
        // Whoever has the wrong cookie gives the name of the node that its victim knows.
        let itself = self.random.chance(30);
        let (own, cookie) = match self.nodes.get(node) {
            Some(own) => (own, "cookie"),
            // Or its victim's own, incarnation and all.
            None if itself => (&self.nodes[peer], "guess"),
            None => (&self.nodes[1 - peer], "guess"),
        };
        let role = match side {
            Side::Opened => Role::Initiator,
            Side::Accepted => Role::Acceptor,
        };
        let port = if own.plan.name == "alpha" { 1 } else { 2 };
        let introduction = if own.plan.proves { proving } else { name };
        let mut config = config(role, introduction(own.plan.name, port, nonce), cookie);
        config.nonce = std::array::from_fn(|_| self.random.next() as u8);
        config.challenge = (self.random.next() as u32).into();
        config.jitter = self.random.next();
        let id = self.ends.len();
        let end = End::new(node, connection, side, Session::new(config, self.instant()));
        if let Some(node) = self.nodes.get_mut(node) {
            node.registry.insert(id, end.role());
        }
        self.ends.push(end);
        *self.connections[connection].end(side) = Some(id);
        self.work(id);
    }

    pub(super) fn input(&mut self, end: usize, input: Input) {
        self.ends[end].inbox.push_back(input);
        self.work(end);
    }

    pub(super) fn answer(&mut self, end: usize, answer: Answer) {
        self.ends[end].answer(answer);
        self.work(end);
    }

    /// Lets an end handle what it can.
    pub(super) fn work(&mut self, id: usize) {
        let now = self.instant();
        loop {
            self.pump(id);
            let end = &mut self.ends[id];
            if end.condition != Condition::Idle {
                break;
            }
            if end.stop {
                self.finish(id);
                break;
            }
            let Some(input) = end.inbox.pop_front() else { break };
            let nobody = Model::default();
            let model = self.nodes.get(end.node).map_or(&nobody, |node| &node.model);
            end.handle(input, model, now);
        }
        self.arm(id);
    }

    /// Carries out what the session of an end has decided, until it needs its node's word.
    fn pump(&mut self, id: usize) {
        while self.ends[id].condition == Condition::Idle {
            while let Some(message) = self.ends[id].session.poll_transmit() {
                self.send(id, Arrival::Frame(frame(&message)));
            }
            let Some(event) = self.ends[id].session.poll_event() else {
                break;
            };
            self.trace(Trace::Event {
                end: id,
                event: event.clone(),
            });
            self.ends[id].view.apply(&event);
            self.handle_event(id, event);
        }
    }

    fn handle_event(&mut self, id: usize, event: Event) {
        let end = &mut self.ends[id];
        match event {
            Event::PeerNamed(_) if end.node == IMPOSTOR => {
                end.session.handle_admission(ServerStatus::Ok);
                end.session.handle_dial(DialDecision::GoOn);
            }
            Event::PeerNamed(name) if end.role() == Role::Initiator => {
                end.condition = Condition::Asking;
                self.tell(id, Told::Named(name));
            }
            Event::PeerNamed(name) => {
                end.condition = Condition::Asking;
                self.tell(id, Told::Admit(name));
            }
            Event::Authenticated => {
                if end.node == IMPOSTOR || self.connections[end.connection].nodes.contains(&IMPOSTOR) {
                    self.violations
                        .push(format!("end {id} let someone in who has not the cookie"));
                }
                let end = &mut self.ends[id];
                (end.condition, end.counts) = (Condition::Asking, true);
                self.tell(id, Told::Elect);
            }
            Event::Closed(reason) => {
                end.stop = true;
                self.tell(id, Told::Closing(reason));
            }
            _ => {}
        }
    }

    fn tell(&mut self, end: usize, told: Told) {
        if self.ends[end].node != IMPOSTOR {
            let at = self.in_order(end, 0);
            self.schedule(at, Happening::Tell(end, told));
        }
    }

    /// What the node does about what an end tells it.
    pub(super) fn told(&mut self, id: usize, told: Told) {
        let node = self.ends[id].node;
        let Node { plan, registry, .. } = &mut self.nodes[node];
        let this = format!("{}@localhost", plan.name);
        match told {
            Told::Named(name) => {
                let is_linked = plan.links && registry.has_elected(&name.name);
                registry.name(id, &name.name, name.connection_id);
                let dial = if is_linked {
                    DialDecision::AlreadyLinked
                } else {
                    DialDecision::GoOn
                };
                self.answer(id, Answer::Dial(dial));
            }
            Told::Admit(name) => {
                registry.name(id, &name.name, name.connection_id);
                let admission = if plan.stock {
                    registry.check_name(&this, &name.name, name.connection_id)
                } else {
                    registry.check(&this, id)
                };
                self.trace(Trace::Admission { end: id, admission });
                self.check_admission(id, admission);
                self.answer(id, Answer::Admission(admission.into()));
            }
            Told::Elect => {
                let election = registry.elect(&this, id);
                let (won, ending) = election.map_or((false, Vec::new()), |one| (one.won, one.ending));
                self.check_election(id);
                self.trace(Trace::Elected {
                    end: id,
                    won,
                    ending: ending.clone(),
                });
                self.conclude(id, won, ending);
            }
            Told::Closing(reason) => {
                registry.over(id, reason);
                self.ends[id].counts = false;
            }
        }
    }

    /// Ends those that are in the way of an elected end, which begins when they are gone.
    fn conclude(&mut self, id: usize, won: bool, ending: Vec<usize>) {
        for end in &ending {
            // The node had not heard that these are over: it has just decided so.
            self.ends[*end].lost |= self.ends[*end].counts;
            let at = self.now + self.random.below(MAILBOX);
            self.schedule(at, Happening::Kill(*end));
        }
        if !won {
            self.ends[id].lost = true;
            self.answer(id, Answer::Lost);
        } else if ending.is_empty() {
            self.begin(id);
        } else {
            self.successions.push((id, ending));
        }
    }

    fn begin(&mut self, id: usize) {
        let at = self.now + self.random.below(MAILBOX);
        self.schedule(at, Happening::Monitor(id));
    }

    /// The actor of an end has ended: whoever waits for that may begin.
    pub(super) fn gone(&mut self, id: usize) {
        if std::mem::replace(&mut self.ends[id].gone, true) {
            return;
        }
        let node = self.ends[id].node;
        self.ends[id].reason = self.nodes[node].registry.remove(id);
        for (_, ending) in &mut self.successions {
            ending.retain(|end| *end != id);
        }
        let ready: Vec<_> = self
            .successions
            .extract_if(.., |(_, ending)| ending.is_empty())
            .collect();
        ready.into_iter().for_each(|(winner, _)| self.begin(winner));
    }

    /// Ends the actor of an end whatever it does.
    pub(super) fn kill(&mut self, id: usize) {
        if !self.ends[id].has_ended() {
            self.finish(id);
        }
        self.gone(id);
    }

    fn send(&mut self, from: usize, what: Arrival) {
        let end = &self.ends[from];
        let (connection, side) = (end.connection, end.side.other());
        let shortest = self.latency(self.connections[connection].node(side));
        let arrival = self.connections[connection].arrival(side, self.now, shortest, &mut self.random);
        if let Some(at) = arrival {
            self.schedule(at, Happening::Arrive { connection, side, what });
        }
    }

    /// The actor of an end stops: it writes what it has accepted, closes, and is gone in a while.
    fn finish(&mut self, id: usize) {
        self.send(id, Arrival::Closed(CloseReason::ConnectionClosed));
        self.trace(Trace::Ended { end: id });
        let stuck = self.connections[self.ends[id].connection].cut == Some(Cut::Silent);
        let end = &mut self.ends[id];
        end.condition = Condition::Ended;
        end.monitors = false;
        end.view = Default::default();
        end.inbox.clear();
        if end.node != IMPOSTOR {
            let mail = self.in_order(id, 0);
            let flush = if stuck { 5 * SECOND } else { self.random.below(50_000) };
            self.schedule(mail + flush, Happening::Gone(id));
        }
    }

    /// Sees to it that an end is woken in time.
    fn arm(&mut self, id: usize) {
        let end = &mut self.ends[id];
        let Some(due) = end.session.poll_timeout().filter(|_| end.condition == Condition::Idle) else {
            return;
        };
        // Rounded up, or it would be woken before the time and again at once.
        let due = due.saturating_duration_since(self.start).as_nanos().div_ceil(1_000) as Time;
        let due = due.max(self.now);
        if end.wake.is_none_or(|wake| due < wake) {
            end.wake = Some(due);
            self.schedule(due, Happening::Wake(id));
        }
    }
}
