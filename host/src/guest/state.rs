//! What the host keeps beside one instance: the data of its store.

use std::collections::HashSet;
use std::sync::Arc;

use ractor::ActorCell;

use super::bindings::types;
use super::limits::{Limit, Limiter, Limits};
use super::outflow::Outflow;
use super::profile::Profile;
use super::replies::Replies;
use super::wasi::Wasi;

/// The data of one store.
pub(super) struct State {
    /// None while the component only describes itself: then it may not use any import.
    actor: Option<Myself>,
    pub(super) label: Label,
    pub(super) limits: Arc<Limits>,
    pub(super) limiter: Limiter,
    pub(super) replies: Replies,
    /// Came with the message being handled.
    pub(super) metadata: Option<Vec<u8>>,
    /// The groups that the guest itself joined, as scope and name.
    pub(super) groups: HashSet<(Option<String>, String)>,
    /// Made at the first use: many guests never touch WASI.
    pub(super) wasi: Option<Box<Wasi>>,
    /// What the guest has sent to native actors and they may not have handled.
    pub(super) outflow: Outflow,
    /// The guest asked to stop, with this reason.
    pub(super) stopping: Option<Option<String>>,
    /// The engine's limit on the stack, for errors.
    pub(super) stack_bytes: usize,
}

/// The actor that an instance is.
#[derive(Debug, Clone)]
pub(super) struct Myself {
    pub(super) cell: ActorCell,
    pub(super) profile: Arc<Profile>,
}

impl std::ops::Deref for Myself {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
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
    pub(super) fn new(actor: Option<Myself>, label: Label, limits: Arc<Limits>, stack_bytes: usize) -> Self {
        Self {
            actor,
            label,
            limiter: Limiter::new(&limits),
            replies: Replies::new(limits.deferred_replies),
            metadata: None,
            groups: HashSet::new(),
            wasi: None,
            outflow: Outflow::default(),
            stopping: None,
            stack_bytes,
            limits,
        }
    }

    /// The actor, or a trap.
    pub(super) fn myself(&self) -> wasmtime::Result<&Myself> {
        self.actor.as_ref().ok_or_else(|| wasmtime::Error::new(NoActorYet))
    }

    /// True if the guest may send to this actor: to itself, to its supervisor and its children, and beyond that as node.toml
    /// says.
    pub(super) fn may_send_to(&self, to: &ActorCell) -> wasmtime::Result<bool> {
        let Myself { cell, profile } = self.myself()?;
        let kin = || {
            let supervised_by = |actor: &ActorCell, by: &ActorCell| actor.try_get_supervisor().as_ref() == Some(by);
            to == cell || supervised_by(cell, to) || supervised_by(to, cell)
        };
        Ok(profile.grants.may_send_to(to) || kin())
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
