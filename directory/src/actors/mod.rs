//! The actors of this process by pid and by name, and the peers that know others.

mod looking;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use ractor::message::SerializedMessage;
use ractor::registry::{where_is as where_is_native, where_is_pid};
use ractor::{ActorCell, ActorId, ActorStatus};

pub use self::looking::{FoundActor, Lent, WantedActor, lend, look, look_for, own_node};
use crate::namesakes;
use crate::traced::Sender;

/// The node id under which this process spawns its own guests. No session is ever given it.
pub const SANDBOX_NODE_ID: u64 = 1 << 52;

/// The first pid of a hosted actor. ractor counts its own pids up from 0, so the two ranges never meet; both stay
/// below 2^53, the largest range that every guest language represents exactly.
pub const FIRST_HOSTED_PID: u64 = 1 << 52;

static NEXT_HOSTED_PID: AtomicU64 = AtomicU64::new(FIRST_HOSTED_PID);
static DIRECTORY: LazyLock<RwLock<Directory>> = LazyLock::new(RwLock::default);

/// Something happened to a hosted actor.
#[derive(Clone, Debug)]
pub enum HostedEvent {
    /// It can be addressed from now on.
    Spawned(ActorCell),
    /// It ended.
    Terminated(ActorCell),
}

/// A boxed future, as traits need it that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Finds and reaches the actors of one peer.
pub trait RemoteActors: Send + Sync + 'static {
    /// The stand-in for the actor with this pid on the peer, spawned if need be; none if the peer doesn't advertise it.
    fn stand_in(&self, pid: u64) -> BoxFuture<'_, Option<ActorCell>>;

    /// The stand-in for the peer's actor of this name.
    fn stand_in_named(&self, name: String) -> BoxFuture<'_, Option<ActorCell>>;

    /// Whether the peer advertises this actor. No stand-in is made.
    fn look(&self, wanted: WantedActor) -> BoxFuture<'_, Option<FoundActor>>;

    /// The stand-in for the actor with this pid, to be given back.
    fn lend(&self, pid: u64) -> BoxFuture<'_, Option<Lent>>;

    /// Sends to an actor of the peer, past its stand-in, and waits while the peer takes messages more slowly than they
    /// come.
    fn send(&self, pid: u64, message: SerializedMessage) -> BoxFuture<'_, Result<(), SendRefused>>;
}

/// Why a message to an actor of a peer was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendRefused {
    /// The peer has no such actor, or there is no session with it any more.
    #[error("no such actor, or its node is gone")]
    UnknownActor,
    /// The message is larger than the peer accepts.
    #[error("the message is larger than the peer accepts")]
    TooLarge,
    /// The peer takes messages too slowly.
    #[error("the peer takes messages too slowly")]
    Overloaded,
}

/// The mailbox of a hosted actor, which has limits that ractor's mailboxes lack.
pub trait Inbox: Send + Sync + 'static {
    /// Takes a message, or hands it back. Never waits.
    ///
    /// # Errors
    /// There is no room, or the actor has ended.
    fn put(&self, message: SerializedMessage) -> Result<Placed, NotPut>;

    /// Takes a message back that was put here. None if the actor has it by now, or it never waited: so it is where nothing waits under a number.
    fn withdraw(&self, _placed: Placed) -> Option<SerializedMessage> {
        None
    }

    /// Completes as soon as there may be room again, or the actor has ended. None if senders are not to wait.
    /// To miss no room, a sender asks before it tries [`put`](Self::put) once more.
    fn room(&self) -> Option<BoxFuture<'_, ()>> {
        None
    }

    /// Says who sends a message that is about to be put here. Asked for only while [somebody is traced](crate::is_anyone_traced).
    fn comes_from(&self, _message: &SerializedMessage, _sender: Sender) {}

    /// The actor is about to drain. To be said before, so that as it ends it finishes what it has kept apart from its mailbox.
    fn drains(&self) {}
}

/// Where a message waits in a mailbox that has taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// Under this number, which no other message of the mailbox has or will have.
    Waits(u64),
    /// Nowhere: it is answered without the actor's turn, or its place isn't known.
    Nowhere,
}

/// A message that a mailbox didn't take.
#[derive(Debug)]
pub struct NotPut {
    /// The message. If it is a call, dropping it tells the caller.
    pub message: SerializedMessage,
    /// Why.
    pub reason: PutRefused,
}

/// Why a mailbox didn't take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutRefused {
    /// As much waits there already as its limits allow.
    #[error("its mailbox is full")]
    Full,
    /// The actor has ended.
    #[error("the actor has ended")]
    Ended,
}

/// An actor of this process to send to.
#[derive(Clone)]
pub struct Local {
    /// The actor.
    pub cell: ActorCell,
    /// Its mailbox; none for a native actor, whose mailbox is ractor's.
    pub inbox: Option<Arc<dyn Inbox>>,
}

impl Local {
    /// Sends without waiting.
    ///
    /// # Errors
    /// The actor has ended, or its mailbox is full.
    pub fn send(&self, message: SerializedMessage) -> Result<(), PutRefused> {
        match &self.inbox {
            Some(inbox) => inbox.put(message).map(drop).map_err(|not_put| not_put.reason),
            None => self.cell.send_serialized(message).map_err(|_| PutRefused::Ended),
        }
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cell.fmt(f)
    }
}

type HostedListener = Arc<dyn Fn(HostedEvent) + Send + Sync>;

#[derive(Default)]
struct Directory {
    hosted: HashMap<u64, (Local, Audience)>,
    names: HashMap<String, u64>,
    listeners: HashMap<ActorId, HostedListener>,
    peers: HashMap<u64, ConnectedNode>,
    /// This process's node, once it has one.
    node: Option<Node>,
}

/// A node as addresses name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its full name, `name@hostname`.
    pub name: String,
    /// A number that it drew when it started; 0 for a stock node, which has none.
    pub incarnation: u64,
}

/// A node with which there is a session.
#[derive(Clone)]
struct ConnectedNode {
    node: Node,
    actors: Arc<dyn RemoteActors>,
}

/// The name is in use by another actor of this process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the actor name {0:?} is taken; choose another or stop the actor that has it")]
pub struct NameTaken(pub String);

/// Keeps a hosted actor in the directory until dropped.
#[derive(Debug)]
pub struct Hosted {
    cell: ActorCell,
}

/// Who hears of a hosted actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every session, which tells its peer.
    Everyone,
    /// This process alone: there may be very many such actors, and they are found in another way. Sessions hear of their ends, since such
    /// an actor may be the member of a group, which peers are told of.
    ThisProcess,
}

/// A fresh id for a hosted actor: unique in this process for its whole life.
pub fn reserve_hosted_id() -> ActorId {
    ActorId::Remote {
        node_id: SANDBOX_NODE_ID,
        // Only the number counts, and nothing is ordered by it, so Relaxed is enough.
        pid: NEXT_HOSTED_PID.fetch_add(1, Ordering::Relaxed),
    }
}

/// True for the id of an actor that runs in this process, native or guest.
pub fn is_ours(id: ActorId) -> bool {
    id.is_local() || id.node() == SANDBOX_NODE_ID
}

/// Enters a hosted actor under its pid and, if it has one, its name, and tells every listener, if everyone is to hear of it. Without
/// a mailbox of its own, ractor's is the actor's mailbox.
///
/// # Errors
/// The name belongs to another live actor of this process, native or hosted.
pub fn register_hosted(
    cell: ActorCell,
    inbox: Option<Arc<dyn Inbox>>,
    audience: Audience,
) -> Result<Hosted, NameTaken> {
    let listeners = {
        // One lock for the look and the entry, so that of two guests that start at once only one gets the name.
        let mut directory = write();
        if let Some(name) = cell.get_name() {
            if directory.holds(&name) || native(&name).is_some() {
                // The cell ends now, and its end takes the name of a native actor off ractor's registry.
                namesakes::note_named(&name);
                return Err(NameTaken(name));
            }
            directory.names.insert(name, cell.get_id().pid());
        }
        let local = Local {
            cell: cell.clone(),
            inbox,
        };
        directory.hosted.insert(cell.get_id().pid(), (local, audience));
        // Taken under the lock of the entry: a session that begins to listen meanwhile hears of the actor, or finds it in its
        // snapshot.
        directory.listeners(audience)
    };
    // Outside of the lock: listeners look things up here.
    notify(&listeners, &HostedEvent::Spawned(cell.clone()));
    Ok(Hosted { cell })
}

impl Drop for Hosted {
    fn drop(&mut self) {
        let listeners = {
            let mut directory = write();
            directory.hosted.remove(&self.cell.get_id().pid());
            // The name may belong to a successor by now.
            let pid = self.cell.get_id().pid();
            if let Some(name) = self.cell.get_name()
                && directory.names.get(&name) == Some(&pid)
            {
                directory.names.remove(&name);
            }
            // Whoever it was a secret from may have been told of it since, as the member of a group.
            directory.listeners(Audience::Everyone)
        };
        notify(&listeners, &HostedEvent::Terminated(self.cell.clone()));
    }
}

/// The actor of this process that has this pid, native or hosted.
pub fn local_actor(pid: u64) -> Option<ActorCell> {
    local(pid).map(|local| local.cell)
}

/// The actor of this process that has this pid, native or hosted, to send to.
pub fn local(pid: u64) -> Option<Local> {
    if pid >= FIRST_HOSTED_PID {
        return read().hosted.get(&pid).map(|(local, _)| local.clone());
    }
    let cell = where_is_pid(ActorId::Local(pid))?;
    Some(Local { cell, inbox: None })
}

/// The mailbox of a hosted actor of this process; none for any other.
pub fn inbox(id: ActorId) -> Option<Arc<dyn Inbox>> {
    (id.node() == SANDBOX_NODE_ID).then(|| read().hosted.get(&id.pid())?.0.inbox.clone())?
}

/// The actor of this process that has this name, native or hosted.
pub fn where_is(name: &str) -> Option<ActorCell> {
    if let Some(cell) = native(name) {
        return Some(cell);
    }
    let directory = read();
    let pid = directory.names.get(name)?;
    directory.hosted.get(pid).map(|(local, _)| local.cell.clone())
}

/// The native actor of this process that has this name, also if ractor's registry has lost it.
fn native(name: &str) -> Option<ActorCell> {
    where_is_native(name).or_else(|| namesakes::find(name))
}

/// The name by which [`find`] finds this actor and no other: that of an actor of this process as it is, and
/// `actor@name@hostname` for one of a peer. None if the actor has no name, or the session with its node is over.
pub fn qualified_name(actor: &ActorCell) -> Option<String> {
    let name = actor.get_name()?;
    if is_ours(actor.get_id()) {
        return Some(name);
    }
    let node = node_of(actor.get_id())?.name;
    // The stand-in may bear its node's name already, see `node::StandInNames`.
    let is_qualified = name.strip_suffix(&node).is_some_and(|rest| rest.ends_with('@'));
    Some(if is_qualified { name } else { format!("{name}@{node}") })
}

/// Every hosted actor of which everyone hears, in no particular order.
pub fn hosted_actors() -> Vec<ActorCell> {
    let directory = read();
    let told = directory
        .hosted
        .values()
        .filter(|(_, audience)| *audience == Audience::Everyone);
    told.map(|(local, _)| local.cell.clone()).collect()
}

/// The actor with this id, wherever it lives. For an actor of another node this is its stand-in, spawned if need be.
pub async fn resolve(id: ActorId) -> Option<ActorCell> {
    if is_ours(id) {
        return local_actor(id.pid());
    }
    let peer = read().peers.get(&id.node()).cloned()?;
    peer.actors.stand_in(id.pid()).await
}

/// The actor of this name, wherever it lives. If this node has none, it is that of the node whose full name sorts first among those
/// that have one. `actor@name@hostname` asks one node alone.
pub async fn find(name: &str) -> Option<ActorCell> {
    let (actor, peers) = match place(name) {
        NameLocation::Here(cell) => return cell,
        NameLocation::Peers(actor, peers) => (actor, peers),
    };
    // One after the other: the first node by name has precedence, however fast the others answer.
    for peer in peers {
        if let Some(cell) = peer.actors.stand_in_named(actor.to_owned()).await {
            return Some(cell);
        }
    }
    None
}

/// Where the actor of a name is.
enum NameLocation<'a> {
    /// On this node, if it is anywhere.
    Here(Option<ActorCell>),
    /// On the first of these peers that has one of this bare name.
    Peers(&'a str, Vec<ConnectedNode>),
}

fn place(name: &str) -> NameLocation<'_> {
    if let Some(cell) = where_is(name) {
        return NameLocation::Here(Some(cell));
    }
    let (actor, node) = split_qualified(name);
    if node.is_some() && node == read().node.as_ref().map(|node| node.name.as_str()) {
        return NameLocation::Here(where_is(actor));
    }
    // Copied, because the peers are asked one after the other, and no lock may be held across that.
    let mut peers: Vec<_> = read().peers.values().cloned().collect();
    peers.retain(|peer| node.is_none_or(|node| node == peer.node.name));
    peers.sort_by(|a, b| a.node.name.cmp(&b.node.name));
    NameLocation::Peers(actor, peers)
}

/// `actor@name@hostname` as actor and node; anything else is an actor's name alone.
fn split_qualified(name: &str) -> (&str, Option<&str>) {
    let host = name.rfind('@');
    let node = host.and_then(|host| name.get(..host)).and_then(|rest| rest.rfind('@'));
    match node.and_then(|at| Some((name.get(..at)?, name.get(at + 1..)?))) {
        Some((actor, node)) if !actor.is_empty() => (actor, Some(node)),
        _ => (name, None),
    }
}

/// Sends to an actor of another node, and waits while that node takes messages more slowly than they come.
///
/// # Errors
/// The message was not taken.
pub async fn send_remote(id: ActorId, message: SerializedMessage) -> Result<(), SendRefused> {
    let peer = read().peers.get(&id.node()).cloned().ok_or(SendRefused::UnknownActor)?;
    peer.actors.send(id.pid(), message).await
}

/// The node that an id belongs to; none if this process has no node, or there is no session with that node any more.
pub fn node_of(id: ActorId) -> Option<Node> {
    let directory = read();
    if is_ours(id) {
        return directory.node.clone();
    }
    directory.peers.get(&id.node()).map(|peer| peer.node.clone())
}

/// The id of the actor with this pid on this node; none if that is neither this node nor a peer, in the very life that
/// `node` names.
pub fn actor_id(node: &Node, pid: u64) -> Option<ActorId> {
    let directory = read();
    if directory.node.as_ref() == Some(node) {
        return Some(if pid >= FIRST_HOSTED_PID {
            ActorId::Remote {
                node_id: SANDBOX_NODE_ID,
                pid,
            }
        } else {
            ActorId::Local(pid)
        });
    }
    let (node_id, _) = directory.peers.iter().find(|(_, peer)| peer.node == *node)?;
    Some(ActorId::Remote { node_id: *node_id, pid })
}

/// Sets the name and incarnation of this process's node.
pub fn set_node(node: Node) {
    write().node = Some(node);
}

/// Calls `listener` on every [`HostedEvent`] until [`demonitor_hosted`] is called with the same id. The listener runs
/// on the thread that caused the event and must not block.
pub fn monitor_hosted(id: ActorId, listener: impl Fn(HostedEvent) + Send + Sync + 'static) {
    write().listeners.insert(id, Arc::new(listener));
}

/// Ends what [`monitor_hosted`] began.
pub fn demonitor_hosted(id: ActorId) {
    write().listeners.remove(&id);
}

/// Makes the actors of a peer resolvable under the node id of its session and the peer's name.
pub fn add_peer(node_id: u64, node: Node, actors: Arc<dyn RemoteActors>) {
    write().peers.insert(node_id, ConnectedNode { node, actors });
}

/// Ends what [`add_peer`] began.
pub fn remove_peer(node_id: u64) {
    write().peers.remove(&node_id);
}

impl Directory {
    /// True if a live hosted actor has this name. One that is ending gives its name up: a killed actor's entry outlives
    /// it for a moment, and its supervisor may want to start another under the same name at once.
    fn holds(&self, name: &str) -> bool {
        let holder = self.names.get(name).and_then(|pid| self.hosted.get(pid));
        holder.is_some_and(|(local, _)| local.cell.get_status() < ActorStatus::Stopping)
    }

    fn listeners(&self, audience: Audience) -> Vec<HostedListener> {
        match audience {
            Audience::Everyone => self.listeners.values().cloned().collect(),
            Audience::ThisProcess => Vec::new(),
        }
    }
}

fn notify(listeners: &[HostedListener], event: &HostedEvent) {
    for listener in listeners {
        listener(event.clone());
    }
}

fn read() -> parking_lot::RwLockReadGuard<'static, Directory> {
    DIRECTORY.read()
}

fn write() -> parking_lot::RwLockWriteGuard<'static, Directory> {
    DIRECTORY.write()
}

#[cfg(test)]
mod tests {
    use super::split_qualified;

    #[test]
    fn a_qualified_name_is_an_actor_and_a_full_node_name() {
        for (name, expected) in [
            ("counter", ("counter", None)),
            ("counter@alpha@localhost", ("counter", Some("alpha@localhost"))),
            ("a@b@c@d", ("a@b", Some("c@d"))),
            ("counter@alpha", ("counter@alpha", None)),
            ("@alpha@localhost", ("@alpha@localhost", None)),
            ("", ("", None)),
            ("@@", ("@@", None)),
        ] {
            assert_eq!(split_qualified(name), expected, "{name}");
        }
    }
}
