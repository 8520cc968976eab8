//! References to entities whose calls bear keys.

use std::fmt;
use std::time::Duration;

use ractor::{Message, RpcReplyPort};
use ractor_host_directory::{CallError, reply_port};

use super::{Scope, keyed};
use crate::node::send;
use crate::reference::{EntityRef, replied};

/// An entity and the key that a call of it bears: see [`EntityRef::with_idempotency_key`].
pub struct KeyedRef<'a, M> {
    to: &'a EntityRef<M>,
    key: &'a str,
    scope: Scope,
}

impl<M: Message> EntityRef<M> {
    /// For a call that may be repeated: however often it is made with this key, the entity handles it once, and each caller gets the reply
    /// of that time, also after a crash of the node. What came of it is kept for ten minutes.
    ///
    /// The key has 1 to 255 bytes and belongs to one call, of this message with these arguments. It is one among those of this node's native
    /// code, unless [`KeyedRef::in_scope`] says otherwise. The type has to be one whose `durability` is `"before-reply"`.
    pub fn with_idempotency_key<'a>(&'a self, key: &'a str) -> KeyedRef<'a, M> {
        KeyedRef {
            to: self,
            key,
            scope: Scope::new("native", ""),
        }
    }
}

impl<M: Message> KeyedRef<'_, M> {
    /// The key is one among those of this name: the same key under two names is two keys.
    #[must_use]
    pub fn in_scope(self, name: &str) -> Self {
        Self {
            scope: Scope::new("native", name),
            ..self
        }
    }

    /// Sends the call and waits for the reply, as [`EntityRef::call`] does.
    ///
    /// # Errors
    /// There is no reply, and why. After a timeout, or where it isn't known whether the call had an effect, make it again with the same key.
    pub async fn call<R>(
        &self,
        message: impl FnOnce(RpcReplyPort<R>) -> M,
        wait: Option<Duration>,
    ) -> Result<R, CallError>
    where
        R: Send + 'static,
    {
        let (port, reply) = reply_port(wait);
        let message = message(port).serialize().map_err(|_| CallError::WrongType)?;
        let entity = self.to.entity();
        send(entity, keyed(entity, &self.scope, self.key, message)?)?;
        replied(reply, wait).await
    }
}

impl<M> fmt::Debug for KeyedRef<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedRef({}, {:?})", self.to, self.key)
    }
}
