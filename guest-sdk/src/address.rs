//! Actors in a form that other nodes understand.
//!
//! Natively the node is whatever the process runs besides its actors, so the process says how its addresses are made: with `install`.
//! Until then an address means an actor of this process, in this process.

use std::fmt::{self, Write};

#[cfg(not(target_family = "wasm"))]
pub use crate::native::addresses::{Addresses, install};
use crate::{ActorCell, ActorRef, BytesConvertable, Message, world};

/// An actor in a form that means the same actor on every node, to be sent as an argument or a reply of any message. (An
/// `ActorId` means something in its own process only.)
///
/// An address doesn't keep an actor alive, and doesn't outlive it. Its bytes are those of `ractor_host::ActorAddress`;
/// nothing of them need be known here.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ActorAddress(Vec<u8>);

impl ActorAddress {
    /// The address of an actor, wherever it lives. None if it has ended, or its node is not connected.
    pub fn of(actor: &ActorCell) -> Option<Self> {
        world::addresses::of(actor).map(Self)
    }

    /// The actor. None if it has ended, its node isn't connected or was restarted since, or the bytes are no address.
    pub async fn resolve(&self) -> Option<ActorCell> {
        world::addresses::resolve(self.0.clone()).await
    }

    /// As [`ActorAddress::resolve`], for an actor that handles `TMessage`. Whether it does shows only when one is sent.
    pub async fn resolve_as<TMessage: Message>(&self) -> Option<ActorRef<TMessage>> {
        self.resolve().await.map(ActorRef::from)
    }
}

impl BytesConvertable for ActorAddress {
    fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for ActorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActorAddress(")?;
        self.0.escape_ascii().try_for_each(|byte| f.write_char(byte.into()))?;
        f.write_str(")")
    }
}
