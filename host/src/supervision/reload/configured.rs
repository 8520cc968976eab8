//! Actors of node.toml: what new code has to be able to do for them, whether they run now or not.
//!
//! Their state may be handed over today; the node starts them with the same entry tomorrow.

use std::fmt;
use std::sync::Arc;

use super::check::{CodeFacts, Refusal};
use crate::guest::{Grants, Module, TypeExpr};

/// An actor of the module that is to be able to start with the new code, whether it runs now or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredActor {
    /// Its name.
    pub name: String,
    /// What it may reach.
    pub grants: Arc<Grants>,
    /// Its state is kept, which takes code that can hand it over.
    pub keeps_state: bool,
    /// What it is started with.
    pub arguments: StartArguments,
}

/// What is wrong with bytes that should be one value of the type, in words; nothing if they are one, or if the type is the actor's own.
pub type Misfit = fn(&TypeExpr, &[u8]) -> Option<String>;

/// The bytes of start arguments, and who judges them. They may be secret.
#[derive(Clone)]
pub struct StartArguments {
    bytes: Vec<u8>,
    misfit: Misfit,
}

impl StartArguments {
    /// These bytes, which `misfit` compares with the type that code says it starts with.
    pub fn new(bytes: Vec<u8>, misfit: Misfit) -> Self {
        Self { bytes, misfit }
    }
}

impl fmt::Debug for StartArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StartArguments({} bytes)", self.bytes.len())
    }
}

impl PartialEq for StartArguments {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for StartArguments {}

/// Why actors could not be started with the new code: the first of each kind. Arguments that don't fit can be forced; grants can't.
pub(super) fn cannot_start(
    configured: &[ConfiguredActor],
    new: &Module,
    says: &CodeFacts,
    force: bool,
) -> Vec<Refusal> {
    let lacks = configured.iter().find_map(|actor| {
        Some(Refusal::NotGranted {
            actor: actor.name.clone(),
            lacks: new.admitted_by(&actor.grants).err()?,
        })
    });
    let mut keeping = configured.iter().filter(|actor| actor.keeps_state);
    let unkept = if new.is_reloadable() { None } else { keeping.next() };
    let ty = says.contract.as_ref().ok().and_then(|contract| contract.start.ty());
    let unfit = ty.filter(|_| !force).and_then(|ty| {
        configured.iter().find_map(|actor| {
            let StartArguments { bytes, misfit } = &actor.arguments;
            Some(Refusal::ArgumentsInFile {
                actor: actor.name.clone(),
                ty: ty.to_string(),
                reason: misfit(ty, bytes)?,
            })
        })
    });
    lacks
        .into_iter()
        .chain(unkept.map(|actor| Refusal::NotKept(actor.name.clone())))
        .chain(unfit)
        .collect()
}
