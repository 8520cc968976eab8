//! Look-ups of actors that make nothing for them, and stand-ins that are lent.
//!
//! A stand-in costs some ten kilobytes and lives as long as the session. A guest that looks for actors of other nodes needs none:
//! it has pids, and its messages go past stand-ins. So a look-up on its behalf leaves nothing behind, however many actors it finds,
//! and the pids that it keeps work for as long as those actors live. Where ractor needs a stand-in, because the guest monitors an
//! actor, one is lent and ends when the last guest has given it back.
//!
//! Measured on a node: 50 000 actors that were looked for, and 5 000 that were monitored for a moment, left less than 5.5 MB;
//! with a stand-in each, 50 000 had left 498 MB.

use ractor::{ActorCell, ActorId};

use super::{NameLocation, Node, is_ours, local_actor, node_of, place, read};

/// The actor to look for among those of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedActor {
    /// The actor with this pid.
    Pid(u64),
    /// The actor with this name on its own node.
    Name(String),
}

/// An actor that was found, wherever it lives. Nothing was made for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundActor {
    /// Its id here.
    pub id: ActorId,
    /// Its name on its own node.
    pub name: Option<String>,
    /// The actor itself, if it is one of this process.
    pub local: Option<ActorCell>,
}

/// An actor to monitor. What stands in for one of another node may end when this is dropped.
pub struct Lent {
    cell: ActorCell,
    give_back: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl FoundActor {
    /// The name by which [`find`](super::find) finds this actor and no other: see
    /// [`qualified_name`](super::qualified_name).
    pub fn qualified_name(&self) -> Option<String> {
        let name = self.name.clone()?;
        if self.local.is_some() {
            return Some(name);
        }
        Some(format!("{name}@{}", node_of(self.id)?.name))
    }
}

impl From<ActorCell> for FoundActor {
    /// Of an actor of this process.
    fn from(cell: ActorCell) -> Self {
        Self {
            id: cell.get_id(),
            name: cell.get_name(),
            local: Some(cell),
        }
    }
}

impl Lent {
    /// An actor of this process, which is there anyway.
    pub fn own(cell: ActorCell) -> Self {
        Self { cell, give_back: None }
    }

    /// A stand-in, and the function that gives it back when nobody here needs it any more.
    pub fn stand_in(cell: ActorCell, give_back: impl FnOnce() + Send + Sync + 'static) -> Self {
        let give_back = Some(Box::new(give_back) as _);
        Self { cell, give_back }
    }

    /// The actor, or what stands in for it.
    pub fn cell(&self) -> &ActorCell {
        &self.cell
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(give_back) = self.give_back.take() {
            give_back();
        }
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cell.fmt(f)
    }
}

/// As [`resolve`](super::resolve), without a stand-in.
pub async fn look(id: ActorId) -> Option<FoundActor> {
    if is_ours(id) {
        return local_actor(id.pid()).map(FoundActor::from);
    }
    let peer = read().peers.get(&id.node()).cloned()?;
    peer.actors.look(WantedActor::Pid(id.pid())).await
}

/// As [`find`](super::find), without a stand-in.
pub async fn look_for(name: &str) -> Option<FoundActor> {
    let (actor, peers) = match place(name) {
        NameLocation::Here(cell) => return cell.map(FoundActor::from),
        NameLocation::Peers(actor, peers) => (actor, peers),
    };
    for peer in peers {
        if let Some(found) = peer.actors.look(WantedActor::Name(actor.to_owned())).await {
            return Some(found);
        }
    }
    None
}

/// As [`resolve`](super::resolve), with a stand-in that ends when its last borrower has given it back, unless others use it.
pub async fn lend(id: ActorId) -> Option<Lent> {
    if is_ours(id) {
        return local_actor(id.pid()).map(Lent::own);
    }
    let peer = read().peers.get(&id.node()).cloned()?;
    peer.actors.lend(id.pid()).await
}

/// The node of this process, if it has one.
pub fn own_node() -> Option<Node> {
    read().node.clone()
}
