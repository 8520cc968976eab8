//! What the fuzz targets call: bytes in, a panic if something that must hold doesn't. Hidden, and only there with the
//! feature `fuzzing`.
//!
//! The bytes are read as instructions (see `input`), so that a fuzzer gets past the first message.

mod control;
mod derive;
mod frame;
mod handshake;
pub mod input;
mod messages;
pub mod micro;

pub use control::control;
pub use derive::derive;
pub use frame::frame;
pub use handshake::handshake;

use std::sync::Arc;

use crate::session::{PeerAccount, PeerLedger, Role, SessionConfig, StockPeers, Timing};
use crate::wire::{CAPABILITY_IDENTITY, NameMessage, NodeFlags};

const COOKIE: &str = "the cookie of the cluster";

/// The memory, in bytes, that one peer may take: little, so that the limit is reached too.
const BYTES: usize = 64 << 10;

/// One end of a session; `number` tells the nodes apart.
fn config(role: Role, number: u16, transitive: bool) -> SessionConfig {
    SessionConfig {
        role,
        local: NameMessage {
            name: format!("node{number}@localhost"),
            flags: Some(NodeFlags {
                version: 1,
                capabilities: CAPABILITY_IDENTITY,
                incarnation: u64::from(number),
                ..NodeFlags::default()
            }),
            connection_string: format!("localhost:{number}"),
            connection_id: u64::from(role == Role::Initiator),
        },
        cookie: COOKIE.to_owned(),
        transitive,
        timing: Timing::default(),
        stock_peers: StockPeers::default(),
        challenge: 0x5eed.into(),
        nonce: [number as u8; 16],
        jitter: 1,
        account: Arc::new(PeerAccount::new(Arc::new(PeerLedger::new(BYTES)), BYTES)),
        interest: None,
    }
}
