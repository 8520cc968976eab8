//! The protobuf messages of the control plane, for prost. The data plane has its own codec in `data.rs`; its messages
//! are declared here too, because that codec hands whatever is unusual to this one.

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(super) struct NetworkMessage {
    #[prost(oneof = "Network", tags = "1, 2, 3")]
    pub(super) message: Option<Network>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Network {
    #[prost(message, tag = "1")]
    Auth(AuthenticationMessage),
    #[prost(message, tag = "2")]
    Node(NodeMessage),
    #[prost(message, tag = "3")]
    Control(ControlMessage),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeFlags {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    /// Ours: what the node understands beyond the stock protocol.
    #[prost(uint32, tag = "100")]
    pub(super) capabilities: u32,
    /// Ours: the largest frame that the node accepts, in bytes; 0 if it doesn't say.
    #[prost(uint64, tag = "101")]
    pub(super) max_frame: u64,
    /// Ours: drawn when the node started; 0 if it doesn't say.
    #[prost(uint64, tag = "102")]
    pub(super) incarnation: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NameMessage {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) flags: Option<NodeFlags>,
    #[prost(string, tag = "3")]
    pub(super) connection_string: String,
    #[prost(uint64, tag = "4")]
    pub(super) connection_id: u64,
}

/// The numbers of `auth.ServerStatus.Status`.
pub(super) mod status {
    pub(crate) const OK: i32 = 0;
    pub(crate) const OK_SIMULTANEOUS: i32 = 1;
    pub(crate) const NOT_OK: i32 = 2;
    pub(crate) const NOT_ALLOWED: i32 = 3;
    pub(crate) const ALIVE: i32 = 4;
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ServerStatus {
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ClientStatus {
    #[prost(bool, tag = "1")]
    pub(super) status: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Challenge {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) flags: Option<NodeFlags>,
    #[prost(uint32, tag = "3")]
    pub(super) challenge: u32,
    #[prost(string, tag = "4")]
    pub(super) connection_string: String,
    /// Ours: the acceptor's part of what both prove; only for an initiator that announced that it proves it.
    #[prost(bytes = "vec", tag = "100")]
    pub(super) nonce: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChallengeReply {
    #[prost(uint32, tag = "1")]
    pub(super) challenge: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) digest: Vec<u8>,
    /// Ours: the initiator's part of what both prove; only for an acceptor that sent its own.
    #[prost(bytes = "vec", tag = "100")]
    pub(super) nonce: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ChallengeAck {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) digest: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AuthenticationMessage {
    #[prost(oneof = "Authentication", tags = "1, 2, 3, 4, 5, 6")]
    pub(super) msg: Option<Authentication>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Authentication {
    #[prost(message, tag = "1")]
    Name(NameMessage),
    #[prost(message, tag = "2")]
    ServerStatus(ServerStatus),
    #[prost(message, tag = "3")]
    ClientStatus(ClientStatus),
    #[prost(message, tag = "4")]
    ServerChallenge(Challenge),
    #[prost(message, tag = "5")]
    ClientChallenge(ChallengeReply),
    #[prost(message, tag = "6")]
    ServerAck(ChallengeAck),
}

#[derive(Clone, PartialEq, Message)]
pub struct Actor {
    #[prost(uint64, tag = "1")]
    pub(super) pid: u64,
    #[prost(string, optional, tag = "2")]
    pub(super) name: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Spawn {
    #[prost(message, repeated, tag = "1")]
    pub(super) actors: Vec<Actor>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Terminate {
    #[prost(uint64, repeated, tag = "1")]
    pub(super) ids: Vec<u64>,
}

/// `Ping` and `Pong` have one shape.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Beat {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<prost_types::Timestamp>,
}

/// `PgJoin` and `PgLeave` have one shape.
#[derive(Clone, PartialEq, Message)]
pub struct GroupChange {
    #[prost(string, tag = "1")]
    pub(super) group: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) actors: Vec<Actor>,
    #[prost(string, tag = "3")]
    pub(super) scope: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeSessions {
    #[prost(message, repeated, tag = "1")]
    pub(super) sessions: Vec<NameMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Ready {}

/// Ours: another node has the receiver's name.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NameTaken {
    #[prost(string, tag = "1")]
    pub(super) address: String,
    #[prost(uint64, tag = "2")]
    pub(super) for_seconds: u64,
    #[prost(bool, tag = "3")]
    pub(super) receiver_stays: bool,
}

/// Ours: the sender stops in order.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Leaving {}

/// Ours: the groups that the sender wants to know of.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Interest {
    #[prost(message, repeated, tag = "1")]
    pub(super) groups: Vec<WantedGroups>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WantedGroups {
    #[prost(string, tag = "1")]
    pub(super) pattern: String,
    #[prost(bool, tag = "2")]
    pub(super) one_per_node: bool,
}

/// Ours: is there an actor of this pid?
#[derive(Clone, PartialEq, Message)]
pub(super) struct Ask {
    #[prost(uint64, tag = "1")]
    pub(super) pid: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ControlMessage {
    #[prost(oneof = "Control", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 101, 102, 103")]
    pub(super) msg: Option<Control>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Control {
    #[prost(message, tag = "1")]
    Spawn(Spawn),
    #[prost(message, tag = "2")]
    Terminate(Terminate),
    #[prost(message, tag = "3")]
    Ping(Beat),
    #[prost(message, tag = "4")]
    Pong(Beat),
    #[prost(message, tag = "5")]
    PgJoin(GroupChange),
    #[prost(message, tag = "6")]
    PgLeave(GroupChange),
    #[prost(message, tag = "7")]
    EnumerateNodeSessions(NameMessage),
    #[prost(message, tag = "8")]
    NodeSessions(NodeSessions),
    #[prost(message, tag = "9")]
    Ready(Ready),
    #[prost(message, tag = "100")]
    NameTaken(NameTaken),
    #[prost(message, tag = "101")]
    Leaving(Leaving),
    #[prost(message, tag = "102")]
    Interest(Interest),
    #[prost(message, tag = "103")]
    Ask(Ask),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Cast {
    #[prost(uint64, tag = "1")]
    pub(super) to: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) what: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) variant: String,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(super) metadata: Option<Vec<u8>>,
    /// Ours: the `traceparent` of W3C Trace Context; only for a node that announced that it traces.
    #[prost(bytes = "vec", tag = "100")]
    pub(super) trace_parent: Vec<u8>,
    /// Ours: the `tracestate` that belongs to it.
    #[prost(bytes = "vec", tag = "101")]
    pub(super) trace_state: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Call {
    #[prost(uint64, tag = "1")]
    pub(super) to: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) what: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) tag: u64,
    #[prost(uint64, optional, tag = "4")]
    pub(super) timeout_ms: Option<u64>,
    #[prost(string, tag = "5")]
    pub(super) variant: String,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(super) metadata: Option<Vec<u8>>,
    /// Ours: the `traceparent` of W3C Trace Context; only for a node that announced that it traces.
    #[prost(bytes = "vec", tag = "100")]
    pub(super) trace_parent: Vec<u8>,
    /// Ours: the `tracestate` that belongs to it.
    #[prost(bytes = "vec", tag = "101")]
    pub(super) trace_state: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CallReply {
    #[prost(uint64, tag = "1")]
    pub(super) to: u64,
    #[prost(uint64, tag = "2")]
    pub(super) tag: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) what: Vec<u8>,
}

/// Ours: a call will get no reply.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CallFailed {
    #[prost(uint64, tag = "1")]
    pub(super) to: u64,
    #[prost(uint64, tag = "2")]
    pub(super) tag: u64,
    /// Text. As bytes, because a peer that writes something else here is no reason to end a session.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) reason: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeMessage {
    #[prost(oneof = "Node", tags = "1, 2, 3, 100")]
    pub(super) msg: Option<Node>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Node {
    #[prost(message, tag = "1")]
    Cast(Cast),
    #[prost(message, tag = "2")]
    Call(Call),
    #[prost(message, tag = "3")]
    Reply(CallReply),
    #[prost(message, tag = "100")]
    CallFailed(CallFailed),
}
