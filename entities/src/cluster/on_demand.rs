//! Sessions that are opened when an entity is spoken to, and end when neither end needs them.
//!
//! Whoever opened a session asks whether it may end, and from then on keeps back what it would send. The other end does the same and agrees, if
//! nothing is on its way there either: no message that isn't known to be begun, no call that waits for its reply, no actor that somebody has the
//! address of. Gates handle what comes in order, so nothing is on its way any more when the second end's word is there, and no message is
//! lost by the end of the session. What was kept back opens the next one, or goes on by this one if the other end doesn't agree.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor_host_directory::BoxFuture;
use ractor_host_placement::words::Incarnation;

use super::Cluster;
use super::frame::{CLOSE, Closing, MAY_CLOSE, OFFER};
use super::links::{LinkOut, Out};

/// The longest that whoever opened a session keeps back what it would send while it waits for the other end's word.
const ASKING: Duration = Duration::from_secs(5);

/// The longest that the other end does while it waits for the end of the session. That is longer by far than what is left to do then.
const AGREED: Duration = Duration::from_secs(15);

/// In place of the number of a question: the other end is about to end altogether.
pub(super) const LEAVING: u64 = u64::MAX;

/// Opens and closes sessions for a cluster.
pub trait OnDemand: Send + Sync + 'static {
    /// Messages wait for a session with this life of a node. It is called under locks, and often: it notes that and no more.
    fn reach(&self, node: Incarnation);

    /// Whether anything but entities needs the session with this number, at this end.
    fn session_use(&self, session: u64) -> BoxFuture<'static, SessionUse>;

    /// Neither end needs the session with this number, which this node opened.
    fn close(&self, session: u64);
}

/// What a session is to anybody but entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionUse {
    /// It stays: it isn't for entities alone, or something needs it.
    Needed,
    /// Nothing needs it, and this node opened it.
    Unused,
    /// The same of one that the other node opened.
    UnusedOfPeer,
}

impl Cluster {
    /// Sessions are opened and closed by `on_demand` from now on. Only the first call counts.
    pub fn link_on_demand(&self, on_demand: Arc<dyn OnDemand>) {
        self.on_demand.set(on_demand).ok();
    }

    /// Asks for sessions that messages wait for: an attempt may have come to nothing.
    pub(super) fn reach_again(&self) {
        let Some(on_demand) = self.on_demand.get() else { return };
        let peers = self.outgoing.peers.lock();
        for incarnation in peers
            .unsent
            .keys()
            .filter(|incarnation| peers.link(**incarnation).is_none())
        {
            on_demand.reach(*incarnation);
        }
    }

    /// Asks the other end of the session with this number, which this node opened, whether it may end. Nothing comes of it if this end needs it.
    pub fn offer_to_close(self: &Arc<Self>, session: u64) {
        if let Some((link, number)) = self.hold(session, ASKING) {
            self.say(&link, MAY_CLOSE, number);
        }
    }

    /// Asks the other end, which opened the session with this number, to do so.
    pub fn wish_closed(self: &Arc<Self>, session: u64) {
        let link = self.outgoing.peers.lock().of_session(session);
        if let Some((link, _)) = link {
            self.say(&link, OFFER, 0);
        }
    }

    /// The other end has no use for the session.
    pub(super) fn wished_closed(self: &Arc<Self>, Closing { from, .. }: Closing) {
        let (Some(session), Some(on_demand)) = (self.session_with(from), self.on_demand.get().cloned()) else {
            return;
        };
        let cluster = self.clone();
        self.runtime.spawn(async move {
            if on_demand.session_use(session).await == SessionUse::Unused {
                cluster.offer_to_close(session);
            }
        });
    }

    /// The other end, which opened a session, asks whether it may end.
    pub(super) fn asked_to_close(self: &Arc<Self>, Closing { from, number: question }: Closing) {
        let (Some(session), Some(on_demand)) = (self.session_with(from), self.on_demand.get().cloned()) else {
            return;
        };
        let Some((link, number)) = self.hold(session, AGREED) else {
            return;
        };
        let cluster = self.clone();
        self.runtime.spawn(async move {
            if on_demand.session_use(session).await == SessionUse::UnusedOfPeer {
                cluster.say(&link, CLOSE, question);
            } else {
                cluster.release(session, number);
            }
        });
    }

    /// The other end of a session agrees that it may end.
    pub(super) fn told_to_close(self: &Arc<Self>, Closing { from, number }: Closing) {
        let (Some(session), Some(on_demand)) = (self.session_with(from), self.on_demand.get().cloned()) else {
            return;
        };
        let cluster = self.clone();
        self.runtime.spawn(async move {
            // Of a question that was given up, the answer says nothing any more.
            let is_unused = on_demand.session_use(session).await == SessionUse::Unused;
            if is_unused && cluster.is_held(session, number) {
                on_demand.close(session);
            } else {
                cluster.release(session, number);
            }
        });
    }

    fn is_held(&self, session: u64, number: u64) -> bool {
        let link = self.outgoing.peers.lock().of_session(session);
        number != 0 && link.is_some_and(|(link, _)| link.held.load(Ordering::Relaxed) == number)
    }

    /// The number of the session with this life of a node.
    fn session_with(&self, from: Incarnation) -> Option<u64> {
        let link = self.outgoing.peers.lock().link(from)?;
        Some(link.gate.node())
    }

    /// Keeps back what is to be sent by a session, for this long at most; the number of the question that this is for. None if something is on its
    /// way there.
    fn hold(self: &Arc<Self>, session: u64, at_most: Duration) -> Option<(Arc<LinkOut>, u64)> {
        // Both locks, in the order in which messages take them: none gets in between.
        let lanes = self.outgoing.sender.lock();
        let mut peers = self.outgoing.peers.lock();
        let (link, lives) = peers.of_session(session)?;
        let is_busy = lives.iter().any(|life| lanes.sender.has_outstanding(*life));
        let is_leaving = link.held.load(Ordering::Relaxed) == LEAVING;
        if is_busy || is_leaving || !link.queue.lock().is_idle() {
            return None;
        }
        peers.last_question += 1;
        let number = peers.last_question;
        link.held.store(number, Ordering::Relaxed);
        self.release_after(at_most, session, number);
        Some((link, number))
    }

    /// What is kept back for a question isn't kept for longer than this.
    pub(super) fn release_after(self: &Arc<Self>, at_most: Duration, session: u64, number: u64) {
        let cluster = self.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(at_most).await;
            cluster.release(session, number);
        });
    }

    /// The session goes on: what was kept back is sent, unless that is for another question by now.
    fn release(self: &Arc<Self>, session: u64, number: u64) {
        {
            let mut peers = self.outgoing.peers.lock();
            let Some((link, lives)) = peers.of_session(session) else {
                return;
            };
            let was = link
                .held
                .compare_exchange(number, 0, Ordering::Relaxed, Ordering::Relaxed);
            if was.is_err() {
                return;
            }
            for life in lives {
                peers.reached(life, link.gate);
            }
        }
        self.flush();
    }

    pub(super) fn say(self: &Arc<Self>, link: &Arc<LinkOut>, variant: &str, number: u64) {
        let Some(from) = self.ownership().map(|ownership| ownership.me()) else {
            return;
        };
        let message = SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: Closing { from, number }.write(),
            metadata: None,
        };
        self.outgoing.peers.lock().send(link.clone(), Out::Other(message));
        self.flush();
    }
}
