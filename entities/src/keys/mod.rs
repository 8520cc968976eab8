//! Idempotency keys: calls that may be repeated, because what came of them is kept beside the state and in its write.
//!
//! Such a call is wrapped: its variant is [`KEYED_VARIANT`], and its arguments are a mark that only this process knows, whose key it is, the
//! key, the variant and the arguments. The entity's seat unwraps it when it is about to be handled. So a peer, a guest or a request that sends
//! a call of that variant by hand gets nowhere: it has no mark.

pub(crate) mod book;
mod forgetting;
pub(crate) mod port;
mod reference;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor_host_directory::CallError;
use ractor_host_placement::words::{Entity, EntityType};
use sha2::{Digest, Sha256};

pub(crate) use self::forgetting::{note_kept, run_forgetting};
pub use self::reference::KeyedRef;
use crate::node::find;
use crate::seat::Durability;
use crate::type_actor::{pack, unpack};

/// The time for which what came of a call is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(600);

/// The most bytes that are kept of the calls of one entity.
pub(crate) const KEPT_BYTES: usize = 1 << 20;

/// The longest reply that is kept, in bytes.
pub(crate) const REPLY_BYTES: usize = 64 << 10;

/// The longest key, in bytes.
pub const KEY_BYTES: usize = 255;

/// The longest name of a caller, in bytes.
const SCOPE_BYTES: usize = 255;

/// The variant of a call that bears a key.
const KEYED_VARIANT: &str = "\0keyed";

/// The first part of the arguments of such a call, which nobody else knows.
static MARK: LazyLock<[u8; 16]> = LazyLock::new(rand::random);

/// Whose a key is: the same key of two callers is two keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// That of callers of this kind (`http`, `actor`) with this name, which may be empty. A long name counts as its digest.
    pub fn new(kind: &str, name: &str) -> Self {
        let scope = format!("{kind}:{name}");
        if scope.len() <= SCOPE_BYTES {
            return Self(scope);
        }
        let digest: [u8; 32] = Sha256::digest(&scope).into();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{digest}"))
    }

    /// As it is written beside the state.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a call can't bear a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefused {
    /// The key is empty or too long.
    #[error("an idempotency key has 1 to {KEY_BYTES} bytes, and this one has {0}")]
    BadKey(usize),
    /// The type doesn't write its states before it replies.
    #[error(
        "calls of entities of the type {:?} can't bear an idempotency key: [entities.{}] of node.toml would have to say `durability = \
         \"before-reply\"`",
        .0.name(),
        .0.name()
    )]
    Durability(EntityType),
    /// It is a cast.
    #[error("a call can bear an idempotency key, and a cast can't")]
    NoCall,
    /// The name of the message is one that the node keeps to itself.
    #[error("a message whose name begins with NUL can't bear an idempotency key")]
    Reserved,
}

impl From<KeyRefused> for CallError {
    fn from(refused: KeyRefused) -> Self {
        match refused {
            KeyRefused::NoCall => Self::WrongType,
            refused => Self::Failed(refused.to_string()),
        }
    }
}

/// A call that bears a key, for an entity of this process.
///
/// # Errors
/// It can't bear one.
pub fn keyed(
    entity: &Entity,
    scope: &Scope,
    key: &str,
    message: SerializedMessage,
) -> Result<SerializedMessage, KeyRefused> {
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(KeyRefused::BadKey(key.len()));
    }
    let SerializedMessage::Call {
        variant,
        args,
        reply,
        metadata,
    } = message
    else {
        return Err(KeyRefused::NoCall);
    };
    if variant.starts_with('\0') {
        return Err(KeyRefused::Reserved);
    }
    // What isn't known here is told to be by whoever sends the message.
    let of = find(&entity.entity_type);
    if of.is_some_and(|of| of.durability() != Durability::BeforeReply) {
        return Err(KeyRefused::Durability(entity.entity_type.clone()));
    }
    Ok(SerializedMessage::Call {
        variant: KEYED_VARIANT.to_owned(),
        args: pack([&*MARK, scope.0.as_bytes(), key.as_bytes(), variant.as_bytes(), &args]),
        reply,
        metadata,
    })
}

/// A call that bears a key, unwrapped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    pub(crate) name: Name,
    pub(crate) digest: [u8; 32],
    pub(crate) variant: String,
    pub(crate) args: Vec<u8>,
}

/// Which of an entity's calls it is: whose key, and which.
pub(crate) type Name = (String, String);

/// True for a call of the variant that those have which bear a key.
pub(crate) fn is_keyed(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Call { variant, .. } if variant == KEYED_VARIANT)
}

/// Where the mark is in the arguments: behind its length.
const MARK_AT: std::ops::Range<usize> = 8..24;

/// True if this is what [`keyed`] has wrapped in this process.
pub(crate) fn is_own(variant: &str, packed: &[u8]) -> bool {
    variant == KEYED_VARIANT && packed.get(MARK_AT) == Some(&*MARK)
}

/// A wrapped call as another node of the cluster gets it, which has a mark of its own.
pub(crate) fn take_mark(packed: &mut [u8]) {
    if let Some(mark) = packed.get_mut(MARK_AT) {
        mark.fill(0);
    }
}

/// A wrapped call of another node of the cluster, as one that was wrapped here.
pub(crate) fn set_mark(packed: &mut [u8]) {
    if let Some(mark) = packed.get_mut(MARK_AT) {
        mark.copy_from_slice(&*MARK);
    }
}

/// What [`keyed`] has wrapped in this process; none if others made it.
pub(crate) fn unwrap(packed: &[u8]) -> Option<Keyed> {
    let [mark, scope, key, variant, args] = unpack(packed)?;
    if mark != *MARK {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let digest = Sha256::new()
        // So that no two pairs are digested as the same bytes.
        .chain_update((variant.len() as u64).to_be_bytes())
        .chain_update(variant)
        .chain_update(args);
    Some(Keyed {
        name: (text(scope)?, text(key)?),
        digest: digest.finalize().into(),
        variant: text(variant)?,
        args: args.to_vec(),
    })
}
