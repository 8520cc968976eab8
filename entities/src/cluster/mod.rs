//! Entities of many nodes: which of them has an entity, and the way of messages there.
//!
//! A message for an entity of another node goes through the `Sender` of [`placement::routing`](ractor_host_placement::routing) to the gate
//! of that node, which is an actor without a mailbox. There it is marked, so that whoever has the entity can say when it is begun, or that
//! it goes back because the shard moves. A message between two actors of this node is neither numbered nor marked, unless others of its
//! shard wait: then it waits behind them.

mod farewell;
mod frame;
mod gate;
mod incoming;
mod links;
mod marks;
mod moves;
mod on_demand;
mod outgoing;
mod parcel;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use ractor::message::SerializedMessage;
use ractor_host_directory::{FailureReason, fail};
use ractor_host_placement::words::{BootTime, Entity, EntityType, Epoch, Incarnation, ShardId, ShardRow, TypeId};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use self::farewell::Farewells;
use self::incoming::Incoming;
pub(crate) use self::marks::Marks;
pub use self::on_demand::{OnDemand, SessionUse};
use self::outgoing::Outgoing;
use crate::node::{NotSent, has_type};
use crate::reminders::is_nudge;
use crate::seat::told;
use crate::store::Fence;

/// That of this process. Nodes of a cluster are processes of their own, because ractor's registries are.
static CLUSTER: RwLock<Option<Arc<Cluster>>> = RwLock::new(None);

/// What this node knows of who has which shard, and what of that it has itself. Asked with every message, so it answers without waiting.
pub trait Ownership: Send + Sync + 'static {
    /// The present life of this node.
    fn me(&self) -> Incarnation;

    /// The shard of an entity. None if no node of the cluster has had entities of its type.
    fn shard(&self, entity: &Entity) -> Option<ShardId>;

    /// True if some node of the cluster has entities of this type.
    fn knows(&self, of: &EntityType) -> bool;

    /// The name of a node that is there.
    fn node_name(&self, incarnation: Incarnation) -> Option<Arc<str>>;

    /// The type of this number.
    fn type_of(&self, type_id: TypeId) -> Option<EntityType>;

    /// The epoch at which this node may take messages for the shard, if it may.
    fn may_take(&self, shard: ShardId) -> Option<Epoch>;

    /// The epoch at which this node may act for the shard, if it may: also while it gives the shard away.
    fn may_release(&self, shard: ShardId) -> Option<Epoch>;

    /// Who has the shard, as far as is known here.
    fn row(&self, shard: ShardId) -> Option<ShardRow>;

    /// The entities of a shard that goes to another node have written, or ended.
    fn stopped(&self, shard: ShardId, epoch: Epoch);

    /// The time on the clock of leases.
    fn now(&self) -> BootTime;
}

/// The other nodes, for the entities of this one. Until it has [joined](Self::join) no entity is active here, and none can be sent to.
pub struct Cluster {
    ownership: OnceLock<Arc<dyn Ownership>>,
    /// None if every node has a session with every other.
    on_demand: OnceLock<Arc<dyn OnDemand>>,
    outgoing: Outgoing,
    incoming: Incoming,
    farewells: Farewells,
    /// Told when there may be something to send again, or to answer.
    wake: Notify,
    runtime: Handle,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// What messages between the entities of nodes have come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterFigures {
    /// Messages that were sent to other nodes, those that were sent again counted again.
    pub sent: u64,
    /// Messages whose node was lost before it was known that they were begun.
    pub lost: u64,
    /// Messages whose shard nobody had for too long.
    pub unowned: u64,
    /// Messages of other nodes that were taken.
    pub taken: u64,
    /// Messages of other nodes that went back, because their shard is elsewhere.
    pub refused: u64,
    /// Bytes of messages that aren't known to be begun.
    pub kept_bytes: usize,
}

/// Where an entity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// This node has it, whether it is active or not.
    Here,
    /// The node of this name has it.
    Node(Arc<str>),
    /// No node has it at present, as far as is known here.
    Nowhere,
}

/// Where an entity is. None if this process has no entities of its type and is in no cluster that has.
pub fn located(entity: &Entity) -> Option<Location> {
    let cluster = of_process();
    let ownership = cluster.as_ref().and_then(|cluster| cluster.ownership());
    let Some(ownership) = ownership else {
        return has_type(&entity.entity_type).then_some(Location::Here);
    };
    let shard = ownership.shard(entity)?;
    if ownership.may_release(shard).is_some() {
        return Some(Location::Here);
    }
    let owner = ownership.row(shard).and_then(|row| row.owner);
    let others = owner.filter(|owner| *owner != ownership.me());
    let name = others.and_then(|owner| ownership.node_name(owner));
    Some(name.map_or(Location::Nowhere, Location::Node))
}

/// True if this process has entities of this type, or is in a cluster that has.
pub fn is_reached(of: &EntityType) -> bool {
    let knows = |cluster: Arc<Cluster>| cluster.ownership().is_some_and(|ownership| ownership.knows(of));
    has_type(of) || of_process().is_some_and(knows)
}

/// Why a message that could not be sent wasn't, and the message.
pub(crate) type NotRouted = (SerializedMessage, NotSent);

impl Cluster {
    /// One that isn't known yet. Must be called within a runtime.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            ownership: OnceLock::new(),
            on_demand: OnceLock::new(),
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            farewells: Farewells::default(),
            wake: Notify::new(),
            runtime: Handle::current(),
        })
    }

    /// The node knows of others from now on. Only the first call counts.
    pub fn join(self: &Arc<Self>, ownership: Arc<dyn Ownership>) {
        self.ownership.set(ownership).ok();
        self.greet();
        self.changed();
    }

    /// What is known of shards may be another by now.
    pub fn changed(&self) {
        self.outgoing.look_again();
        self.wake.notify_one();
    }

    /// What messages have come to.
    pub fn figures(&self) -> ClusterFigures {
        let mut figures = self.outgoing.figures();
        self.incoming.figures(&mut figures);
        figures
    }

    fn ownership(&self) -> Option<&dyn Ownership> {
        self.ownership.get().map(|ownership| &**ownership)
    }

    /// The right by which this node would activate the entity now.
    pub(crate) fn right(&self, entity: &Entity) -> Option<Fence> {
        let ownership = self.ownership()?;
        let shard = ownership.shard(entity)?;
        let epoch = ownership.may_take(shard)?;
        Some(Fence { shard, epoch })
    }

    /// True while this node may act by this right.
    pub(crate) fn holds(&self, right: Fence) -> bool {
        let ownership = self.ownership();
        ownership.is_some_and(|ownership| ownership.may_release(right.shard) == Some(right.epoch))
    }

    /// True if a message for the entity may go to it on this node. `has_place`: the entity is active here, or about to be or to end. To be
    /// asked under the lock of the entity's table. A message of `way` that is any must not overtake what waits for its shard.
    pub(crate) fn is_here(&self, entity: &Entity, has_place: bool, way: Way) -> bool {
        let Some(ownership) = self.ownership() else {
            return false;
        };
        let Some(shard) = ownership.shard(entity) else {
            return false;
        };
        (has_place || ownership.may_take(shard).is_some()) && (way == Way::Here || self.outgoing.is_idle(shard))
    }

    /// True if the entity is in this shard.
    pub(crate) fn is_in(&self, entity: &Entity, shard: ShardId) -> bool {
        self.ownership()
            .is_some_and(|ownership| ownership.shard(entity) == Some(shard))
    }

    /// A message is about to wait for an activation.
    pub(crate) fn waits(&self, marks: &Mutex<Marks>, message: &SerializedMessage) {
        if let Some(origin) = self.incoming.origin(message) {
            marks.lock().handle_waits(origin);
        }
    }

    /// An entity of this node is about to handle a message. The message as it was sent; none if its sender counts it as lost.
    ///
    /// # Errors
    /// The node may not act any more. The message is for the next activation, wherever that is.
    pub(crate) fn admit(
        &self,
        (right, marks): (Fence, &Mutex<Marks>),
        message: SerializedMessage,
    ) -> Result<Option<SerializedMessage>, SerializedMessage> {
        if !self.holds(right) {
            return Err(message);
        }
        if let Some(origin) = self.incoming.origin(&message) {
            let dropped = marks.lock().handle_begun(&origin);
            self.incoming.settle(self, dropped);
        }
        Ok(self.incoming.begin(self, message))
    }

    /// A message waits for its activation no more: it was not taken, or was given back.
    pub(crate) fn taken_back(&self, marks: &Mutex<Marks>, message: &SerializedMessage) {
        if let Some(origin) = self.incoming.origin(message) {
            marks.lock().handle_taken_back(&origin);
        }
    }

    /// The activation has ended, and what it gave back was taken out.
    pub(crate) fn ended(&self, marks: &Mutex<Marks>) {
        let dropped = marks.lock().take_rest();
        self.incoming.settle(self, dropped);
    }

    /// A message that waited isn't handled, and goes nowhere else. Gives it without its mark.
    pub(crate) fn dropped(&self, message: SerializedMessage) -> Option<SerializedMessage> {
        self.incoming.begin(self, message)
    }

    /// A message that this node has taken is for another: it goes back where it came from, or if that is here, to where the entity is.
    /// What it is for must not be sent to meanwhile.
    pub(crate) fn send_on(self: &Arc<Self>, entity: &Entity, message: SerializedMessage) {
        if is_nudge(&message) {
            return;
        }
        let Some(message) = self.incoming.give_back(self, message) else {
            return;
        };
        if let Err((message, reason)) = self.enqueue(entity, message) {
            give_up_for(entity, message, reason);
        }
        // Whoever calls this has locks, under which nothing is sent.
        self.wake.notify_one();
    }
}

/// The way that a message may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To whatever node has its entity.
    Any,
    /// It is for this node, or goes back.
    Here,
}

/// A message isn't handled. If it is a call, its caller hears why.
fn give_up(message: SerializedMessage, reason: &str) {
    if let SerializedMessage::Call { reply, .. } = message {
        told(fail(reply, FailureReason::new(reason)));
    }
}

/// The same for one that an entity was to handle. Of a cast nobody would hear otherwise.
fn give_up_for(entity: &Entity, message: SerializedMessage, reason: NotSent) {
    if matches!(message, SerializedMessage::Cast { .. }) {
        tracing::warn!(%entity, %reason, "a message for an entity is given up");
    }
    give_up(message, &format!("{entity}: {reason}"));
}

/// That of this process, if its node is part of one.
pub(crate) fn of_process() -> Option<Arc<Cluster>> {
    CLUSTER.read().clone()
}

pub(crate) fn set_of_process(cluster: Option<Arc<Cluster>>) {
    *CLUSTER.write() = cluster;
}
