//! The end that takes messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Header, Reply, SessionId};
use crate::mutation::{Mutation, broken};
use crate::words::{Epoch, Incarnation, ShardId};

/// What to do with a message that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes into the mailbox of its entity.
    Accepted,
    /// It is not handled: the sender was told.
    Refused,
    /// It is not handled, and nobody is told: it came by a session that is over, or a second time.
    Dropped,
}

/// What one sender has sent to one shard, by its present session.
#[derive(Debug, Default)]
struct Lane {
    round: u64,
    /// Something of this round was refused: nothing of it is taken any more.
    is_refusing: bool,
    /// The greatest number that has arrived.
    last: u64,
    /// Messages that were taken and haven't begun.
    waiting: BTreeSet<u64>,
    acknowledged: u64,
}

impl Lane {
    /// How far everything is begun or refused.
    fn settled(&self) -> u64 {
        self.waiting.first().map_or(self.last, |first| first - 1)
    }
}

#[derive(Debug)]
struct Peer {
    session: SessionId,
    lanes: BTreeMap<ShardId, Lane>,
}

/// What a node receives from all others.
#[derive(Debug, Default)]
pub struct Receiver {
    peers: BTreeMap<Incarnation, Peer>,
    replies: VecDeque<(Incarnation, SessionId, Reply)>,
}

impl Receiver {
    /// A node has opened a session. What came by an earlier one and hasn't begun never will: the sender counts it as lost.
    pub fn handle_session(&mut self, from: Incarnation, session: SessionId) {
        let peer = self.peers.entry(from).or_insert_with(|| Peer {
            session,
            lanes: BTreeMap::new(),
        });
        if peer.session < session {
            peer.session = session;
            peer.lanes.clear();
        }
    }

    /// A node's session is over, or the node has ended.
    pub fn handle_gone(&mut self, from: Incarnation, session: SessionId) {
        if self.peers.get(&from).is_some_and(|peer| peer.session <= session) {
            self.peers.remove(&from);
        }
    }

    /// A message arrived. `owned` is the epoch at which this node may take messages for the shard, `known` the latest epoch that it knows
    /// of, and `hint` who should have the shard if this node hasn't.
    pub fn handle_message(
        &mut self,
        from: Incarnation,
        session: SessionId,
        header: Header,
        owned: Option<Epoch>,
        known: Epoch,
        hint: Option<Incarnation>,
    ) -> Verdict {
        let Some(peer) = self.peers.get_mut(&from).filter(|peer| peer.session == session) else {
            return Verdict::Dropped;
        };
        let Header {
            shard, number, round, ..
        } = header;
        let lane = peer.lanes.entry(shard).or_default();
        if lane.round < round {
            // The sender has waited for all that was before.
            lane.round = round;
            lane.is_refusing = false;
            lane.last = number - 1;
            lane.acknowledged = number - 1;
        }
        if round < lane.round || number <= lane.last {
            return Verdict::Dropped;
        }
        lane.last = number;
        // An owner that has got the shard back since accepts an older epoch. A newer one than its own means that it isn't the owner that
        // the sender means.
        let takes = owned.is_some_and(|owned| header.epoch <= owned);
        if takes && (!lane.is_refusing || broken(Mutation::TakenBehindRefusal)) {
            lane.waiting.insert(number);
            return Verdict::Accepted;
        }
        lane.is_refusing = true;
        self.refuse(from, session, header, known, hint);
        Verdict::Refused
    }

    /// An entity is about to handle a message. False if it must not: the session by which it came is over.
    pub fn handle_begun(&mut self, from: Incarnation, session: SessionId, header: &Header) -> bool {
        let Some(peer) = self.peers.get_mut(&from).filter(|peer| peer.session == session) else {
            return false;
        };
        let Some(lane) = peer.lanes.get_mut(&header.shard) else {
            return false;
        };
        if lane.round != header.round || !lane.waiting.remove(&header.number) {
            return false;
        }
        self.acknowledge(from, header.shard);
        true
    }

    /// A message that was taken goes back: the shard moves. In the order in which they came.
    pub fn handle_returned(
        &mut self,
        from: Incarnation,
        session: SessionId,
        header: &Header,
        known: Epoch,
        hint: Option<Incarnation>,
    ) {
        let Some(peer) = self.peers.get_mut(&from).filter(|peer| peer.session == session) else {
            return;
        };
        let Header {
            shard, number, round, ..
        } = *header;
        let Some(lane) = peer.lanes.get_mut(&shard).filter(|lane| lane.round == round) else {
            return;
        };
        if lane.waiting.remove(&number) {
            lane.is_refusing = true;
            self.refuse(from, session, *header, known, hint);
        }
    }

    /// Answers that a message isn't handled here.
    fn refuse(&mut self, to: Incarnation, session: SessionId, header: Header, known: Epoch, hint: Option<Incarnation>) {
        let Header {
            shard, number, round, ..
        } = header;
        let reply = Reply::NotOwner {
            shard,
            number,
            round,
            epoch: known,
            hint,
        };
        self.replies.push_back((to, session, reply));
        self.acknowledge(to, shard);
    }

    fn acknowledge(&mut self, to: Incarnation, shard: ShardId) {
        let Some(peer) = self.peers.get_mut(&to) else {
            return;
        };
        let session = peer.session;
        let Some(lane) = peer.lanes.get_mut(&shard) else {
            return;
        };
        let up_to = lane.settled();
        if up_to > lane.acknowledged {
            lane.acknowledged = up_to;
            let round = lane.round;
            self.replies
                .push_back((to, session, Reply::Acknowledged { shard, up_to, round }));
        }
    }

    /// The next answer, for which node and on which session.
    pub fn poll_reply(&mut self) -> Option<(Incarnation, SessionId, Reply)> {
        self.replies.pop_front()
    }
}
