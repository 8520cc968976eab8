//! Replacing the code of an actor that lives.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

pub use crate::common::portable::{
    FieldsReader, FieldsWriter, Portable, PortableError, PortableKey, PortableState, Sink, Value,
};
pub use crate::common::reload::{KeptState, OldState, StateError, decode, encode};
use crate::guest::runtime::incoming::IncomingCall;
use crate::guest::{Actor, ActorProcessingErr, ActorRef, BytesConvertable, MessagingErr, RpcReplyPort};
pub use ractor_host_derive::PortableState;

crate::common::reload::reload_trait!();

/// A call that is to be answered later, in the state of an actor that can be reloaded: its caller waits on, whatever code
/// answers.
#[derive(Debug)]
pub struct Deferred<T>(RpcReplyPort<T>);

impl<T> Deferred<T> {
    /// Sends the reply.
    ///
    /// # Errors
    /// The caller has given up.
    pub fn send(self, reply: T) -> Result<(), MessagingErr<T>> {
        self.0.send(reply)
    }

    /// True if the caller is known to have given up.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> From<RpcReplyPort<T>> for Deferred<T> {
    fn from(port: RpcReplyPort<T>) -> Self {
        Self(port)
    }
}

impl<T> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.number() {
            Some(number) => serializer.serialize_u64(number),
            None => Err(ser::Error::custom("a call of the actor to itself can't be kept")),
        }
    }
}

impl<'de, T: BytesConvertable + 'static> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let call = IncomingCall::kept(u64::deserialize(deserializer)?);
        let port = RpcReplyPort::incoming(call);
        Ok(Self(port.map_reply(|reply: T| Some(reply.into_bytes()))))
    }
}
