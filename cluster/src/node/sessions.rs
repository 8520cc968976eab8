//! The sessions of a node: their elections, and what its users are told of them.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use ractor::{ActorId, ActorRef};

use super::limits::MAX_ON_DEMAND_LINKS;
use super::node_requests::{DialPurpose, OnDemandLink};
use super::session_end::PeerProof;
use super::{NameMessage, NodeServerSessionInformation, NodeSessionMessage, SessionCheckReply};
use crate::NodeId;
use crate::session::{CloseReason, Registry, Rival, Role, SessionCheck};

/// The sessions of a node by actor id.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    registry: Registry<ActorId>,
    infos: HashMap<ActorId, NodeServerSessionInformation>,
    /// Since when those are authenticated that are. What their peers say of themselves is proved.
    since: HashMap<ActorId, Instant>,
    /// Those whose peers were told that another node has their name.
    told: HashSet<ActorId>,
}

/// What comes of the authentication of a session.
#[derive(Debug)]
pub(crate) struct SessionElection {
    /// The session itself survives.
    pub won: bool,
    /// The other sessions with the same peer that are over: they must be gone before this one begins.
    pub ending: Vec<ActorRef<NodeSessionMessage>>,
}

impl Sessions {
    pub(super) fn insert(&mut self, info: NodeServerSessionInformation) {
        let id = info.actor.get_id();
        let role = if info.is_server {
            Role::Acceptor
        } else {
            Role::Initiator
        };
        self.registry.insert(id, role);
        self.infos.insert(id, info);
    }

    /// Takes a session out; its information and why it ended, if it said so.
    pub(super) fn remove(&mut self, id: ActorId) -> Option<(NodeServerSessionInformation, Option<CloseReason>)> {
        let reason = self.registry.remove(id);
        self.since.remove(&id);
        self.told.remove(&id);
        self.infos.remove(&id).map(|info| (info, reason))
    }

    pub(super) fn info(&self, id: ActorId) -> Option<&NodeServerSessionInformation> {
        self.infos.get(&id)
    }

    /// The session has ended and counts no more, though its actor may still be writing.
    pub(super) fn over(&mut self, id: ActorId, reason: CloseReason) {
        self.registry.over(id, reason);
    }

    /// The peer of this session has said its name.
    pub(super) fn name(&mut self, id: ActorId, name: NameMessage) {
        self.registry.name(id, &name.name, name.connection_id);
        if let Some(info) = self.infos.get_mut(&id) {
            // The nonce is for elections alone. What is kept here is told to other nodes as the way to this peer.
            info.peer_name = Some(NameMessage {
                connection_id: 0,
                ..name
            });
        }
    }

    /// The authenticated sessions by node id.
    pub(super) fn authenticated(&self) -> HashMap<NodeId, NodeServerSessionInformation> {
        self.infos
            .iter()
            .filter(|(id, _)| self.registry.is_elected(**id))
            .map(|(_, info)| (info.node_id, info.clone()))
            .collect()
    }

    /// Whether this session, whose peer has just said its name, goes on.
    pub(super) fn check(&self, this: &str, id: ActorId) -> SessionCheck {
        self.registry.check(this, id)
    }

    /// As [`Sessions::check`] for a connection that is known only by its peer's name and nonce.
    pub(super) fn check_name(&self, this: &str, peer: &NameMessage) -> SessionCheckReply {
        self.registry.check_name(this, &peer.name, peer.connection_id).into()
    }

    /// This session has authenticated: decides between it and the others with the same peer.
    pub(super) fn elect(&mut self, this: &str, id: ActorId) -> Option<SessionElection> {
        let election = self.registry.elect(this, id)?;
        // For winners and losers alike: a session that loses has proved the cookie, too.
        self.proved(id);
        let ending = election.ending.iter().filter_map(|id| self.infos.get(id));
        Some(SessionElection {
            won: election.won,
            ending: ending.map(|info| info.actor.clone()).collect(),
        })
    }

    /// Notes that the peer of this session has proved what it can.
    pub(super) fn proved(&mut self, id: ActorId) {
        self.since.entry(id).or_insert_with(Instant::now);
    }

    /// What the peer of this session has proved.
    pub(super) fn proof(&self, id: ActorId) -> PeerProof {
        // The handshake sets the incarnation of a peer that doesn't prove it to 0, so any other number behind an authentication is
        // proved.
        match (self.since.contains_key(&id), self.infos.get(&id)) {
            (true, Some(info)) if incarnation(info.peer_name.as_ref()) != 0 => PeerProof::Identity,
            (true, _) => PeerProof::Cookie,
            (false, _) => PeerProof::Nothing,
        }
    }

    /// True if there is an authenticated session with the node that this one claims to be, which makes a connection for this purpose one too
    /// many.
    pub(super) fn is_linked(&self, claimed: &NameMessage, purpose: DialPurpose) -> bool {
        let serves = |id: &ActorId| match purpose {
            DialPurpose::Connection | DialPurpose::Hearsay => false,
            DialPurpose::Link => !self.registry.is_for_entities(*id),
            DialPurpose::OnDemand => true,
        };
        let authenticated = self.infos.iter().filter(|(id, _)| self.registry.is_elected(**id));
        let mut peers = authenticated
            .filter(|(id, _)| serves(id))
            .filter_map(|(_, info)| info.peer_name.as_ref());
        peers.any(|peer| peer.name == claimed.name && incarnation(Some(peer)) == incarnation(Some(claimed)))
    }

    /// This session is for entities alone.
    pub(super) fn set_for_entities(&mut self, id: ActorId) {
        self.registry.set_for_entities(id);
    }

    /// The authenticated sessions that are for entities alone.
    pub(super) fn on_demand(&self) -> Vec<OnDemandLink> {
        let links = self.infos.iter().filter_map(|(id, info)| {
            let is_one = self.registry.is_elected(*id) && self.registry.is_for_entities(*id);
            let peer = info.peer_name.as_ref().filter(|_| is_one)?;
            Some(OnDemandLink {
                session: info.actor.clone(),
                node_id: info.node_id,
                peer: peer.name.clone(),
                is_own: !info.is_server,
            })
        });
        links.collect()
    }

    /// True if there may be one more session for entities alone. One that takes the place of another needs no room.
    pub(super) fn has_room_on_demand(&self, id: ActorId) -> bool {
        let newcomer = self.infos.get(&id).and_then(|info| info.peer_name.as_ref());
        let links = self.on_demand();
        let others = links
            .iter()
            .filter(|link| newcomer.is_none_or(|newcomer| newcomer.name != link.peer));
        others.count() < MAX_ON_DEMAND_LINKS
    }

    /// The authenticated session with another node that has the name of this session's peer, if there is one. The other one may be
    /// the same node in an earlier life, if its link is not found dead yet.
    pub(super) fn rival(&self, id: ActorId) -> Option<ActorRef<NodeSessionMessage>> {
        let newcomer = self.infos.get(&id)?;
        let mut others = self.infos.iter().filter(|(other, _)| **other != id);
        let rival = others.find(|(other, info)| self.registry.is_elected(**other) && are_namesakes(info, newcomer));
        rival.map(|(_, info)| info.actor.clone())
    }

    /// The node at the other end of a session, as another node of its name is told of it.
    pub(super) fn as_rival(&self, id: ActorId) -> Option<Rival> {
        let info = self.infos.get(&id)?;
        let says = info.peer_name.as_ref().map(|name| name.connection_string.as_str());
        Some(Rival {
            address: format!("{} (it says {})", info.peer_addr, says.unwrap_or("nothing")),
            since: Duration::from_secs(self.since.get(&id).map_or(0, |since| since.elapsed().as_secs())),
        })
    }

    /// True the first time that this is asked of a session.
    pub(super) fn is_yet_to_be_told(&mut self, id: ActorId) -> bool {
        self.told.insert(id)
    }

    /// True if there is an authenticated session with a node of this full name or connection string.
    pub(super) fn is_present(&self, node: &str) -> bool {
        let authenticated = self.infos.iter().filter(|(id, _)| self.registry.is_elected(**id));
        let mut names = authenticated.filter_map(|(_, info)| info.peer_name.as_ref());
        names.any(|name| name.name == node || name.connection_string == node)
    }

    /// True if this session is authenticated and has lost to no other.
    pub(super) fn is_elected(&self, id: ActorId) -> bool {
        self.registry.is_elected(id)
    }
}

/// Whether these are sessions with two nodes of one name, or two lives of one. Stock nodes are told apart by where they say that they
/// are, and a stock node from one that proves who it is.
fn are_namesakes(one: &NodeServerSessionInformation, other: &NodeServerSessionInformation) -> bool {
    let (Some(first), Some(second)) = (&one.peer_name, &other.peer_name) else {
        return false;
    };
    let are_stock = [first, second].iter().all(|name| incarnation(Some(name)) == 0);
    // A stock node says port 0 until it knows its own.
    let says_where = |name: &NameMessage| !name.connection_string.ends_with(":0");
    first.name == second.name
        && if are_stock {
            first.connection_string != second.connection_string && says_where(first) && says_where(second)
        } else {
            incarnation(Some(first)) != incarnation(Some(second))
        }
}

/// The number that tells the lives of a node apart; 0 of one that has none or does not prove it.
fn incarnation(name: Option<&NameMessage>) -> u64 {
    name.and_then(|name| name.flags).unwrap_or_default().incarnation
}
