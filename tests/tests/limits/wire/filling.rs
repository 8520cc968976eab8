//! Peers that fill fields: each sends large values where they go, and sees that the node is still there, or that it hung up.

use super::{LARGE, MIB};
use crate::raw::{AUTH, CONTROL, DATA, Raw, bytes, number};

/// A stranger that says who it is, and is not let in.
pub(super) fn introduce(node: &str, name: &[u8]) {
    let mut stranger = Raw::stranger(node);
    stranger.try_send(AUTH, 1, name);
    stranger.hung_up();
}

/// A question in which the one who asks has a name of any length.
pub(super) fn ask_for_sessions(node: &str, field: u64) {
    let mut peer = Raw::peer(node);
    for _ in 0..3 {
        peer.send(CONTROL, 7, &bytes(field, &vec![b'n'; LARGE]));
    }
    peer.confirm();
}

/// A step of the handshake when that is over.
pub(super) fn out_of_order(node: &str, arm: u64, field: u64) {
    let mut peer = Raw::peer(node);
    peer.try_send(AUTH, arm, &bytes(field, &vec![b'n'; LARGE]));
    peer.hung_up();
}

/// An interest in far more groups than a node may say.
pub(super) fn interest(node: &str, wanted: &[u8]) {
    let mut peer = Raw::peer(node);
    peer.try_send(CONTROL, 102, wanted);
    peer.hung_up();
}

/// A trace that nobody could have made, of messages for nobody.
pub(super) fn lie_about_traces(node: &str, arm: u64, field: u64) {
    let mut peer = Raw::peer(node);
    for tag in 0..4 {
        let tag = if arm == 2 { number(3, tag) } else { Vec::new() };
        let trace = bytes(field, &vec![b'0'; LARGE]);
        peer.send(DATA, arm, &[number(1, 1), tag, trace].concat());
    }
    peer.confirm();
}

/// Far more than its mailbox takes, for an actor that handles nothing.
pub(super) fn fill_mailbox(node: &str, arm: u64, field: u64) {
    let mut peer = Raw::peer(node);
    let to = peer.pid_of("stuck");
    for tag in 0..60 {
        let tag = if arm == 2 { number(3, tag) } else { Vec::new() };
        peer.send(
            DATA,
            arm,
            &[number(1, to), tag, bytes(field, &vec![b'v'; MIB])].concat(),
        );
    }
    peer.confirm();
}
