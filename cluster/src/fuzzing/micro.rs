//! Small pieces of work whose instructions `cargo xtask bench --micro` counts: what a regression shows in on any machine.

use std::hint::black_box;
use std::time::Instant;

use bytes::BytesMut;

use super::config;
use super::control::{authenticated, authenticated_with};
use crate::directory::trace;
use crate::session::{LocalSnapshot, Role, Session};
use crate::wire::{self, Actor, Call, Control, FRAME_HEADER_BYTES, Message, Payload, Timestamp, TraceFields};

/// The number of actors in one message of the control plane.
const ACTORS: u64 = 100;

/// Does one piece of work so often.
pub type Work = fn(u64);

/// All pieces of work, by name.
pub const WORK: &[(&str, Work)] = &[
    ("cast-16", |times| cast(16, times)),
    ("cast-1k", |times| cast(1024, times)),
    ("cast-traced", traced_cast),
    ("trace-off", trace_off),
    ("call-16", call),
    ("reply-16", reply),
    ("spawn-100", spawn),
    ("session-spawn-100", session_spawn),
    ("session-ping", session_ping),
    ("session-handshake", session_handshake),
    ("session-identity", session_identity),
];

/// Decodes the one frame that `encode` writes, as often.
fn through_the_codec(times: u64, mut encode: impl FnMut(&mut BytesMut)) {
    let mut buffer = BytesMut::with_capacity(64 * 1024);
    for _ in 0..times {
        buffer.clear();
        encode(&mut buffer);
        let payload = buffer.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        let decoded = wire::decode(black_box(payload));
        assert!(decoded.is_ok(), "what was encoded is decoded");
        black_box(&decoded);
    }
}

fn cast(bytes: usize, times: u64) {
    let args = vec![7; bytes];
    through_the_codec(times, |out| {
        wire::encode_cast(out, 12_345, "Blob", Payload::Within(black_box(&args)), None, None);
    });
}

fn traced_cast(times: u64) {
    let trace = TraceFields {
        parent: b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_vec(),
        state: Vec::new(),
    };
    let args = [7; 16];
    through_the_codec(times, |out| {
        let args = Payload::Within(black_box(&args));
        wire::encode_cast(out, 12_345, "Blob", args, None, Some(black_box(&trace)));
    });
}

/// What a message pays on each side of a process that doesn't trace.
fn trace_off(times: u64) {
    for _ in 0..times {
        assert!(black_box(trace::of_message()).is_none(), "nobody traces here");
    }
}

fn call(times: u64) {
    let call = Call {
        to: 12_345,
        tag: 67_890,
        timeout_ms: Some(1_000),
        variant: "Echo".to_owned(),
        args: Vec::new(),
        metadata: None,
        trace: None,
    };
    let args = [7; 16];
    through_the_codec(times, |out| {
        wire::encode_call(out, black_box(&call), Payload::Within(black_box(&args)));
    });
}

fn reply(times: u64) {
    let what = [7; 16];
    through_the_codec(times, |out| {
        wire::encode_reply(out, 12_345, 67_890, Payload::Within(black_box(&what)));
    });
}

/// What tells of actors without names, from the pid `first` on.
fn spawned(first: u64) -> Message {
    let actors = (first..first + ACTORS).map(|pid| Actor { pid, name: None });
    Message::Control(Control::Spawn(actors.collect()))
}

fn spawn(times: u64) {
    let message = spawned(1);
    through_the_codec(times, |out| wire::encode(black_box(&message), out));
}

/// A session that both ends have agreed to keep.
fn open(now: Instant) -> Session {
    let mut session = authenticated(Role::Acceptor, false, now);
    session.handle_election(Some(LocalSnapshot::default()));
    drain(&mut session);
    session
}

fn drain(session: &mut Session) {
    while let Some(message) = session.poll_transmit() {
        black_box(message);
    }
    while let Some(event) = session.poll_event() {
        black_box(event);
    }
}

fn session_spawn(times: u64) {
    let now = Instant::now();
    let mut session = open(now);
    for round in 0..times {
        let first = 1 + ACTORS * round;
        session.handle_message(spawned(first), now);
        drain(&mut session);
        let ended = Control::Terminate((first..first + ACTORS).collect());
        session.handle_message(Message::Control(ended), now);
        drain(&mut session);
    }
}

fn session_ping(times: u64) {
    let now = Instant::now();
    let mut session = open(now);
    for _ in 0..times {
        let ping = Control::Ping(Some(Timestamp { seconds: 1, nanos: 2 }));
        session.handle_message(Message::Control(ping), now);
        drain(&mut session);
    }
}

/// With a stock peer.
fn session_handshake(times: u64) {
    let now = Instant::now();
    let mut stock = config(Role::Initiator, 2, false);
    stock.local.flags = None;
    for _ in 0..times {
        let mut session = authenticated_with(config(Role::Acceptor, 1, false), stock.clone(), now);
        session.handle_election(Some(LocalSnapshot::default()));
        drain(&mut session);
        black_box(session);
    }
}

/// Between two nodes that prove who they are.
fn session_identity(times: u64) {
    let now = Instant::now();
    for _ in 0..times {
        black_box(open(now));
    }
}
