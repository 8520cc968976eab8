//! The wire against the frames that stock nodes were recorded to send, and against prost.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::frame::{FRAME_HEADER_BYTES, split_frame};
use super::message::{
    Actor, Auth, Call, Cast, Control, Data, GroupChange, Message, NameMessage, Reply, ServerStatus, Timestamp,
};
use super::{TraceFields, WireError, control, data, decode, encode};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/golden");
const LIMIT: u64 = 1 << 20;

fn golden_frame(file: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(Path::new(GOLDEN).join(file)).unwrap();
    let hex: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::chars)
        .collect();
    let digits: Vec<_> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A decoded message as the index writes it: kind and fields.
#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn put(&mut self, key: impl Into<String>, value: impl ToString) {
        self.0.insert(key.into(), value.to_string());
    }

    fn name(&mut self, prefix: &str, name: &NameMessage) {
        self.put(format!("{prefix}name"), &name.name);
        if let Some(flags) = name.flags {
            self.put(format!("{prefix}flags.version"), flags.version);
        }
        self.put(format!("{prefix}connection_string"), &name.connection_string);
        self.put(format!("{prefix}connection_id"), name.connection_id);
    }

    fn actors(&mut self, actors: &[Actor]) {
        for (index, actor) in actors.iter().enumerate() {
            self.put(format!("actors[{index}].pid"), actor.pid);
            if let Some(name) = &actor.name {
                self.put(format!("actors[{index}].name"), name);
            }
        }
    }

    fn group(&mut self, change: &GroupChange) {
        self.put("group", &change.group);
        self.put("scope", &change.scope);
        self.actors(&change.actors);
    }

    fn beat(&mut self, timestamp: Option<Timestamp>) {
        if let Some(timestamp) = timestamp {
            self.put("timestamp.seconds", timestamp.seconds);
            self.put("timestamp.nanos", timestamp.nanos);
        }
    }

    fn auth(&mut self, auth: &Auth) -> &'static str {
        match auth {
            Auth::Name(name) => {
                self.name("", name);
                "auth.name"
            }
            Auth::ServerStatus(status) => {
                let order = [
                    ServerStatus::Ok,
                    ServerStatus::OkSimultaneous,
                    ServerStatus::NotOk,
                    ServerStatus::NotAllowed,
                    ServerStatus::Alive,
                ];
                self.put("status", order.iter().position(|other| other == status).unwrap());
                "auth.server_status"
            }
            Auth::ClientStatus(status) => {
                self.put("status", u8::from(*status));
                "auth.client_status"
            }
            Auth::ServerChallenge(challenge) => {
                self.put("name", &challenge.name);
                self.put("flags.version", challenge.flags.unwrap().version);
                self.put("challenge", challenge.challenge);
                self.put("connection_string", &challenge.connection_string);
                "auth.server_challenge"
            }
            Auth::ClientChallenge(reply) => {
                self.put("challenge", reply.challenge);
                self.put("digest", hex(&reply.digest));
                "auth.client_challenge"
            }
            Auth::ServerAck { digest } => {
                self.put("digest", hex(digest));
                "auth.server_ack"
            }
            Auth::Unknown => "auth.unknown",
        }
    }

    fn control(&mut self, control: &Control) -> &'static str {
        match control {
            Control::Spawn(actors) => {
                self.actors(actors);
                "control.spawn"
            }
            Control::Terminate(ids) => {
                ids.iter()
                    .enumerate()
                    .for_each(|(index, id)| self.put(format!("ids[{index}]"), id));
                "control.terminate"
            }
            Control::Ping(timestamp) => {
                self.beat(*timestamp);
                "control.ping"
            }
            Control::Pong(timestamp) => {
                self.beat(*timestamp);
                "control.pong"
            }
            Control::PgJoin(change) => {
                self.group(change);
                "control.pg_join"
            }
            Control::PgLeave(change) => {
                self.group(change);
                "control.pg_leave"
            }
            Control::EnumerateNodeSessions(name) => {
                self.name("", name);
                "control.enumerate_node_sessions"
            }
            Control::NodeSessions(sessions) => {
                let named = sessions.iter().enumerate();
                named.for_each(|(index, name)| self.name(&format!("sessions[{index}]."), name));
                "control.node_sessions"
            }
            Control::Ready => "control.ready",
            Control::NameTaken(_) => "control.name_taken",
            Control::Leaving => "control.leaving",
            Control::Interest(_) => "control.interest",
            Control::Ask(_) => "control.ask",
            Control::Unknown => "control.unknown",
        }
    }

    fn data(&mut self, data: &Data) -> &'static str {
        match data {
            Data::Cast(cast) => {
                self.put("to", cast.to);
                self.put("what", hex(&cast.args));
                self.put("variant", &cast.variant);
                cast.metadata
                    .iter()
                    .for_each(|metadata| self.put("metadata", hex(metadata)));
                "node.cast"
            }
            Data::Call(call) => {
                self.put("to", call.to);
                self.put("what", hex(&call.args));
                self.put("tag", call.tag);
                call.timeout_ms.iter().for_each(|ms| self.put("timeout_ms", ms));
                self.put("variant", &call.variant);
                call.metadata
                    .iter()
                    .for_each(|metadata| self.put("metadata", hex(metadata)));
                "node.call"
            }
            Data::CallFailed { .. } => "an extension, not in any golden frame",
            Data::Reply(reply) => {
                self.put("to", reply.to);
                self.put("tag", reply.tag);
                self.put("what", hex(&reply.what));
                "node.reply"
            }
        }
    }
}

#[test]
fn every_golden_frame_decodes_to_what_it_holds_and_encodes_to_itself() {
    let index = std::fs::read_to_string(Path::new(GOLDEN).join("index.tsv")).unwrap();
    let mut checked = 0;
    for line in index.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let file = columns.next().unwrap();
        let (_, kind, expected) = (
            columns.next(),
            columns.next().unwrap(),
            columns.next().unwrap_or_default(),
        );
        let frame = golden_frame(file);

        let mut buffer = BytesMut::from(&frame[..]);
        let payload = split_frame(&mut buffer, LIMIT).unwrap().unwrap();
        assert!(buffer.is_empty(), "{file} is one frame");
        let message = decode(&payload).unwrap();

        let mut fields = Fields::default();
        let got = match &message {
            Message::Auth(auth) => fields.auth(auth),
            Message::Control(control) => fields.control(control),
            Message::Data(data) => fields.data(data),
            Message::Unknown => "unknown",
        };
        assert_eq!(got, kind, "{file}");
        let expected: BTreeMap<_, _> = expected
            .split_whitespace()
            .map(|field| field.split_once('=').unwrap())
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(fields.0, expected, "{file}");

        let mut encoded = BytesMut::new();
        encode(&message, &mut encoded);
        assert_eq!(hex(&encoded), hex(&frame), "{file}");
        checked += 1;
    }
    let files = std::fs::read_dir(GOLDEN).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|extension| extension == "hex")
    });
    assert_eq!(checked, files.count(), "every recorded frame is in the index");
}

#[test]
fn a_frame_that_is_too_large_is_refused_by_its_header_alone() {
    let mut header = BytesMut::from(&(LIMIT + 1).to_be_bytes()[..]);
    let refused = split_frame(&mut header, LIMIT);
    assert_eq!(
        refused,
        Err(WireError::FrameTooLarge {
            announced: LIMIT + 1,
            limit: LIMIT
        })
    );
    let mut largest = BytesMut::from(&u64::MAX.to_be_bytes()[..]);
    assert!(split_frame(&mut largest, LIMIT).is_err());
}

#[test]
fn frames_come_out_one_by_one_however_the_bytes_arrive() {
    let mut bytes = Vec::new();
    for file in ["cast.hex", "ready-acceptor.hex", "call.hex"] {
        bytes.extend(golden_frame(file));
    }
    let mut buffer = BytesMut::new();
    let mut frames = 0;
    for byte in bytes {
        buffer.extend_from_slice(&[byte]);
        while let Some(payload) = split_frame(&mut buffer, LIMIT).unwrap() {
            decode(&payload).unwrap();
            frames += 1;
        }
    }
    assert_eq!((frames, buffer.len()), (3, 0));
}

#[test]
fn what_a_later_version_may_send_is_ignored_and_what_is_no_message_is_refused() {
    // Field 9 of NetworkMessage; field 9 of NodeMessage; a cast with a further field 200.
    for (payload, expected) in [
        (&[0x4a, 0x00][..], Message::Unknown),
        (&[0x12, 0x02, 0x4a, 0x00], Message::Unknown),
        (&[0x1a, 0x02, 0x52, 0x00], Message::Control(Control::Unknown)),
        (&[], Message::Unknown),
        (
            &[0x12, 0x07, 0x0a, 0x05, 0x08, 0x07, 0xc0, 0x0c, 0x01],
            Message::Data(Data::Cast(Cast {
                to: 7,
                ..Cast::default()
            })),
        ),
    ] {
        assert_eq!(decode(&Bytes::copy_from_slice(payload)), Ok(expected), "{payload:02x?}");
    }
    for payload in [
        &[0xff][..],
        &[0x12, 0x7f],
        &[0x12, 0x04, 0x0a, 0x02, 0x1a, 0x05],
        &[0x12, 0x05, 0x0a, 0x03, 0x1a, 0x01, 0xff],
    ] {
        let decoded = decode(&Bytes::copy_from_slice(payload));
        assert!(
            matches!(decoded, Err(WireError::Malformed(_))),
            "{payload:02x?}: {decoded:?}"
        );
    }
}

fn any_data() -> impl Strategy<Value = Data> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    let metadata = || proptest::option::of(bytes());
    let trace = || {
        proptest::option::of((bytes(), bytes())).prop_map(|fields| {
            let (parent, state) = fields?;
            let is_there = !parent.is_empty() || !state.is_empty();
            is_there.then(|| Box::new(TraceFields { parent, state }))
        })
    };
    let number = || prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>(), 0u64..300];
    prop_oneof![
        (number(), "[a-zA-Zé]{0,20}", bytes(), metadata(), trace()).prop_map(|(to, variant, args, metadata, trace)| {
            Data::Cast(Cast {
                to,
                variant,
                args,
                metadata,
                trace,
            })
        }),
        (
            number(),
            number(),
            proptest::option::of(number()),
            "[a-z]{0,9}",
            bytes(),
            metadata(),
            trace()
        )
            .prop_map(|(to, tag, timeout_ms, variant, args, metadata, trace)| {
                Data::Call(Call {
                    to,
                    tag,
                    timeout_ms,
                    variant,
                    args,
                    metadata,
                    trace,
                })
            }),
        (number(), number(), bytes()).prop_map(|(to, tag, what)| Data::Reply(Reply { to, tag, what })),
    ]
}

proptest! {
    #[test]
    fn the_hand_written_codec_and_prost_agree(message in any_data()) {
        let mut frame = BytesMut::new();
        encode(&Message::Data(message.clone()), &mut frame);
        let payload = frame.split_off(FRAME_HEADER_BYTES).freeze();
        prop_assert_eq!(u64::from_be_bytes(frame[..].try_into().unwrap()), payload.len() as u64);
        prop_assert_eq!(data::decode(&payload), Some(message.clone()));
        prop_assert_eq!(control::decode(&payload), Ok(Message::Data(message)));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_or_disagree_with_prost(
        message in any_data(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut frame = BytesMut::new();
        encode(&Message::Data(message), &mut frame);
        let mut payload = frame.split_off(FRAME_HEADER_BYTES);
        for (at, value) in flips {
            let at = at.index(payload.len());
            payload[at] = value;
        }
        payload.truncate(cut.index(payload.len() + 1));
        let payload = payload.freeze();
        if let Some(by_hand) = data::decode(&payload) {
            prop_assert_eq!(control::decode(&payload), Ok(Message::Data(by_hand)));
        }
    }
}
