//! The peers of a process: the machine that ships decides which addresses are dialled when.
//!
//! Beside it, each address has a record of what happened there: after a link that worked it is dialled again within [`AGAIN`]. Whatever its node or a stranger said, it is dialled again within
//! [`IDLE`], or within [`IDLE_OWN`] if it proved to be this very node; and where a node proved who it is, this one answers no stock
//! challenge for [`IDENTIFIED`].

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::process::{Context, Effect, Event, Process};
use super::{SECOND, Time};
use ractor_host_cluster::internals::{Backoff, DialCommand, DialEvent, Dialling, PeerProof, SessionEnd};
use ractor_host_cluster::internals::{CloseReason, StockPeers};

/// The time until an address is dialled again whose session was ready: the shortest wait, and a look-up that is slow.
const AGAIN: Time = 6 * SECOND;

/// The time for which an address may be left alone: a minute for what it said, a quarter of one for the failures before, and the look-up.
const IDLE: Time = 85 * SECOND;

/// The time for which an address may be left alone that proved to be this very node.
const IDLE_OWN: Time = 310 * SECOND;

/// The longest interval between look-ups of a name, with the time that one may take.
const LOOK_UP: Time = 36 * SECOND;

/// The time for which nobody has a session at an address without a proof who it is, once a node there has given one.
const IDENTIFIED: Time = 600 * SECOND;

/// What a process is told to stay connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// This computer.
    Computer(usize),
    /// All of them, its own included, as the name of a headless service has them.
    Service,
}

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialled {
    /// Which of the peers it is for.
    pub(super) peer: usize,
    pub(super) addr: SocketAddr,
    pub(super) stock_peers: StockPeers,
}

/// See the module.
pub(super) struct Peer {
    pub(super) name: Name,
    machine: Dialling,
    /// The time of the next look-up, if there is one.
    wake: Option<Time>,
    is_looking: bool,
    /// When it was looked up last.
    looked_up: Time,
    /// Addresses whose nodes are said to be linked otherwise, and until when that is awaited.
    linked: Vec<(SocketAddr, String, Time)>,
    addresses: BTreeMap<SocketAddr, Record>,
}

/// What happened at an address.
#[derive(Debug, Default)]
struct Record {
    /// When it was over with the last attempt; none while one is under way.
    over: Option<Time>,
    is_own: bool,
    /// The last session there was ready, and nothing keeps the address from being dialled soon.
    is_prompt: bool,
    /// When the last session there ended whose peer had proved who it is.
    identified: Option<Time>,
}

fn jitter(context: &mut Context<'_>) -> f64 {
    context.random.below(1_001) as f64 / 1_000.0
}

impl Process {
    pub(super) fn start_dialling(&mut self, context: &mut Context<'_>) {
        let peers = self.names.iter().map(|name| Peer {
            name: *name,
            machine: Dialling::new(Backoff::default(), context.now),
            wake: None,
            is_looking: false,
            looked_up: context.time,
            linked: Vec::new(),
            addresses: BTreeMap::new(),
        });
        self.peers = peers.collect();
    }

    /// It may be time to look a peer up.
    pub(super) fn look_up(&mut self, index: usize, context: &mut Context<'_>) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        peer.wake = None;
        if !peer.is_looking && peer.machine.poll_timeout() <= context.now {
            peer.is_looking = true;
            let name = peer.name;
            context.effects.push(Effect::LookUp { peer: index, name });
        }
    }

    /// A look-up is over.
    pub(super) fn looked_up(&mut self, index: usize, found: Option<&[SocketAddr]>, context: &mut Context<'_>) {
        let jitter = jitter(context);
        let Some(peer) = self.peers.get_mut(index) else { return };
        peer.is_looking = false;
        peer.looked_up = context.time;
        match found {
            Some(addresses) => {
                peer.addresses
                    .retain(|addr, record| record.over.is_none() || addresses.contains(addr));
                peer.machine.handle_resolved(addresses, context.now);
            }
            None => {
                peer.addresses.values_mut().for_each(|record| record.is_prompt = false);
                peer.machine
                    .handle_not_resolved("no answer".to_owned(), jitter, context.now);
            }
        }
    }

    pub(super) fn not_dialled(&mut self, dial: Dialled, context: &mut Context<'_>) {
        let jitter = jitter(context);
        let Some(peer) = self.peers.get_mut(dial.peer) else {
            return;
        };
        peer.over(dial.addr, context.time);
        peer.machine
            .handle_failed(dial.addr, "refused".to_owned(), jitter, context.now);
    }

    /// The session of an attempt has ended.
    pub(super) fn dial_ended(&mut self, dial: Dialled, end: SessionEnd, context: &mut Context<'_>) {
        let jitter = jitter(context);
        let Some(peer) = self.peers.get_mut(dial.peer) else {
            return;
        };
        let record = peer.over(dial.addr, context.time);
        record.is_own = end.reason == CloseReason::SelfConnection;
        record.is_prompt = end.was_ready && end.reason != CloseReason::DuplicateConnection;
        if end.proof == PeerProof::Identity {
            record.identified = Some(context.time);
        }
        peer.machine.handle_ended(dial.addr, end, jitter, context.now);
    }

    /// Carries out what the machines have decided.
    pub(super) fn poll_dialling(&mut self, context: &mut Context<'_>) {
        let links = self.ends.iter().filter(|(wire, _)| self.registry.is_elected(**wire));
        let linked: Vec<String> = links.filter_map(|(_, end)| end.peer.clone()).collect();
        for (index, peer) in self.peers.iter_mut().enumerate() {
            let awaited = std::mem::take(&mut peer.linked);
            for (addr, node, until) in awaited {
                if until <= context.time || !linked.contains(&node) {
                    let jitter = jitter(context);
                    peer.machine.handle_unlinked(addr, jitter, context.now);
                } else {
                    peer.linked.push((addr, node, until));
                }
            }
            while let Some(step) = peer.machine.poll_command() {
                match step {
                    DialCommand::Dial { addr, stock_peers } => {
                        let is_new = !peer.addresses.contains_key(&addr);
                        let record = peer.addresses.entry(addr).or_default();
                        if let Some(wrong) = record.dialled(is_new, context) {
                            let computer = self.computer;
                            context
                                .history
                                .violation(format!("computer {computer} dials {addr} {wrong}"));
                        }
                        context.effects.push(Effect::Open(Dialled {
                            peer: index,
                            addr,
                            stock_peers,
                        }));
                    }
                    DialCommand::AwaitUnlinked { addr, node, at_most } => {
                        let at_most = at_most.as_micros() as Time;
                        peer.linked.push((addr, node, context.time + at_most));
                        context.after(at_most, Event::Unlinked);
                        if !linked.contains(&peer.linked.last().unwrap().1) {
                            context.after(0, Event::Unlinked);
                        }
                    }
                }
            }
            while let Some(news) = peer.machine.poll_event() {
                if let DialEvent::Own(addr) = news {
                    context.trace(format!("{addr} is this very node"));
                }
            }
            let at = context.time + context.until(peer.machine.poll_timeout());
            if !peer.is_looking && peer.wake.is_none_or(|wake| at < wake) {
                peer.wake = Some(at);
                context.after(at - context.time, Event::LookUp(index));
            }
        }
    }

    /// This node is about to prove the cookie, and nothing else, at an address.
    pub(super) fn answers_stock_challenge(&self, dial: Dialled, context: &mut Context<'_>) {
        let record = self
            .peers
            .get(dial.peer)
            .and_then(|peer| peer.addresses.get(&dial.addr));
        let identified = record.and_then(|record| record.identified);
        if identified.is_some_and(|at| at + IDENTIFIED > context.time) {
            context.history.violation(format!(
                "computer {} answers a stock challenge at {}, where a node proved who it is",
                self.computer, dial.addr
            ));
        }
    }

    /// The addresses that have been left alone for too long, when everything has been well since `calm`.
    pub(super) fn left_alone(&self, calm: Time, now: Time) -> Vec<String> {
        let addresses = self.peers.iter().flat_map(|peer| &peer.addresses);
        let idle = addresses.filter(|(_, record)| {
            let most = if record.is_own { IDLE_OWN } else { IDLE };
            record.over.is_some_and(|over| over.max(calm) + most < now)
        });
        let idle = idle.map(|(addr, record)| format!("has not dialled {addr} since {:?}", record.over));
        let old = self.peers.iter().filter(|peer| peer.looked_up + LOOK_UP < now);
        idle.chain(old.map(|peer| format!("has not looked {:?} up since {}", peer.name, peer.looked_up)))
            .collect()
    }
}

impl Record {
    /// The address is dialled. Gives what is wrong with that.
    fn dialled(&mut self, is_new: bool, context: &Context<'_>) -> Option<String> {
        let Some(over) = self.over.take() else {
            return (!is_new).then(|| "though it does already".to_owned());
        };
        let idle = context.time - over;
        let is_late = self.is_prompt && over >= context.thawed && idle > AGAIN;
        is_late.then(|| format!("as late as {idle} us after a session that was ready"))
    }
}

impl Peer {
    fn over(&mut self, addr: SocketAddr, now: Time) -> &mut Record {
        let record = self.addresses.entry(addr).or_default();
        (record.over, record.is_prompt) = (Some(now), false);
        record
    }
}
