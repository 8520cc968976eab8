//! Which addresses of a peer are dialled, and when: a machine without a task, a socket or a clock of its own.
//!
//! What was looked up and what became of attempts goes in through `handle_*`, with the time and, where there is a wait to choose, a
//! random number; what is to be done, the time of the next look-up and what is worth saying come out through `poll_*`. The connector
//! carries them out, and so does the simulation of whole nodes.
//!
//! Nothing that an address once answered keeps it from being dialled for good, since somebody else may have answered. One whose node
//! is linked otherwise is asked again in a while, or when that link ends; one that has proved to be this very node, too.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::session_end::{Proof, SessionEnd};
use crate::session::{CloseReason, StockPeers};
use crate::wire::ServerStatus;

/// The interval at which a name is resolved while all of its addresses are connected.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// The time for which the answer of an address that its node is linked already is believed. Until then it is a claim.
const LINKED: Duration = Duration::from_secs(60);

/// The time for which an address that was this very node's is left alone: a relay to this node may stand in another's place for a while.
const OWN: Duration = Duration::from_secs(300);

/// The time for which an address at which a node proved who it is has no session with one that doesn't. Otherwise whoever takes the place of
/// the node there would have this one answer stock challenges.
const IDENTIFIED: Duration = Duration::from_secs(600);

/// How long to wait between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure. It doubles with each further one.
    pub first: Duration,
    /// At most.
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
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An address is to be dialled. What becomes of it is told by [`handle_failed`](Dialling::handle_failed) or
    /// [`handle_ended`](Dialling::handle_ended).
    Dial {
        /// The address.
        addr: SocketAddr,
        /// Whether a node there may prove no more than the cookie.
        stock_peers: StockPeers,
    },
    /// The node at this address is said to be linked otherwise. Once it isn't any more, or after so long,
    /// [`handle_unlinked`](Dialling::handle_unlinked) is told.
    AwaitUnlinked {
        /// The address.
        addr: SocketAddr,
        /// The full name of the node.
        node: String,
        /// The longest wait.
        at_most: Duration,
    },
}

/// What is worth saying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The name is not resolved.
    NotResolved {
        /// The error.
        why: String,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// There is no connection to this address.
    NotConnected {
        /// The address.
        addr: SocketAddr,
        /// The error, or why the session ended.
        why: String,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// The address has proved to be this very node's, and it was not known before.
    Own(SocketAddr),
}

/// See the module.
#[derive(Debug)]
pub struct Dialling {
    backoff: Backoff,
    addresses: HashMap<SocketAddr, Address>,
    /// In a row.
    failed_look_ups: u32,
    /// When the name is looked up next.
    look_up: Instant,
    steps: VecDeque<Step>,
    news: VecDeque<News>,
}

/// The connection to one address of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    standing: Standing,
    /// Failures in a row.
    failures: u32,
    /// When the last session ended whose peer had proved who it is.
    identified: Option<Instant>,
    /// It has proved to be this very node, and that was said.
    is_own: bool,
    /// It refused a connection beside the one that its node has, and that was said.
    is_refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// To be dialled at this time.
    Due(Instant),
    /// Being dialled, or up.
    Busy,
    /// Its node is said to be linked otherwise, which is why the session with it ended.
    Linked(CloseReason),
}

impl Address {
    fn new(now: Instant) -> Self {
        Self {
            standing: Standing::Due(now),
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
            steps: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    /// The peer has these addresses now: those are dialled whose time has come, and those forgotten that it has no longer.
    pub fn handle_resolved(&mut self, resolved: &[SocketAddr], now: Instant) {
        self.failed_look_ups = 0;
        self.addresses
            .retain(|addr, address| !matches!(address.standing, Standing::Due(_)) || resolved.contains(addr));
        self.look_up = now + RESOLVE_EVERY;
        for addr in resolved {
            let address = self.addresses.entry(*addr).or_insert_with(|| Address::new(now));
            match address.standing {
                Standing::Due(at) if at <= now => {
                    address.standing = Standing::Busy;
                    self.steps.push_back(Step::Dial {
                        addr: *addr,
                        stock_peers: address.stock_peers(now),
                    });
                }
                Standing::Due(at) => self.look_up = self.look_up.min(at),
                Standing::Busy | Standing::Linked(_) => {}
            }
        }
    }

    /// The peer's addresses could not be learned.
    pub fn handle_not_resolved(&mut self, why: String, jitter: f64, now: Instant) {
        self.failed_look_ups = self.failed_look_ups.saturating_add(1);
        let retry_in = self.backoff.wait(self.failed_look_ups, jitter);
        self.look_up = now + retry_in;
        self.news.push_back(News::NotResolved { why, retry_in });
    }

    /// An attempt led to no session.
    pub fn handle_failed(&mut self, addr: SocketAddr, why: String, jitter: f64, now: Instant) {
        if let Some(address) = self.addresses.get_mut(&addr) {
            address.is_refused = false;
        }
        if let Some(retry_in) = self.try_again(addr, jitter, now) {
            self.news.push_back(News::NotConnected { addr, why, retry_in });
        }
    }

    /// The node at this address has a connection to this one already. Who refuses another says so before it says who it is, so it is
    /// asked again, for as long as it is refused; once is enough to say so.
    fn handle_refused(&mut self, addr: SocketAddr, why: String, jitter: f64, now: Instant) {
        let known = self.addresses.get_mut(&addr);
        let was_refused = known.is_some_and(|address| std::mem::replace(&mut address.is_refused, true));
        if let Some(retry_in) = self.try_again(addr, jitter, now).filter(|_| !was_refused) {
            self.news.push_back(News::NotConnected { addr, why, retry_in });
        }
    }

    /// One more failure. Gives the time until the next attempt.
    fn try_again(&mut self, addr: SocketAddr, jitter: f64, now: Instant) -> Option<Duration> {
        self.look_up = now;
        let address = self.addresses.get_mut(&addr)?;
        address.failures = address.failures.saturating_add(1);
        let retry_in = self.backoff.wait(address.failures, jitter);
        address.standing = Standing::Due(now + retry_in);
        Some(retry_in)
    }

    /// The session that an attempt led to has ended.
    pub fn handle_ended(&mut self, addr: SocketAddr, end: SessionEnd, jitter: f64, now: Instant) {
        let Some(address) = self.addresses.get_mut(&addr) else {
            return;
        };
        if end.proof == Proof::Identity {
            address.identified = Some(now);
        }
        if end.was_ready || end.reason == CloseReason::AlreadyLinked {
            address.failures = 0;
        }
        let was_own = std::mem::replace(&mut address.is_own, end.reason == CloseReason::SelfConnection);
        if address.is_own {
            address.standing = Standing::Due(now + OWN);
            self.look_up = now;
            if !was_own {
                self.news.push_back(News::Own(addr));
            }
            return;
        }
        match (end.reason, end.peer) {
            // As long as the other link goes on, there is nothing to dial.
            (reason @ (CloseReason::DuplicateConnection | CloseReason::AlreadyLinked), Some(node)) => {
                address.standing = Standing::Linked(reason);
                self.steps.push_back(Step::AwaitUnlinked {
                    addr,
                    node,
                    at_most: LINKED,
                });
            }
            (CloseReason::AlreadyLinked, None) => self.ask_again(addr, jitter, now),
            (reason @ CloseReason::Refused(ServerStatus::NotOk), _) => {
                self.handle_refused(addr, reason.to_string(), jitter, now);
            }
            (reason, _) => self.handle_failed(addr, reason.to_string(), jitter, now),
        }
    }

    /// The other link to the node at an address has ended, or it is time to ask again.
    pub fn handle_unlinked(&mut self, addr: SocketAddr, jitter: f64, now: Instant) {
        let Some(address) = self.addresses.get(&addr) else {
            return;
        };
        match &address.standing {
            Standing::Linked(CloseReason::AlreadyLinked) => self.ask_again(addr, jitter, now),
            Standing::Linked(reason) => {
                let why = reason.to_string();
                self.handle_failed(addr, why, jitter, now);
            }
            Standing::Due(_) | Standing::Busy => {}
        }
    }

    fn ask_again(&mut self, addr: SocketAddr, jitter: f64, now: Instant) {
        self.look_up = now;
        let retry_in = self.backoff.wait(1, jitter);
        if let Some(address) = self.addresses.get_mut(&addr) {
            address.standing = Standing::Due(now + retry_in);
        }
    }

    /// What is to be done next, if anything.
    pub fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// What is worth saying, and was not given before.
    pub fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// When the name is to be looked up next, so that those are dialled whose time comes.
    pub fn poll_timeout(&self) -> Instant {
        self.look_up
    }
}

#[cfg(test)]
mod tests;
