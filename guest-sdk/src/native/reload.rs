//! Replacing the code of a living actor: natively there is only what tests need.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr, RpcReplyPort};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use crate::common::portable::{
    FieldsReader, FieldsWriter, Portable, PortableError, PortableKey, PortableState, Sink, Value,
};
pub use crate::common::reload::{KeptState, OldState, StateError, decode, encode};
pub use ractor_host_derive::PortableState;

crate::common::reload::reload_trait!();

type Port<T> = Arc<Mutex<Option<RpcReplyPort<T>>>>;

/// A call that is to be answered later, in the state of an actor that can be reloaded: its caller waits on, whatever code
/// answers.
#[derive(Debug)]
pub struct Deferred<T>(Port<T>);

impl<T> Deferred<T> {
    /// Sends the reply.
    ///
    /// # Errors
    /// The caller has given up.
    pub fn send(self, reply: T) -> Result<(), MessagingErr<T>> {
        match self.0.lock().take() {
            Some(port) => port.send(reply),
            None => Err(MessagingErr::ChannelClosed),
        }
    }

    /// True if the caller is known to have given up.
    pub fn is_closed(&self) -> bool {
        self.0.lock().as_ref().is_none_or(RpcReplyPort::is_closed)
    }
}

impl<T> From<RpcReplyPort<T>> for Deferred<T> {
    fn from(port: RpcReplyPort<T>) -> Self {
        Self(Arc::new(Mutex::new(Some(port))))
    }
}

/// The ports that were serialized and not read back yet, by the number that stands for each.
static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Kept {
    last: u64,
    ports: HashMap<u64, Box<dyn Any + Send>>,
}

impl<T: Send + 'static> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut kept = KEPT.lock();
        kept.last += 1;
        let number = kept.last;
        // A clone, because the old state goes on with the port if the new code is refused.
        kept.ports.insert(number, Box::new(self.0.clone()));
        serializer.serialize_u64(number)
    }
}

impl<'de, T: Send + 'static> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let port = KEPT.lock().ports.remove(&number);
        let port = port.and_then(|port| port.downcast::<Port<T>>().ok());
        port.map(|port| Self(*port))
            .ok_or_else(|| de::Error::custom("no call with this type of reply is kept under this number"))
    }
}
