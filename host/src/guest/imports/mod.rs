//! What the host offers to guests, one file per WIT interface.

mod config;
mod groups;
mod identity;
pub(super) mod lifecycle;
mod logging;
mod messaging;
mod registry;
mod timers;

use wasmtime::component::{HasSelf, Linker};

use super::bindings::World;
use super::state::State;
use super::wasi;

/// The packages, or interfaces of them, that this host offers: how an import's name begins, and its version.
const OFFERED: [(&str, &str); 9] = [
    ("ractor:actor/", "@0.1."),
    ("wasi:cli/", "@0.2."),
    ("wasi:clocks/", "@0.2."),
    ("wasi:filesystem/", "@0.2."),
    ("wasi:http/outgoing-handler@", "@0.2."),
    ("wasi:http/types@", "@0.2."),
    ("wasi:io/", "@0.2."),
    ("wasi:random/", "@0.2."),
    ("wasi:sockets/", "@0.2."),
];

/// True if this host knows the package of the import with this name. Its interfaces are checked by linking.
pub(super) fn offers(import: &str) -> bool {
    OFFERED
        .iter()
        .any(|(package, version)| import.starts_with(package) && import.contains(version))
}

/// A linker with every import that a guest may have. What they do is up to the actor's grants (see [`super::wasi`]).
pub(super) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}
