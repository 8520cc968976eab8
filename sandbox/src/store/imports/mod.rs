//! What the host offers to guests, one file per WIT interface.

mod config;
mod groups;
mod identity;
pub(crate) mod lifecycle;
mod logging;
mod messaging;
mod registry;
mod timers;

use wasmtime::component::{HasSelf, Linker};

use super::state::State;
use super::wasi;
use crate::component::bindings::World;

/// A linker with every import that a guest may have. What they do is up to the actor's grants (see [`super::wasi`]).
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}
