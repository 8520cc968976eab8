//! Which addresses of a peer are dialled, and when: a machine without a task, a socket or a clock of its own.
//!
//! Addresses and the outcomes of attempts go in through `handle_*`, with the time and, where a wait is chosen, a random number.
//! Commands, events for the log and the time of the next look-up come out through `poll_*`. The connector carries them out, and so
//! does the simulation of whole nodes.
//!
//! No answer keeps an address from being dialled for good, since another node may have answered in its place. An address whose node
//! is linked by another connection is dialled again in a while, or when that link ends; so is one that has proved to be this very
//! node.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::session_end::{PeerProof, SessionEnd};
use crate::session::{CloseReason, StockPeers};
use crate::wire::ServerStatus;

/// The interval at which a name is resolved while all of its addresses are connected.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// The time for which an address is believed that says that its node is linked already: it has proved nothing.
const LINKED: Duration = Duration::from_secs(60);

/// The time for which an address that led to this very node is left alone. A relay may lead to this node for a while and to another
/// one later.
const OWN: Duration = Duration::from_secs(300);

/// The time for which an address where a node proved its identity gets no session with a node that doesn't. Otherwise an impostor
/// at that address could make this node answer stock challenges.
const IDENTIFIED: Duration = Duration::from_secs(600);

/// The waits between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure. It doubles with each further one.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(15),
        }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row; `jitter`, between 0 and 1, takes up to a half off it, so that nodes
    /// that lost each other at one moment don't meet again at one moment.
    fn wait(&self, failures: u32, jitter: f64) -> Duration {
        // The exponent is bounded because failures add up for as long as the node runs.
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// A command to whoever runs the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialCommand {
    /// Dial this address. The outcome goes to [`handle_failed`](Dialling::handle_failed) or
    /// [`handle_ended`](Dialling::handle_ended).
    Dial {
        /// The address.
        addr: SocketAddr,
        /// Whether a node there may prove no more than the cookie.
        stock_peers: StockPeers,
    },
    /// The node at this address says that it is linked already. Call [`handle_unlinked`](Dialling::handle_unlinked) when that link
    /// has ended, or after the longest wait.
    AwaitUnlinked {
        /// The address.
        addr: SocketAddr,
        /// The full name of the node.
        node: String,
        /// The longest wait.
        at_most: Duration,
    },
}

/// An event that is worth a line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialEvent {
    /// The name could not be resolved.
    NotResolved {
        /// The error.
        why: String,
        /// The wait until the next attempt.
        retry_in: Duration,
    },
    /// There is no connection to this address.
    NotConnected {
        /// The address.
        addr: SocketAddr,
        /// The error, or why the session ended.
        why: String,
        /// The wait until the next attempt.
        retry_in: Duration,
    },
    /// The address has proved to be this very node's, for the first time in a row.
    Own(SocketAddr),
}

/// See the module.
#[derive(Debug)]
pub struct Dialling {
    backoff: Backoff,
    addresses: HashMap<SocketAddr, DialledAddress>,
    /// In a row.
    failed_look_ups: u32,
    /// When the name is looked up next.
    look_up: Instant,
    commands: VecDeque<DialCommand>,
    events: VecDeque<DialEvent>,
}

/// The connection to one address of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DialledAddress {
    state: DialState,
    /// Failures in a row.
    failures: u32,
    /// When the last session ended whose peer had proved who it is.
    identified: Option<Instant>,
    /// The address has proved to be this very node's, and the log says so.
    is_own: bool,
    /// The node there refused a second connection, and the log says so.
    is_refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DialState {
    /// To be dialled at this time.
    Due(Instant),
    /// Being dialled, or up.
    Busy,
    /// The session ended because the node there is linked by another connection.
    Linked(CloseReason),
}

impl DialledAddress {
    fn new(now: Instant) -> Self {
        Self {
            state: DialState::Due(now),
            failures: 0,
            identified: None,
            is_own: false,
            is_refused: false,
        }
    }

    fn stock_peers(&self, now: Instant) -> StockPeers {
        match self.identified {
            Some(at) if now.saturating_duration_since(at) < IDENTIFIED => StockPeers::Refused,
            _ => StockPeers::Accepted,
        }
    }
}

impl Dialling {
    /// The name is to be looked up at once.
    pub fn new(backoff: Backoff, now: Instant) -> Self {
        Self {
            backoff,
            addresses: HashMap::new(),
            failed_look_ups: 0,
            look_up: now,
            commands: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The peer has these addresses now. Those whose time has come are dialled, and addresses that are not among them are
    /// forgotten.
    pub fn handle_resolved(&mut self, resolved: &[SocketAddr], now: Instant) {
        self.failed_look_ups = 0;
        // An address with an attempt or a session stays, even if the name no longer leads there. If the name came back, a forgotten
        // one would be dialled a second time.
        self.addresses
            .retain(|addr, address| !matches!(address.state, DialState::Due(_)) || resolved.contains(addr));
        self.look_up = now + RESOLVE_EVERY;
        for addr in resolved {
            let address = self.addresses.entry(*addr).or_insert_with(|| DialledAddress::new(now));
            match address.state {
                DialState::Due(at) if at <= now => {
                    address.state = DialState::Busy;
                    self.commands.push_back(DialCommand::Dial {
                        addr: *addr,
                        stock_peers: address.stock_peers(now),
                    });
                }
                // Only a look-up dials, so the next one must come no later than this address is due.
                DialState::Due(at) => self.look_up = self.look_up.min(at),
                DialState::Busy | DialState::Linked(_) => {}
            }
        }
    }

    /// The peer's addresses could not be learned.
    pub fn handle_not_resolved(&mut self, why: String, jitter: f64, now: Instant) {
        self.failed_look_ups = self.failed_look_ups.saturating_add(1);
        let retry_in = self.backoff.wait(self.failed_look_ups, jitter);
        self.look_up = now + retry_in;
        self.events.push_back(DialEvent::NotResolved { why, retry_in });
    }

    /// An attempt led to no session.
    pub fn handle_failed(&mut self, addr: SocketAddr, why: String, jitter: f64, now: Instant) {
        if let Some(address) = self.addresses.get_mut(&addr) {
            address.is_refused = false;
        }
        if let Some(retry_in) = self.try_again(addr, jitter, now) {
            self.events.push_back(DialEvent::NotConnected { addr, why, retry_in });
        }
    }

    /// The node at this address has a connection to this one already. It refuses a second one before it says who it is, so the
    /// address is dialled again and again; only the first refusal in a row is logged.
    fn handle_refused(&mut self, addr: SocketAddr, why: String, jitter: f64, now: Instant) {
        let known = self.addresses.get_mut(&addr);
        let was_refused = known.is_some_and(|address| std::mem::replace(&mut address.is_refused, true));
        if let Some(retry_in) = self.try_again(addr, jitter, now).filter(|_| !was_refused) {
            self.events.push_back(DialEvent::NotConnected { addr, why, retry_in });
        }
    }

    /// Counts one more failure. Gives the time until the next attempt.
    fn try_again(&mut self, addr: SocketAddr, jitter: f64, now: Instant) -> Option<Duration> {
        // The name is looked up at once: if the peer has moved, its new address doesn't have to sit out the wait of the old one.
        self.look_up = now;
        let address = self.addresses.get_mut(&addr)?;
        address.failures = address.failures.saturating_add(1);
        let retry_in = self.backoff.wait(address.failures, jitter);
        address.state = DialState::Due(now + retry_in);
        Some(retry_in)
    }

    /// The session that an attempt led to has ended.
    pub fn handle_ended(&mut self, addr: SocketAddr, end: SessionEnd, jitter: f64, now: Instant) {
        let Some(address) = self.addresses.get_mut(&addr) else {
            return;
        };
        // This counts however the session ended: whoever has the address next must not get by with a weaker proof.
        if end.proof == PeerProof::Identity {
            address.identified = Some(now);
        }
        // An end within the handshake is no success. A peer with another cookie would otherwise be dialled at the shortest interval
        // for ever.
        if end.was_ready || end.reason == CloseReason::AlreadyLinked {
            address.failures = 0;
        }
        // Set anew at each end, so that the log says it again if the address led elsewhere in between.
        let was_own = std::mem::replace(&mut address.is_own, end.reason == CloseReason::SelfConnection);
        if address.is_own {
            address.state = DialState::Due(now + OWN);
            self.look_up = now;
            if !was_own {
                self.events.push_back(DialEvent::Own(addr));
            }
            return;
        }
        match (end.reason, end.peer) {
            // As long as the other link goes on, dialling this address would only make one more duplicate.
            (reason @ (CloseReason::DuplicateConnection | CloseReason::AlreadyLinked), Some(node)) => {
                address.state = DialState::Linked(reason);
                self.commands.push_back(DialCommand::AwaitUnlinked {
                    addr,
                    node,
                    at_most: LINKED,
                });
            }
            // Without a name there is no link whose end could be awaited.
            (CloseReason::AlreadyLinked, None) => self.ask_again(addr, jitter, now),
            (reason @ CloseReason::Refused(ServerStatus::NotOk), _) => {
                self.handle_refused(addr, reason.to_string(), jitter, now);
            }
            (reason, _) => self.handle_failed(addr, reason.to_string(), jitter, now),
        }
    }

    /// The other link to the node at an address has ended, or the longest wait is over.
    pub fn handle_unlinked(&mut self, addr: SocketAddr, jitter: f64, now: Instant) {
        let Some(address) = self.addresses.get(&addr) else {
            return;
        };
        match &address.state {
            // This node broke off by itself here, which is no failure of the address.
            DialState::Linked(CloseReason::AlreadyLinked) => self.ask_again(addr, jitter, now),
            DialState::Linked(reason) => {
                let why = reason.to_string();
                self.handle_failed(addr, why, jitter, now);
            }
            DialState::Due(_) | DialState::Busy => {}
        }
    }

    fn ask_again(&mut self, addr: SocketAddr, jitter: f64, now: Instant) {
        self.look_up = now;
        let retry_in = self.backoff.wait(1, jitter);
        if let Some(address) = self.addresses.get_mut(&addr) {
            address.state = DialState::Due(now + retry_in);
        }
    }

    /// The next command, if there is one.
    pub fn poll_command(&mut self) -> Option<DialCommand> {
        self.commands.pop_front()
    }

    /// The next event for the log, if there is one.
    pub fn poll_event(&mut self) -> Option<DialEvent> {
        self.events.pop_front()
    }

    /// The time of the next look-up. Addresses whose time has come by then are dialled.
    pub fn poll_timeout(&self) -> Instant {
        self.look_up
    }
}

#[cfg(test)]
mod tests;
