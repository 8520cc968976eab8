//! The messages of the protocol, checked: what the rest of the crate works with.

use std::fmt;

/// The most bytes that the name of an actor, a group or a scope may have. Stock nodes know no such limit.
pub(crate) const MAX_NAME_BYTES: usize = 255;

/// What the names of entities begin with, and those of the actors and groups that stand for their types. They are nobody else's.
pub(crate) const ENTITIES: &str = "entity:";

/// What the names of those groups begin with that nodes of this program have for themselves.
pub(crate) const OWN_GROUPS: &str = "ractor-host.";

/// True for a name that is only an entity's, or that of what stands for a type of entities.
pub(crate) fn is_of_entities(name: &str) -> bool {
    name.starts_with(ENTITIES)
}

/// True for `entity:TYPE`: the name of the actor that stands for a type of entities on its node, and of the group that it is in.
pub(crate) fn is_of_type(name: &str) -> bool {
    let of = name.strip_prefix(ENTITIES);
    of.is_some_and(|of| !of.is_empty() && !of.contains('/'))
}

/// The most bytes that a node's full name or its connection string may have: two names of 255 bytes and what is between them.
pub(crate) const MAX_NODE_NAME_BYTES: usize = 512;

/// A SHA-256 digest over a challenge and the cookie.
pub(crate) type CookieDigest = [u8; 32];

/// A number of 128 bits that one end of a handshake draws, so that a proof over it is new.
pub(crate) type HandshakeNonce = [u8; 16];

/// One message between two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The handshake.
    Auth(Auth),
    /// The control plane: actors and groups as they come and go, and the health of the link.
    Control(Control),
    /// The data plane: what actors send each other.
    Data(Data),
    /// A message kind of a later protocol version. To be ignored.
    Unknown,
}

/// A step of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// The initiator introduces itself.
    Name(NameMessage),
    /// The acceptor says whether to go on.
    ServerStatus(ServerStatus),
    /// The initiator answers [`ServerStatus::Alive`]: true to go on.
    ClientStatus(bool),
    /// The acceptor introduces itself and asks for proof of the cookie.
    ServerChallenge(Challenge),
    /// The initiator's proof, and its own challenge.
    ClientChallenge(ChallengeReply),
    /// The acceptor's proof.
    ServerAck {
        /// Of the initiator's challenge; 32 bytes if the peer is honest.
        digest: Vec<u8>,
    },
    /// A step that this version doesn't know, or an empty one. Never in order.
    Unknown,
}

impl Message {
    /// What it is, for logs and errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Auth(auth) => auth.kind(),
            Self::Control(_) => "a control message",
            Self::Data(_) => "a data message",
            Self::Unknown => "an unknown message",
        }
    }
}

impl Auth {
    /// The name of this step, for logs and errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Name(_) => "Name",
            Self::ServerStatus(_) => "ServerStatus",
            Self::ClientStatus(_) => "ClientStatus",
            Self::ServerChallenge(_) => "Challenge",
            Self::ClientChallenge(_) => "ChallengeReply",
            Self::ServerAck { .. } => "ChallengeAck",
            Self::Unknown => "an unknown step",
        }
    }
}

/// The flags of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NodeFlags {
    /// The protocol version; 1.
    pub version: u32,
    /// What the node understands beyond the stock protocol: a set of bits, none of them set by a stock node.
    pub capabilities: u32,
    /// The largest frame that the node accepts, in bytes; 0 if it doesn't say, as no stock node does.
    pub max_frame: u64,
    /// A number that the node drew when it started, which tells a restart; 0 if it doesn't say, as no stock node does.
    pub incarnation: u64,
}

/// The node understands that a call failed.
pub const CAPABILITY_CALL_FAILED: u32 = 1;
/// The node understands [`Control::NameTaken`]: a bit of [`NodeFlags::capabilities`].
pub const CAPABILITY_NAME_TAKEN: u32 = 2;
/// The node proves the cookie over all that both ends have said, their names and incarnations among it: a bit of
/// [`NodeFlags::capabilities`]. Nodes that both announce it accept nothing less from each other.
pub const CAPABILITY_IDENTITY: u32 = 4;
/// The node wants to know which trace a cast or a call belongs to: a bit of [`NodeFlags::capabilities`]. Only a node that traces
/// announces it.
pub(crate) const CAPABILITY_TRACE: u32 = 8;

/// The node heeds what its peer wants to know of groups, and says of an actor that it is asked for whether it is there: a bit of
/// [`NodeFlags::capabilities`].
pub(crate) const CAPABILITY_GROUPS: u32 = 16;
/// The node is about to say which groups it wants to know of, and waits with nothing meanwhile: a bit of
/// [`NodeFlags::capabilities`]. Its peer tells it nothing of actors and groups before.
pub(crate) const CAPABILITY_INTEREST: u32 = 32;

/// This connection is for entities alone, and whoever opened it closes it when neither end needs it: a bit of
/// [`NodeFlags::capabilities`], for the initiator's name. Groups of users, and names, are not told by it.
pub(crate) const CAPABILITY_ON_DEMAND: u32 = 64;

/// A node's name and how to connect to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NameMessage {
    /// `node_name@hostname`.
    pub name: String,
    /// The node's flags.
    pub flags: Option<NodeFlags>,
    /// `hostname:port` of its listener.
    pub connection_string: String,
    /// A nonce that the initiator gives each connection; 0 from nodes that know none.
    pub connection_id: u64,
}

/// The acceptor's answer to the initiator's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerStatus {
    /// Go on.
    Ok,
    /// Go on; another connection between the two nodes is under way and will be dropped in favour of this one.
    OkSimultaneous,
    /// Stop: another connection between the two nodes goes on.
    NotOk,
    /// Stop: not allowed.
    NotAllowed,
    /// There is a connection already; the initiator may insist.
    Alive,
}

impl fmt::Display for ServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::OkSimultaneous => "ok, simultaneous",
            Self::NotOk => "not ok: another connection between the two nodes goes on",
            Self::NotAllowed => "not allowed",
            Self::Alive => "alive",
        })
    }
}

/// The acceptor's challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The acceptor's full name.
    pub name: String,
    /// The acceptor's flags.
    pub flags: Option<NodeFlags>,
    /// The number to digest together with the cookie.
    pub challenge: u32,
    /// The address at which the acceptor listens.
    pub connection_string: String,
    /// The acceptor's nonce. Only for nodes with [`CAPABILITY_IDENTITY`].
    pub nonce: Option<HandshakeNonce>,
}

/// The initiator's answer to a [`Challenge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeReply {
    /// The initiator's own challenge.
    pub challenge: u32,
    /// Of the acceptor's challenge, or of all that was said; 32 bytes if the peer is honest.
    pub digest: Vec<u8>,
    /// The initiator's nonce. Only for nodes with [`CAPABILITY_IDENTITY`].
    pub nonce: Option<HandshakeNonce>,
}

/// An actor as its node advertises it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Its pid on its own node.
    pub pid: u64,
    /// Its name.
    pub name: Option<String>,
}

/// Actors that join or leave a process group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// The scope.
    pub scope: String,
    /// The group.
    pub group: String,
    /// The actors.
    pub actors: Vec<Actor>,
}

impl GroupChange {
    /// True if the name of the group or of its scope is longer than [`MAX_NAME_BYTES`].
    pub(crate) fn has_long_name(&self) -> bool {
        self.group.len() > MAX_NAME_BYTES || self.scope.len() > MAX_NAME_BYTES
    }

    /// Leaves those out that may not be members of the group, for its name: where it is that of a type of entities, only the actor
    /// that stands for the type is. Gives how many are left out. `name` says what an actor is called.
    pub(crate) fn retain_entitled(&mut self, name: impl Fn(&Actor) -> Option<String>) -> usize {
        if !is_of_entities(&self.group) {
            return 0;
        }
        let before = self.actors.len();
        let is_type = is_of_type(&self.group);
        let group = &self.group;
        self.actors
            .retain(|actor| is_type && name(actor).as_deref() == Some(group));
        before - self.actors.len()
    }
}

/// A point in time as the sender of a ping counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timestamp {
    /// Whole seconds.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: i32,
}

/// The control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Actors that can be addressed from now on.
    Spawn(Vec<Actor>),
    /// Pids that ended.
    Terminate(Vec<u64>),
    /// A question whether the peer is alive.
    Ping(Option<Timestamp>),
    /// The answer, with the ping's own timestamp.
    Pong(Option<Timestamp>),
    /// Actors joined a group.
    PgJoin(GroupChange),
    /// Actors left a group.
    PgLeave(GroupChange),
    /// A question of the named node: which other nodes the peer is connected to.
    EnumerateNodeSessions(NameMessage),
    /// The answer to it.
    NodeSessions(Vec<NameMessage>),
    /// The sender has sent all that it had when the session was authenticated.
    Ready,
    /// Another node has the receiver's name. Only for nodes with [`CAPABILITY_NAME_TAKEN`].
    NameTaken(NameTaken),
    /// The sender stops in order: its actors have left their groups, and it will close the connection. Only for nodes with
    /// [`CAPABILITY_NAME_TAKEN`], which ignore it if they are too old to know it.
    Leaving,
    /// The groups that the sender wants to know of, and no others. Only for nodes with [`CAPABILITY_GROUPS`], and before anything about actors.
    Interest(Vec<WantedGroups>),
    /// The sender has come across the address of an actor of the receiver's, by this pid. The answer is a `Spawn` or a `Terminate` of it. Only
    /// for nodes with [`CAPABILITY_GROUPS`].
    Ask(u64),
    /// A control message that this version doesn't know. To be ignored.
    Unknown,
}

/// Groups that a node wants to know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGroups {
    /// Their names, as a pattern.
    pub pattern: String,
    /// True if one of the members that a node has is enough.
    pub one_per_node: bool,
}

/// Another node that has the receiver's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameTaken {
    /// The other node's address, in words of the sender.
    pub address: String,
    /// How long the sender has been connected to it, in seconds.
    pub for_seconds: u64,
    /// True if the session with the receiver goes on and the other node was turned away; false if it is the other way round.
    pub receiver_stays: bool,
}

/// The data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A message without a reply.
    Cast(Cast),
    /// A message that wants a reply.
    Call(Call),
    /// The reply.
    Reply(Reply),
    /// There will be no reply. Only for nodes with [`CAPABILITY_CALL_FAILED`].
    CallFailed {
        /// The `to` of the call.
        to: u64,
        /// The `tag` of the call.
        tag: u64,
        /// Why, in the words of the actor: text, as far as the peer keeps to that, of any length. Earlier nodes of ours neither
        /// send nor read it.
        reason: Option<Vec<u8>>,
    },
}

/// A message without a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cast {
    /// The receiver's pid on its node.
    pub to: u64,
    /// The variant's tag.
    pub variant: String,
    /// The encoded arguments.
    pub args: Vec<u8>,
    /// Whatever the sender attached.
    pub metadata: Option<Vec<u8>>,
    /// The trace that it belongs to. Only for nodes with [`CAPABILITY_TRACE`].
    pub trace: Option<Box<TraceFields>>,
}

/// What a message says of its trace: `traceparent` and `tracestate` of W3C Trace Context, as they came. What isn't one is no reason to end
/// a session, so nothing here is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFields {
    /// The `traceparent`.
    pub parent: Vec<u8>,
    /// The `tracestate`; empty if there is none.
    pub state: Vec<u8>,
}

/// A message that wants a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// The receiver's pid on its node.
    pub to: u64,
    /// The sender's number for this call; echoed by the reply.
    pub tag: u64,
    /// How long the caller waits, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The variant's tag.
    pub variant: String,
    /// The encoded arguments.
    pub args: Vec<u8>,
    /// Whatever the sender attached.
    pub metadata: Option<Vec<u8>>,
    /// The trace that it belongs to. Only for nodes with [`CAPABILITY_TRACE`].
    pub trace: Option<Box<TraceFields>>,
}

/// The reply to a [`Call`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The `to` of the call.
    pub to: u64,
    /// The `tag` of the call.
    pub tag: u64,
    /// The encoded reply.
    pub what: Vec<u8>,
}
