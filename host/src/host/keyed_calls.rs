//! Calls of operators that bear idempotency keys.

use ractor::message::SerializedMessage;

use super::calls::Recipient;
use crate::control::{NotSent, SendFault};
use crate::entities::{Scope, keyed};

/// An idempotency key, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct OperatorKey<'a> {
    pub(super) kind: OperatorKind,
    pub(super) key: &'a str,
}

/// How an operator reaches this node. Each has keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperatorKind {
    /// By the admin HTTP, whatever token the request shows.
    Http,
    /// By the local socket, as the command line does.
    Local,
}

impl OperatorKind {
    fn scope(self) -> Scope {
        match self {
            Self::Http => Scope::new("http", ""),
            Self::Local => Scope::new("local", ""),
        }
    }
}

/// The call with the key that it bears, if it bears one.
pub(super) fn bearing(
    call: SerializedMessage,
    recipient: &Recipient,
    target: &str,
    key: Option<OperatorKey<'_>>,
) -> Result<SerializedMessage, NotSent> {
    let Some(OperatorKey { kind, key }) = key else {
        return Ok(call);
    };
    let bad = |reason: String| SendFault::BadKey.because(reason);
    match recipient {
        Recipient::Entity(entity) => {
            keyed(entity, &kind.scope(), key, call).map_err(|refused| bad(refused.to_string()))
        }
        Recipient::EntityElsewhere(..) => Err(bad(format!(
            "{target} is an entity of another node, which takes no idempotency keys from here: have that node make the call, by its admin \
             HTTP or by `ractor-host call` on its machine"
        ))),
        Recipient::Actor(_) => Err(bad(format!(
            "{target} is no entity, and only calls of entities (`entity:TYPE/KEY`) bear idempotency keys"
        ))),
    }
}
