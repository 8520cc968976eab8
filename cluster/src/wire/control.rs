//! Handshake and control messages: prost structs ↔ checked messages. Data messages of an unusual shape end up here too.

use bytes::BytesMut;
use prost::Message as _;

use super::error::WireError;
use super::message::{
    Actor, Auth, Call, Cast, Challenge, ChallengeReply, Control, Data, GroupChange, Message, NameMessage, NameTaken,
    NodeFlags, Reply, ServerStatus, Timestamp, TraceFields, WantedGroups,
};
use super::proto;

/// Decodes any payload.
pub(crate) fn decode(payload: &[u8]) -> Result<Message, WireError> {
    let message = proto::NetworkMessage::decode(payload).map_err(|error| WireError::Malformed(error.to_string()))?;
    Ok(match message.message {
        Some(proto::Network::Auth(auth)) => Message::Auth(checked_auth(auth)),
        Some(proto::Network::Control(control)) => Message::Control(checked_control(control)),
        Some(proto::Network::Node(node)) => node
            .msg
            .map_or(Message::Unknown, |msg| Message::Data(checked_data(msg))),
        None => Message::Unknown,
    })
}

/// Appends the payload of a handshake step.
pub(super) fn encode_auth(auth: &Auth, out: &mut BytesMut) {
    put(
        proto::Network::Auth(proto::AuthenticationMessage { msg: raw_auth(auth) }),
        out,
    );
}

/// Appends the payload that says that a call failed.
pub(super) fn encode_call_failed(to: u64, tag: u64, reason: Option<&[u8]>, out: &mut BytesMut) {
    let reason = reason.map(<[u8]>::to_vec);
    let failed = proto::Node::CallFailed(proto::CallFailed { to, tag, reason });
    put(proto::Network::Node(proto::NodeMessage { msg: Some(failed) }), out);
}

/// Appends the payload of a control message.
pub(super) fn encode_control(control: &Control, out: &mut BytesMut) {
    put(
        proto::Network::Control(proto::ControlMessage {
            msg: raw_control(control),
        }),
        out,
    );
}

fn put(message: proto::Network, out: &mut BytesMut) {
    let message = proto::NetworkMessage { message: Some(message) };
    out.reserve(message.encoded_len());
    // A buffer that grows as needed is the one thing that encoding can fail for.
    message.encode_raw(out);
}

fn checked_auth(auth: proto::AuthenticationMessage) -> Auth {
    use proto::Authentication as Raw;
    match auth.msg {
        Some(Raw::Name(name)) => Auth::Name(name.into()),
        Some(Raw::ServerStatus(status)) => checked_status(status.status).map_or(Auth::Unknown, Auth::ServerStatus),
        Some(Raw::ClientStatus(status)) => Auth::ClientStatus(status.status),
        Some(Raw::ServerChallenge(challenge)) => Auth::ServerChallenge(Challenge {
            name: challenge.name,
            flags: challenge.flags.map(Into::into),
            challenge: challenge.challenge,
            connection_string: challenge.connection_string,
            // A nonce of another length counts as none, and ends the handshake if the peer announced a proof.
            nonce: challenge.nonce.try_into().ok(),
        }),
        Some(Raw::ClientChallenge(reply)) => Auth::ClientChallenge(ChallengeReply {
            challenge: reply.challenge,
            digest: reply.digest,
            nonce: reply.nonce.try_into().ok(),
        }),
        Some(Raw::ServerAck(ack)) => Auth::ServerAck { digest: ack.digest },
        None => Auth::Unknown,
    }
}

fn raw_auth(auth: &Auth) -> Option<proto::Authentication> {
    use proto::Authentication as Raw;
    Some(match auth {
        Auth::Name(name) => Raw::Name(name.into()),
        Auth::ServerStatus(status) => Raw::ServerStatus(proto::ServerStatus {
            status: raw_status(*status),
        }),
        Auth::ClientStatus(status) => Raw::ClientStatus(proto::ClientStatus { status: *status }),
        Auth::ServerChallenge(challenge) => Raw::ServerChallenge(proto::Challenge {
            name: challenge.name.clone(),
            flags: challenge.flags.map(Into::into),
            challenge: challenge.challenge,
            connection_string: challenge.connection_string.clone(),
            nonce: challenge.nonce.map_or_else(Vec::new, Vec::from),
        }),
        Auth::ClientChallenge(reply) => Raw::ClientChallenge(proto::ChallengeReply {
            challenge: reply.challenge,
            digest: reply.digest.clone(),
            nonce: reply.nonce.map_or_else(Vec::new, Vec::from),
        }),
        Auth::ServerAck { digest } => Raw::ServerAck(proto::ChallengeAck { digest: digest.clone() }),
        Auth::Unknown => return None,
    })
}

fn checked_status(status: i32) -> Option<ServerStatus> {
    Some(match status {
        proto::status::OK => ServerStatus::Ok,
        proto::status::OK_SIMULTANEOUS => ServerStatus::OkSimultaneous,
        proto::status::NOT_OK => ServerStatus::NotOk,
        proto::status::NOT_ALLOWED => ServerStatus::NotAllowed,
        proto::status::ALIVE => ServerStatus::Alive,
        _ => return None,
    })
}

fn raw_status(status: ServerStatus) -> i32 {
    match status {
        ServerStatus::Ok => proto::status::OK,
        ServerStatus::OkSimultaneous => proto::status::OK_SIMULTANEOUS,
        ServerStatus::NotOk => proto::status::NOT_OK,
        ServerStatus::NotAllowed => proto::status::NOT_ALLOWED,
        ServerStatus::Alive => proto::status::ALIVE,
    }
}

fn checked_control(control: proto::ControlMessage) -> Control {
    use proto::Control as Raw;
    match control.msg {
        Some(Raw::Spawn(spawn)) => Control::Spawn(spawn.actors.into_iter().map(Into::into).collect()),
        Some(Raw::Terminate(terminate)) => Control::Terminate(terminate.ids),
        Some(Raw::Ping(beat)) => Control::Ping(beat.timestamp.map(Into::into)),
        Some(Raw::Pong(beat)) => Control::Pong(beat.timestamp.map(Into::into)),
        Some(Raw::PgJoin(change)) => Control::PgJoin(change.into()),
        Some(Raw::PgLeave(change)) => Control::PgLeave(change.into()),
        Some(Raw::EnumerateNodeSessions(name)) => Control::EnumerateNodeSessions(name.into()),
        Some(Raw::NodeSessions(sessions)) => {
            Control::NodeSessions(sessions.sessions.into_iter().map(Into::into).collect())
        }
        Some(Raw::Ready(_)) => Control::Ready,
        Some(Raw::Leaving(_)) => Control::Leaving,
        Some(Raw::Interest(interest)) => Control::Interest(interest.groups.into_iter().map(Into::into).collect()),
        Some(Raw::Ask(ask)) => Control::Ask(ask.pid),
        Some(Raw::NameTaken(taken)) => Control::NameTaken(NameTaken {
            address: taken.address,
            for_seconds: taken.for_seconds,
            receiver_stays: taken.receiver_stays,
        }),
        None => Control::Unknown,
    }
}

fn raw_control(control: &Control) -> Option<proto::Control> {
    use proto::Control as Raw;
    Some(match control {
        Control::Spawn(actors) => Raw::Spawn(proto::Spawn {
            actors: actors.iter().map(Into::into).collect(),
        }),
        Control::Terminate(ids) => Raw::Terminate(proto::Terminate { ids: ids.clone() }),
        Control::Ping(timestamp) => Raw::Ping(proto::Beat {
            timestamp: timestamp.map(Into::into),
        }),
        Control::Pong(timestamp) => Raw::Pong(proto::Beat {
            timestamp: timestamp.map(Into::into),
        }),
        Control::PgJoin(change) => Raw::PgJoin(change.into()),
        Control::PgLeave(change) => Raw::PgLeave(change.into()),
        Control::EnumerateNodeSessions(name) => Raw::EnumerateNodeSessions(name.into()),
        Control::NodeSessions(sessions) => Raw::NodeSessions(proto::NodeSessions {
            sessions: sessions.iter().map(Into::into).collect(),
        }),
        Control::Ready => Raw::Ready(proto::Ready {}),
        Control::Leaving => Raw::Leaving(proto::Leaving {}),
        Control::Interest(groups) => Raw::Interest(proto::Interest {
            groups: groups.iter().map(Into::into).collect(),
        }),
        Control::Ask(pid) => Raw::Ask(proto::Ask { pid: *pid }),
        Control::NameTaken(taken) => Raw::NameTaken(proto::NameTaken {
            address: taken.address.clone(),
            for_seconds: taken.for_seconds,
            receiver_stays: taken.receiver_stays,
        }),
        Control::Unknown => return None,
    })
}

fn checked_data(node: proto::Node) -> Data {
    match node {
        proto::Node::Cast(cast) => Data::Cast(Cast {
            to: cast.to,
            variant: cast.variant,
            args: cast.what,
            metadata: cast.metadata,
            trace: trace(cast.trace_parent, cast.trace_state),
        }),
        proto::Node::Call(call) => Data::Call(Call {
            to: call.to,
            tag: call.tag,
            timeout_ms: call.timeout_ms,
            variant: call.variant,
            args: call.what,
            metadata: call.metadata,
            trace: trace(call.trace_parent, call.trace_state),
        }),
        proto::Node::Reply(reply) => Data::Reply(Reply {
            to: reply.to,
            tag: reply.tag,
            what: reply.what,
        }),
        proto::Node::CallFailed(failed) => Data::CallFailed {
            to: failed.to,
            tag: failed.tag,
            reason: failed.reason,
        },
    }
}

impl From<proto::NodeFlags> for NodeFlags {
    fn from(flags: proto::NodeFlags) -> Self {
        Self {
            version: flags.version,
            capabilities: flags.capabilities,
            max_frame: flags.max_frame,
            incarnation: flags.incarnation,
        }
    }
}

impl From<NodeFlags> for proto::NodeFlags {
    fn from(flags: NodeFlags) -> Self {
        Self {
            version: flags.version,
            capabilities: flags.capabilities,
            max_frame: flags.max_frame,
            incarnation: flags.incarnation,
        }
    }
}

/// What a message says of its trace, if it says anything.
fn trace(parent: Vec<u8>, state: Vec<u8>) -> Option<Box<TraceFields>> {
    let is_there = !parent.is_empty() || !state.is_empty();
    is_there.then(|| Box::new(TraceFields { parent, state }))
}

impl From<proto::NameMessage> for NameMessage {
    fn from(name: proto::NameMessage) -> Self {
        Self {
            name: name.name,
            flags: name.flags.map(Into::into),
            connection_string: name.connection_string,
            connection_id: name.connection_id,
        }
    }
}

impl From<&NameMessage> for proto::NameMessage {
    fn from(name: &NameMessage) -> Self {
        Self {
            name: name.name.clone(),
            flags: name.flags.map(Into::into),
            connection_string: name.connection_string.clone(),
            connection_id: name.connection_id,
        }
    }
}

impl From<proto::Actor> for Actor {
    fn from(actor: proto::Actor) -> Self {
        Self {
            pid: actor.pid,
            name: actor.name,
        }
    }
}

impl From<&Actor> for proto::Actor {
    fn from(actor: &Actor) -> Self {
        Self {
            pid: actor.pid,
            name: actor.name.clone(),
        }
    }
}

impl From<proto::GroupChange> for GroupChange {
    fn from(change: proto::GroupChange) -> Self {
        Self {
            scope: change.scope,
            group: change.group,
            actors: change.actors.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&GroupChange> for proto::GroupChange {
    fn from(change: &GroupChange) -> Self {
        Self {
            scope: change.scope.clone(),
            group: change.group.clone(),
            actors: change.actors.iter().map(Into::into).collect(),
        }
    }
}

impl From<proto::WantedGroups> for WantedGroups {
    fn from(wanted: proto::WantedGroups) -> Self {
        Self {
            pattern: wanted.pattern,
            one_per_node: wanted.one_per_node,
        }
    }
}

impl From<&WantedGroups> for proto::WantedGroups {
    fn from(wanted: &WantedGroups) -> Self {
        Self {
            pattern: wanted.pattern.clone(),
            one_per_node: wanted.one_per_node,
        }
    }
}

impl From<prost_types::Timestamp> for Timestamp {
    fn from(timestamp: prost_types::Timestamp) -> Self {
        Self {
            seconds: timestamp.seconds,
            nanos: timestamp.nanos,
        }
    }
}

impl From<Timestamp> for prost_types::Timestamp {
    fn from(timestamp: Timestamp) -> Self {
        Self {
            seconds: timestamp.seconds,
            nanos: timestamp.nanos,
        }
    }
}
