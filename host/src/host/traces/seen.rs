//! The actors that a trace sees, and those that they send to and hear from.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::{ActorId, pg};

use crate::control::Target;
use crate::directory::{self, FIRST_HOSTED_PID, SANDBOX_NODE_ID};
use crate::entities;
use crate::guest::{Contract, Digest, GuestRef, Modules, Peer, TracedGuest, Tracer};

/// The most actors that one trace sees at once, and the most of others that it remembers.
const MOST_ACTORS: usize = 1_000;

/// See the module.
#[derive(Default)]
pub(super) struct SeenActors {
    tapped: Vec<TracedGuest>,
    /// Those that it sees or has seen, by pid.
    own: HashMap<u64, OwnActor>,
    peers: HashMap<Peer, SeenPeer>,
}

struct OwnActor {
    label: String,
    /// What it says of itself, with the code that says so; none if that wasn't asked yet.
    contract: Option<(Digest, Option<Arc<Contract>>)>,
}

/// Somebody whom an actor sends to, or hears from.
#[derive(Clone)]
pub(super) struct SeenPeer {
    pub(super) name: String,
    /// What it says of itself, if it is a guest of this node.
    pub(super) contract: Option<Arc<Contract>>,
}

impl SeenPeer {
    /// Somebody whose node is known, and no more.
    pub(super) fn node(name: String) -> Self {
        Self { name, contract: None }
    }
}

/// The name of the node that somebody is of, where no more is known. Never waits.
pub(super) fn node(peer: Peer) -> Option<String> {
    if peer.pid.is_some() {
        return None;
    }
    let id = ActorId::Remote {
        node_id: peer.node,
        pid: 0,
    };
    directory::node_of(id).map(|node| node.name)
}

impl SeenActors {
    /// These are meant now. Gives those whose contract is to be asked for.
    pub(super) fn enter<'g>(
        &mut self,
        guests: &'g [GuestRef],
        tracer: impl Fn(u64) -> Arc<dyn Tracer>,
    ) -> Vec<(&'g GuestRef, Digest)> {
        let pids: BTreeSet<u64> = guests.iter().map(GuestRef::pid).collect();
        self.tapped.retain(|tapped| pids.contains(&tapped.pid()));
        let known: BTreeSet<u64> = self.tapped.iter().map(TracedGuest::pid).collect();
        let mut unknown = Vec::new();
        for guest in guests {
            let pid = guest.pid();
            if !known.contains(&pid) && self.tapped.len() < MOST_ACTORS {
                self.tapped.push(guest.trace(tracer(pid)));
            }
            let digest = guest.module().digest();
            let own = self.own.entry(pid).or_insert_with(|| OwnActor {
                label: label(guest),
                contract: None,
            });
            if own.contract.as_ref().is_none_or(|(of, _)| *of != digest) {
                unknown.push((guest, digest));
            }
        }
        // An actor that fails again and again must not leave ever more behind. Those that live come back above.
        if self.own.len() > 2 * MOST_ACTORS {
            self.own.retain(|pid, _| pids.contains(pid));
        }
        unknown
    }

    /// The trace is over.
    pub(super) fn leave_all(&mut self) {
        self.tapped.clear();
    }

    pub(super) fn set_contract(&mut self, pid: u64, digest: Digest, contract: Option<Arc<Contract>>) {
        if let Some(own) = self.own.get_mut(&pid) {
            own.contract = Some((digest, contract));
        }
    }

    /// How an actor is called, and what it says of itself.
    pub(super) fn own(&self, pid: u64) -> (String, Option<Arc<Contract>>) {
        let Some(own) = self.own.get(&pid) else {
            return (format!("pid:{pid}"), None);
        };
        let contract = own.contract.as_ref().and_then(|(_, contract)| contract.clone());
        (own.label.clone(), contract)
    }
}

/// The guests that are meant.
pub(super) fn guests(modules: &Modules, target: &Target) -> Vec<GuestRef> {
    let pids = pids(target);
    if pids.is_empty() {
        return Vec::new();
    }
    let all = modules.all_guests().into_iter();
    all.filter(|guest| pids.contains(&guest.pid())).collect()
}

/// True if somebody is meant, whoever it is.
pub(super) fn are_there(target: &Target) -> bool {
    !pids(target).is_empty()
}

fn pids(target: &Target) -> BTreeSet<u64> {
    match target {
        Target::Name(name) => directory::where_is(name)
            .map(|cell| cell.get_id().pid())
            .into_iter()
            .collect(),
        Target::Pid(pid) => BTreeSet::from([*pid]),
        Target::Entity(entity) => entities::active(entity)
            .map(|cell| cell.get_id().pid())
            .into_iter()
            .collect(),
        // An entity of another node is none of this one's actors.
        Target::EntityAt(..) => BTreeSet::new(),
        Target::Group(group) => {
            let members = pg::get_members(group).into_iter().map(|cell| cell.get_id());
            members
                .filter(|id| directory::is_ours(*id))
                .map(|id| id.pid())
                .collect()
        }
    }
}

/// The name of a guest, or its pid.
pub(super) fn label(guest: &GuestRef) -> String {
    guest.name().unwrap_or_else(|| format!("pid:{}", guest.pid()))
}

/// Who that is. Asked once for each, since it may take asking another node.
pub(super) async fn peer(seen: &Mutex<SeenActors>, modules: &Modules, peer: Peer) -> SeenPeer {
    if let Some(known) = seen.lock().peers.get(&peer) {
        return known.clone();
    }
    let found = find(modules, peer).await;
    let mut seen = seen.lock();
    if seen.peers.len() >= MOST_ACTORS {
        seen.peers.clear();
    }
    seen.peers.insert(peer, found.clone());
    found
}

async fn find(modules: &Modules, Peer { node, pid }: Peer) -> SeenPeer {
    let Some(pid) = pid else {
        return SeenPeer::node(format!("node {node}"));
    };
    let id = match node {
        0 if pid < FIRST_HOSTED_PID => ActorId::Local(pid),
        0 => ActorId::Remote {
            node_id: SANDBOX_NODE_ID,
            pid,
        },
        node_id => ActorId::Remote { node_id, pid },
    };
    let name = directory::look(id).await.and_then(|found| found.qualified_name());
    let name = name.unwrap_or_else(|| match directory::node_of(id).filter(|_| node != 0) {
        Some(node) => format!("pid:{pid}@{}", node.name),
        None => format!("pid:{pid}"),
    });
    let guest = guests(modules, &Target::Pid(pid))
        .into_iter()
        .next()
        .filter(|_| node == 0);
    let contract = match guest {
        Some(guest) => guest.module().contract().await.map(Arc::new),
        None => None,
    };
    SeenPeer { name, contract }
}
