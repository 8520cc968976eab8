//! Messages as a stranger or a peer might send them.

use bytes::Bytes;

use super::input::Input;
use crate::wire::{
    self, Actor, Auth, Challenge, ChallengeReply, Control, GroupChange, HandshakeNonce, Message, NameMessage,
    NameTaken, NodeFlags, ServerStatus, Timestamp, WantedGroups,
};

pub(super) fn auth(input: &mut Input<'_>) -> Auth {
    match input.byte() % 7 {
        0 => Auth::Name(name(input)),
        1 => Auth::ServerStatus(status(input)),
        2 => Auth::ClientStatus(input.flag()),
        3 => {
            let NameMessage {
                name,
                flags,
                connection_string,
                connection_id,
            } = name(input);
            Auth::ServerChallenge(Challenge {
                name,
                flags,
                challenge: connection_id as u32,
                connection_string,
                nonce: nonce(input),
            })
        }
        4 => Auth::ClientChallenge(ChallengeReply {
            challenge: input.number() as u32,
            digest: input.bytes().to_vec(),
            nonce: nonce(input),
        }),
        5 => Auth::ServerAck {
            digest: input.bytes().to_vec(),
        },
        _ => Auth::Unknown,
    }
}

fn nonce(input: &mut Input<'_>) -> Option<HandshakeNonce> {
    input.flag().then(|| [input.byte(); 16])
}

pub(super) fn status(input: &mut Input<'_>) -> ServerStatus {
    match input.byte() % 5 {
        0 => ServerStatus::Ok,
        1 => ServerStatus::OkSimultaneous,
        2 => ServerStatus::NotOk,
        3 => ServerStatus::NotAllowed,
        _ => ServerStatus::Alive,
    }
}

pub(super) fn control(input: &mut Input<'_>) -> Control {
    match input.byte() % 13 {
        0 => Control::Spawn(input.several(actor)),
        1 => Control::Terminate(input.several(Input::number)),
        2 => Control::Ping(timestamp(input)),
        3 => Control::Pong(timestamp(input)),
        4 => Control::PgJoin(group_change(input)),
        5 => Control::PgLeave(group_change(input)),
        6 => Control::EnumerateNodeSessions(name(input)),
        7 => Control::NodeSessions(input.several(name)),
        8 => Control::Ready,
        9 => Control::NameTaken(NameTaken {
            address: input.text(),
            for_seconds: input.number(),
            receiver_stays: input.number().is_multiple_of(2),
        }),
        10 => Control::Interest(input.several(|input| WantedGroups {
            pattern: short_text(input),
            one_per_node: input.flag(),
        })),
        11 => Control::Ask(input.number()),
        _ => Control::Unknown,
    }
}

/// Whatever message the bytes are, if they are one.
pub(super) fn raw(input: &mut Input<'_>) -> Option<Message> {
    wire::decode(&Bytes::copy_from_slice(input.bytes())).ok()
}

pub(super) fn actor(input: &mut Input<'_>) -> Actor {
    Actor {
        pid: input.number(),
        name: input.flag().then(|| short_text(input)),
    }
}

pub(super) fn group_change(input: &mut Input<'_>) -> GroupChange {
    GroupChange {
        scope: short_text(input),
        group: short_text(input),
        actors: input.several(actor),
    }
}

pub(super) fn name(input: &mut Input<'_>) -> NameMessage {
    let flags = NodeFlags {
        version: u32::from(input.byte()),
        capabilities: input.number() as u32,
        max_frame: input.number(),
        incarnation: input.number(),
    };
    NameMessage {
        name: input.text(),
        flags: input.flag().then_some(flags),
        connection_string: input.text(),
        connection_id: input.number(),
    }
}

fn timestamp(input: &mut Input<'_>) -> Option<Timestamp> {
    let timestamp = Timestamp {
        seconds: input.number() as i64,
        nanos: input.number() as i32,
    };
    input.flag().then_some(timestamp)
}

/// One of a few texts, so that they meet again.
fn short_text(input: &mut Input<'_>) -> String {
    format!("{}", input.byte() % 4)
}
