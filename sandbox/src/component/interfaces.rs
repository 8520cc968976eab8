//! What a component imports and exports, by name, and whether this host offers what it imports.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::capabilities::{self, Want};
use super::error::LoadFault;

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

/// Refuses a component for the names of its imports, before it is compiled: one of a later WASI may not even be that.
pub(crate) fn check_releases(imports: &[String]) -> Result<(), LoadFault> {
    let another = imports
        .iter()
        .find(|name| name.starts_with("wasi:") && !is_of_this_wasi(name));
    match another {
        Some(name) => Err(LoadFault::UnknownImport(name.clone())),
        None => Ok(()),
    }
}

/// Refuses a component that imports what this host knows nothing of.
pub(crate) fn check_imports(engine: &wasmtime::Engine, component: &Component) -> Result<(), LoadFault> {
    let ty = component.component_type();
    let unknown = ty.imports(engine).find(|(name, import)| {
        // A type alone needs nothing of the host.
        !matches!(import.ty, ComponentItem::Type(_)) && !offers(name)
    });
    match unknown {
        Some((name, _)) => Err(LoadFault::UnknownImport(name.to_owned())),
        None => Ok(()),
    }
}

/// What a component imports and exports, by name, and what that tells.
#[derive(Debug)]
pub(crate) struct Interfaces {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) wants: Vec<Want>,
}

impl Interfaces {
    pub(crate) fn of(engine: &wasmtime::Engine, component: &Component) -> Self {
        let ty = component.component_type();
        Self {
            imports: ty.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: ty.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            wants: capabilities::of(engine, component),
        }
    }
}

/// What a component exports, as an error names it.
pub(crate) fn exports(engine: &wasmtime::Engine, component: &Component) -> String {
    let names = Interfaces::of(engine, component).exports;
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
