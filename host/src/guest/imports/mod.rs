//! What the host offers to guests, one file per WIT interface.

mod groups;
mod identity;
mod lifecycle;
mod logging;
mod messaging;
mod registry;

use wasmtime::component::{HasSelf, Linker};

use super::bindings::World;
use super::state::State;

/// The packages that this host offers, as prefixes of import names.
pub(super) const OFFERED: [&str; 7] = [
    "ractor:actor/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// A linker with every import that a guest may have. WASI's files and sockets are there because language runtimes
/// import them; nothing is granted through them (see [`super::wasi`]).
pub(super) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Ok(linker)
}
