//! What a peer can make a node keep: every field of every message of the protocol, filled by a peer that has the cookie.

use std::collections::BTreeSet;
use std::process::Command;

use ractor_host_tests::COOKIE;
use ractor_host_tests::peer::Peer;
use ractor_host_tests::process::Stream;

use self::filling::{ask_for_sessions, fill_mailbox, interest, introduce, lie_about_traces, out_of_order};
use crate::protocol;
use crate::raw::{CONTROL, DATA, Raw, actor, bytes, change, number};

mod filling;

const MIB: usize = 1 << 20;

/// What one peer, and all of them, may have of the node.
const PEER: usize = 16 * MIB;
const ALL_PEERS: usize = 20 * MIB;
/// What may wait in one mailbox.
const MAILBOX: usize = 4 * MIB;
/// The largest frame.
const FRAME: usize = 16 * MIB;

/// What the node takes while it handles a frame: the frame, in a buffer that has grown for it, and once more where a list is
/// taken apart.
const PASSING: usize = 3 * FRAME;
/// What allocators keep, and the node needs for itself.
const ALLOWANCE: usize = 40 * MIB;

/// A large value that fits into a frame.
const LARGE: usize = FRAME - 4096;

/// What bounds the memory that a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// The limit for a step of the handshake, and that a session has few names.
    Handshake,
    /// It passes: nothing of it is kept.
    NotKept,
    /// What a peer may have of the node.
    Peer,
    /// What may wait in a mailbox.
    Mailbox,
}

impl Bound {
    /// What stays.
    fn bytes(self) -> usize {
        match self {
            Self::Handshake | Self::NotKept => 0,
            Self::Peer => PEER,
            Self::Mailbox => MAILBOX,
        }
    }
}

/// What fills a field: a peer that has proved the cookie does what it can.
type Fill = fn(&str);

/// A row for each field that can have any size.
const GROWING: &[(&str, Bound, Fill)] = &[
    ("NameMessage.name", Bound::Handshake, |node| {
        introduce(node, &bytes(1, &[b'n'; 15_000]));
        ask_for_sessions(node, 1);
    }),
    ("NameMessage.connection_string", Bound::Handshake, |node| {
        introduce(node, &[bytes(1, b"a@b"), bytes(3, &[b'n'; 15_000])].concat());
        ask_for_sessions(node, 3);
    }),
    ("Challenge.name", Bound::Handshake, |node| out_of_order(node, 4, 1)),
    ("Challenge.connection_string", Bound::Handshake, |node| {
        out_of_order(node, 4, 4)
    }),
    ("Challenge.nonce", Bound::Handshake, |node| out_of_order(node, 4, 100)),
    ("ChallengeReply.digest", Bound::Handshake, |node| {
        out_of_order(node, 5, 2)
    }),
    ("ChallengeReply.nonce", Bound::Handshake, |node| {
        out_of_order(node, 5, 100)
    }),
    ("ChallengeAck.digest", Bound::Handshake, |node| out_of_order(node, 6, 1)),
    ("Actor.name", Bound::Peer, |node| {
        let mut peer = Raw::peer(node);
        for pid in 0..6 {
            peer.send(CONTROL, 1, &bytes(1, &actor(pid, Some(&vec![b'n'; LARGE]))));
        }
        // As long as they may be, and as many as there is room for, and more.
        for part in 0..4_u64 {
            let named = |pid| bytes(1, &actor(pid, Some(format!("{pid:0>255}").as_bytes())));
            let actors: Vec<_> = (0..20_000).flat_map(|pid| named(1000 + part * 20_000 + pid)).collect();
            peer.send(CONTROL, 1, &actors);
        }
        peer.confirm();
    }),
    ("Spawn.actors", Bound::Peer, |node| {
        let mut peer = Raw::peer(node);
        let pids = |from: u64| (from..).map(|pid| bytes(1, &number(1, pid))).take(300_000);
        peer.send(CONTROL, 1, &pids(0).flatten().collect::<Vec<_>>());
        peer.send(CONTROL, 1, &pids(300_000).flatten().collect::<Vec<_>>());
        // All of one pid, which is the smallest that an entry can be.
        peer.send(CONTROL, 1, &[0x0a, 0].repeat(LARGE / 16));
        peer.confirm();
    }),
    ("Terminate.ids", Bound::NotKept, |node| {
        let mut peer = Raw::peer(node);
        peer.send(CONTROL, 2, &bytes(1, &vec![1; LARGE / 8]));
        peer.send(CONTROL, 2, &[8, 1].repeat(LARGE / 16));
        peer.confirm();
    }),
    ("GroupChange.group", Bound::Peer, |node| {
        let mut peer = Raw::peer(node);
        for _ in 0..5 {
            peer.send(CONTROL, 5, &change(b"s", &vec![b'g'; LARGE], [actor(1, None)]));
            peer.send(CONTROL, 6, &change(b"s", &vec![b'g'; LARGE], [actor(1, None)]));
        }
        for group in 0..8_000_u64 {
            peer.send(
                CONTROL,
                5,
                &change(b"s", format!("{group:0>255}").as_bytes(), [actor(1, None)]),
            );
        }
        peer.confirm();
    }),
    ("GroupChange.scope", Bound::Peer, |node| {
        let mut peer = Raw::peer(node);
        for _ in 0..5 {
            peer.send(CONTROL, 5, &change(&vec![b's'; LARGE], b"g", [actor(1, None)]));
        }
        for scope in 0..8_000_u64 {
            peer.send(
                CONTROL,
                5,
                &change(format!("{scope:0>255}").as_bytes(), b"g", [actor(1, None)]),
            );
        }
        peer.confirm();
    }),
    ("GroupChange.actors", Bound::Peer, |node| {
        let mut peer = Raw::peer(node);
        peer.send(CONTROL, 5, &change(b"s", b"g", (0..95_000).map(|pid| actor(pid, None))));
        peer.send(CONTROL, 6, &change(b"s", b"g", (0..95_000).map(|pid| actor(pid, None))));
        peer.confirm();
    }),
    ("NodeSessions.sessions", Bound::NotKept, |node| {
        let mut peer = Raw::peer(node);
        peer.send(CONTROL, 8, &[0x0a, 0].repeat(LARGE / 2));
        peer.confirm();
    }),
    ("NameTaken.address", Bound::NotKept, |node| {
        let mut peer = Raw::peer(node);
        let stays = [bytes(1, &vec![b'a'; LARGE]), number(3, 1)].concat();
        peer.send(CONTROL, 100, &stays);
        peer.confirm();
    }),
    ("Interest.groups", Bound::NotKept, |node| {
        interest(node, &[0x0a, 0].repeat(LARGE / 2));
    }),
    ("WantedGroups.pattern", Bound::NotKept, |node| {
        interest(node, &bytes(1, &bytes(1, &vec![b'p'; LARGE])));
    }),
    ("Cast.what", Bound::Mailbox, |node| fill_mailbox(node, 1, 2)),
    ("Cast.variant", Bound::Mailbox, |node| fill_mailbox(node, 1, 3)),
    ("Cast.metadata", Bound::Mailbox, |node| fill_mailbox(node, 1, 6)),
    ("Cast.trace_parent", Bound::NotKept, |node| {
        lie_about_traces(node, 1, 100)
    }),
    ("Cast.trace_state", Bound::NotKept, |node| {
        lie_about_traces(node, 1, 101)
    }),
    ("Call.trace_parent", Bound::NotKept, |node| {
        lie_about_traces(node, 2, 100)
    }),
    ("Call.trace_state", Bound::NotKept, |node| {
        lie_about_traces(node, 2, 101)
    }),
    ("Call.what", Bound::Mailbox, |node| fill_mailbox(node, 2, 2)),
    ("Call.variant", Bound::Mailbox, |node| fill_mailbox(node, 2, 5)),
    ("Call.metadata", Bound::Mailbox, |node| fill_mailbox(node, 2, 6)),
    ("CallReply.what", Bound::NotKept, |node| {
        let mut peer = Raw::peer(node);
        for tag in 0..4 {
            peer.send(
                DATA,
                3,
                &[number(1, 1), number(2, tag), bytes(3, &vec![0; LARGE])].concat(),
            );
        }
        peer.confirm();
    }),
    ("CallFailed.reason", Bound::NotKept, |node| {
        let mut peer = Raw::peer(node);
        for tag in 0..4 {
            peer.send(
                DATA,
                100,
                &[number(1, 1), number(2, tag), bytes(3, &vec![0xff; LARGE])].concat(),
            );
        }
        peer.confirm();
    }),
];

/// The fields of one size.
const FIXED: &[&str] = &[
    "NetworkMessage.message",
    "NodeFlags.version",
    "NodeFlags.capabilities",
    "NodeFlags.max_frame",
    "NodeFlags.incarnation",
    "NameMessage.flags",
    "NameMessage.connection_id",
    "ServerStatus.status",
    "ClientStatus.status",
    "Challenge.flags",
    "Challenge.challenge",
    "ChallengeReply.challenge",
    "AuthenticationMessage.msg",
    "Actor.pid",
    "Beat.timestamp",
    "NameTaken.for_seconds",
    "NameTaken.receiver_stays",
    "WantedGroups.one_per_node",
    "Ask.pid",
    "ControlMessage.msg",
    "Cast.to",
    "Call.to",
    "Call.tag",
    "Call.timeout_ms",
    "CallReply.to",
    "CallReply.tag",
    "CallFailed.to",
    "CallFailed.tag",
    "NodeMessage.msg",
];

/// The arms of the choices between messages, with what bounds how many of each there are.
const ARMS: &[(&str, &str)] = &[
    ("Network::Auth", "few: the handshake has an order"),
    ("Network::Node", "the mailboxes"),
    ("Network::Control", "each is handled before the next one is read"),
    ("Authentication::Name", "one"),
    ("Authentication::ServerStatus", "one"),
    ("Authentication::ClientStatus", "one"),
    ("Authentication::ServerChallenge", "one"),
    ("Authentication::ClientChallenge", "one"),
    ("Authentication::ServerAck", "one"),
    ("Control::Spawn", "what a peer may have"),
    ("Control::Terminate", "not kept"),
    ("Control::Ping", "not kept; the answers: the outbox"),
    ("Control::Pong", "not kept"),
    ("Control::PgJoin", "what a peer may have"),
    ("Control::PgLeave", "not kept"),
    ("Control::EnumerateNodeSessions", "not kept; the answers: the outbox"),
    ("Control::NodeSessions", "256 connections that are tried"),
    ("Control::Ready", "not kept"),
    ("Control::NameTaken", "not kept"),
    ("Control::Leaving", "not kept"),
    ("Control::Interest", "one, of 64 patterns of 255 bytes"),
    ("Control::Ask", "4096 before the answers; the answers: the outbox"),
    ("Node::Cast", "the mailboxes"),
    ("Node::Call", "the mailboxes, and the calls that may wait"),
    ("Node::Reply", "the calls that wait"),
    ("Node::CallFailed", "the calls that wait"),
];

fn start(options: &[&str]) -> Peer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
    let limits = [
        ("--peer-bytes", PEER.to_string()),
        ("--all-peers-bytes", ALL_PEERS.to_string()),
        ("--mailbox", MAILBOX.to_string()),
    ];
    command.args(["--name", "filled", "--cookie", COOKIE]).args(options);
    // What glibc would keep of large blocks that were given back is not what the node keeps.
    command
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .env("MALLOC_ARENA_MAX", "2");
    for (key, value) in limits {
        command.args([key, &value]);
    }
    Peer::start_program("filled (test-node)", &mut command)
}

#[test]
fn every_field_of_the_protocol_has_a_row() {
    let fields = protocol::fields();
    assert!(fields.len() > 50, "{fields:?}");
    let names: BTreeSet<_> = fields.iter().map(|field| field.name.as_str()).collect();
    let rows = GROWING.iter().map(|(name, ..)| name);
    let rows: BTreeSet<_> = rows
        .chain(FIXED)
        .chain(ARMS.iter().map(|(name, _)| name))
        .copied()
        .collect();
    assert_eq!(names, rows, "the fields of the protocol, and the rows of this test");
    for field in fields {
        let is_filled = GROWING.iter().any(|(name, ..)| *name == field.name);
        assert_eq!(field.grows, is_filled, "whether {} is filled", field.name);
    }
}

#[test]
fn every_field_that_a_peer_fills_has_a_bound() {
    let node = start(&["--actor", "stuck:stuck:3600000", "--actor", "free:free"]);
    let address = node.address().to_owned();
    let mut node = node;
    Raw::peer(&address);
    stall(&address);
    let before = node.process().memory();
    for (field, bound, fill) in GROWING {
        forget_peak(&mut node);
        fill(&address);
        let (after, peak) = (node.process().memory(), peak(&mut node));
        let grown = |to: u64| usize::try_from(to.saturating_sub(before)).unwrap();
        println!("{field}: {} MiB, at most {}", grown(after) / MIB, grown(peak) / MIB);
        assert!(
            grown(after) < bound.bytes() + ALLOWANCE,
            "{field} ({bound:?}): the node grew from {before} to {after} bytes"
        );
        assert!(
            grown(peak) < bound.bytes() + PASSING + ALLOWANCE,
            "{field} ({bound:?}): the node grew from {before} to {peak} bytes for a while"
        );
        node.wait("sessions", "");
    }
    for what in [
        "wait in the mailbox of the local actor already",
        "name_too_long",
        "(`peer_bytes`)",
    ] {
        let lines = node.process().lines(Stream::Stderr);
        assert!(
            lines.iter().any(|line| line.contains(what)),
            "{what}: what is beyond the bounds was filled"
        );
    }
    assert_eq!(node.run("echo free 100"), "100");
}

/// The most memory that the node had since [`forget_peak`], in bytes.
fn peak(node: &mut Peer) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process().id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn forget_peak(node: &mut Peer) {
    std::fs::write(format!("/proc/{}/clear_refs", node.process().id()), "5").unwrap();
}

/// From now on the actor is at its first message.
fn stall(node: &str) {
    let mut peer = Raw::peer(node);
    let to = peer.pid_of("stuck");
    // `Take` of an empty list of bytes.
    let args = 0_u64.to_be_bytes();
    peer.send(DATA, 1, &[number(1, to), bytes(2, &args), bytes(3, b"Take")].concat());
    peer.confirm();
}

#[test]
fn what_a_peer_is_left_without_is_named_once_and_its_session_goes_on() {
    let mut node = start(&[]);
    let mut peer = Raw::named(node.address(), "greedy");
    let members: Vec<_> = (0..5_000).map(|pid| actor(pid, None)).collect();
    peer.send(CONTROL, 5, &change(b"__default_scope__", b"crowd", members.clone()));
    peer.send(CONTROL, 1, &bytes(1, &actor(9_000, Some(&[b'n'; 256]))));
    peer.send(
        CONTROL,
        5,
        &change(b"__default_scope__", &[b'g'; 256], [actor(1, None)]),
    );
    peer.confirm();
    let taken = members_of(&mut node, "crowd");
    assert!((1_000..1_700).contains(&taken), "{taken} members");
    let left_out = 5_000 - taken + 2;
    assert_eq!(node.run("left-out"), left_out.to_string());
    let named = |node: &mut Peer, text: &str| {
        let lines = node.process().lines(Stream::Stderr);
        lines
            .iter()
            .filter(|line| line.contains(text) && line.contains("greedy@localhost"))
            .count()
    };
    for (reason, lines) in [("\"actor_name\"", 1), ("\"group_name\"", 1), ("\"full\"", 1)] {
        assert_eq!(named(&mut node, reason), lines, "{reason}");
    }

    // What leaves makes room; of what was left out, neither an end nor a leave does any harm.
    peer.send(
        CONTROL,
        6,
        &change(b"__default_scope__", &[b'g'; 256], [actor(1, None)]),
    );
    let ended: Vec<_> = (0..10_000).flat_map(|pid| number(1, pid)).collect();
    peer.send(CONTROL, 2, &ended);
    peer.confirm();
    node.wait("members crowd", "");
    let joins = change(
        b"__default_scope__",
        b"crowd",
        (20_000..21_000).map(|pid| actor(pid, None)),
    );
    peer.send(CONTROL, 5, &joins);
    peer.confirm();
    assert_eq!(members_of(&mut node, "crowd"), 1_000);
    assert_eq!(
        node.run("left-out"),
        left_out.to_string(),
        "there was room for all of them"
    );
}

#[test]
fn a_peer_that_reconnects_is_not_charged_twice() {
    let mut node = start(&[]);
    for round in 0..4 {
        let mut peer = Raw::named(node.address(), "fickle");
        let joins = change(b"__default_scope__", b"crowd", (0..1_200).map(|pid| actor(pid, None)));
        peer.send(CONTROL, 5, &joins);
        peer.confirm();
        assert_eq!(members_of(&mut node, "crowd"), 1_200, "round {round}");
        assert_eq!(node.run("left-out"), "0", "round {round}");
        // The next one may come before all is gone that this one had.
        drop(peer);
        node.wait("sessions", "");
    }
    node.wait("members crowd", "");
    // Two others together may have less than each of them may.
    let mut first = Raw::named(node.address(), "first");
    let joins = |from: u64| {
        change(
            b"__default_scope__",
            b"others",
            (from..from + 1_200).map(|pid| actor(pid, None)),
        )
    };
    first.send(CONTROL, 5, &joins(0));
    first.confirm();
    let mut second = Raw::named(node.address(), "second");
    second.send(CONTROL, 5, &joins(0));
    second.confirm();
    let both = members_of(&mut node, "others");
    assert!((1_200..2_390).contains(&both), "{both} members");
}

#[test]
fn what_has_too_long_a_name_for_other_nodes_is_not_told_of() {
    let mut node = start(&[]);
    let early = Raw::peer(node.address());
    let long = "n".repeat(256);
    node.run(&format!("spawn {long} some"));
    node.run(&format!("spawn short {long}"));
    node.run("spawn other some");
    let late = Raw::peer(node.address());
    for (mut peer, when) in [(early, "before"), (late, "after")] {
        peer.confirm();
        assert!(peer.knows_actor("short") && peer.knows_actor("other"), "{when}");
        assert!(peer.knows_group("some"), "{when}");
        assert!(!peer.knows_actor(&long) && !peer.knows_group(&long), "{when}");
    }
    let lines = node.process().lines(Stream::Stderr);
    for what in [
        "did not tell this peer of the actor nnn",
        "did not tell this peer of the members",
    ] {
        assert!(lines.iter().any(|line| line.contains(what)), "{what}");
    }
}

fn members_of(node: &mut Peer, group: &str) -> usize {
    let members = node.run(&format!("members {group}"));
    members.split(' ').filter(|member| !member.is_empty()).count()
}
