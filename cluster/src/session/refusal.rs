//! Entries about a peer's actors that this node did not take, while the session goes on.

use super::ledger::Full;
use crate::wire::{ENTITIES, MAX_NAME_BYTES};

/// Why an entry was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryRefusal {
    /// The actor's name is too long.
    #[error("the name of an actor may have at most {MAX_NAME_BYTES} bytes")]
    ActorName,
    /// The name of the group or of its scope is too long.
    #[error("the names of a group and of its scope may have at most {MAX_NAME_BYTES} bytes each")]
    GroupName,
    /// The name is one of entities, and this peer's actor can be none.
    #[error(
        "names that begin with `{ENTITIES}` are those of entities and of what stands for their types; no other actor or group may have one"
    )]
    Reserved,
    /// The actor stands for a type of entities that this node has itself.
    #[error(
        "this node has entities of that type itself, and takes nobody else's for them; entities belong to one node"
    )]
    OwnEntities,
    /// The peer, or all peers together, have used up their memory here.
    #[error(transparent)]
    Full(Full),
    /// The pid is that of an actor whose stand-in is still ending here.
    #[error("the last actor with its pid is still ending here")]
    PidReused,
}

/// Entries that were not taken, of one message and for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: EntryRefusal,
    /// The first of them, in words that are short and one line.
    pub first: String,
    /// How many there are.
    pub count: usize,
}

/// What was not taken of one message: an entry for each reason.
#[derive(Debug, Default)]
pub(crate) struct EntryRefusals(Vec<Refused>);

impl EntryRefusals {
    /// Notes `count` entries; `first` names the first of them, in words of the peer's.
    pub(crate) fn note(&mut self, refusal: EntryRefusal, count: usize, first: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|refused| refused.refusal == refusal) {
            Some(refused) => refused.count += count,
            None => self.0.push(Refused {
                refusal,
                first: first().escape_debug().to_string(),
                count,
            }),
        }
    }

    /// True if everything was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was noted.
    pub(crate) fn into_inner(self) -> Vec<Refused> {
        self.0
    }
}
