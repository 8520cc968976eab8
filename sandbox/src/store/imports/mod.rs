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

/// The release of WASI that this host has.
const WASI: &str = "0.2";

/// The packages, or interfaces of them, that this host offers: how an import's name begins, and its version without the last
/// number, which doesn't matter: releases that differ in it alone fit each other.
const OFFERED: [(&str, &str); 9] = [
    ("ractor:actor/", "0.1"),
    ("wasi:cli/", WASI),
    ("wasi:clocks/", WASI),
    ("wasi:filesystem/", WASI),
    ("wasi:http/outgoing-handler@", WASI),
    ("wasi:http/types@", WASI),
    ("wasi:io/", WASI),
    ("wasi:random/", WASI),
    ("wasi:sockets/", WASI),
];

/// True if this host knows the package of the import with this name. Its interfaces are checked by linking.
pub(crate) fn offers(import: &str) -> bool {
    let version = import.split_once('@').map_or("", |(_, version)| version);
    OFFERED
        .iter()
        .any(|(package, release)| import.starts_with(package) && is_of(version, release))
}

/// True if the import is of the release of WASI that this host has, whether it is offered or not.
pub(crate) fn is_of_this_wasi(import: &str) -> bool {
    let version = import.split_once('@').map_or("", |(_, version)| version);
    is_of(version, WASI)
}

/// True of a version that is one of this release, and no candidate for it: those fit nothing but themselves.
fn is_of(version: &str, release: &str) -> bool {
    let patch = version.strip_prefix(release).and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A linker with every import that a guest may have. What they do is up to the actor's grants (see [`super::wasi`]).
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}
