//! What the host keeps beside one instance: the data of its store.

use std::collections::HashSet;
use std::sync::Arc;

use ractor::ActorCell;

use super::bindings::types;
use super::limits::{Limit, Limiter, Limits};
use super::replies::Replies;
use super::wasi::Wasi;

/// The data of one store.
pub(super) struct State {
    /// None while the component only describes itself: then it may not use any import.
    actor: Option<Myself>,
    pub(super) label: Label,
    pub(super) limits: Limits,
    pub(super) limiter: Limiter,
    pub(super) replies: Replies,
    /// Came with the message being handled.
    pub(super) metadata: Option<Vec<u8>>,
    /// The groups that the guest itself joined, as scope and name.
    pub(super) groups: HashSet<(Option<String>, String)>,
    /// Made at the first use: many guests never touch WASI.
    pub(super) wasi: Option<Box<Wasi>>,
}

/// The actor that an instance is.
#[derive(Debug, Clone)]
pub(super) struct Myself {
    pub(super) cell: ActorCell,
    /// The full name of the node, `name@hostname`.
    pub(super) node_name: Arc<str>,
}

/// Who a log event or an error is about.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// The actor's name, or its module's if it has none.
    pub(super) name: Arc<str>,
    pub(super) pid: u64,
}

/// A guest used an import while it described itself.
#[derive(Debug, thiserror::Error)]
#[error("`describe` used an import of `ractor:actor`; it may not, because there is no actor yet")]
struct NoActorYet;

impl State {
    pub(super) fn new(actor: Option<Myself>, label: Label, limits: Limits) -> Self {
        Self {
            actor,
            label,
            limiter: Limiter::new(&limits),
            replies: Replies::new(limits.deferred_replies),
            metadata: None,
            groups: HashSet::new(),
            wasi: None,
            limits,
        }
    }

    /// The actor, or a trap.
    pub(super) fn myself(&self) -> wasmtime::Result<&Myself> {
        self.actor.as_ref().ok_or_else(|| wasmtime::Error::new(NoActorYet))
    }

    /// Traps on a name that is too long.
    pub(super) fn check_name(&self, name: &str) -> wasmtime::Result<()> {
        if name.len() > self.limits.name_bytes {
            return Err(wasmtime::Error::new(Limit::NameBytes(self.limits.name_bytes)));
        }
        Ok(())
    }
}

impl types::Host for State {}
