//! What a component imports and exports, by name, and whether this host offers what it imports.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::capabilities::{self, CapabilityUse};
use super::error::LoadFault;
use super::imports::{Offers, is_of};

/// The release of WASI that this host has.
pub(crate) const WASI: &str = "0.2";

/// True if the import is of the release of WASI that this host has, whether it is offered or not.
fn is_of_this_wasi(import: &str) -> bool {
    let version = import.split_once('@').map_or("", |(_, version)| version);
    is_of(version, WASI)
}

/// Refuses a component for the names of its imports, before it is compiled: one of a later WASI may not even be that. What a program
/// offers of another WASI is its own affair.
pub(crate) fn check_releases(imports: &[String], offers: &Offers) -> Result<(), LoadFault> {
    let another = imports
        .iter()
        .find(|name| name.starts_with("wasi:") && !is_of_this_wasi(name) && !offers.include(name));
    match another {
        Some(name) => Err(LoadFault::UnknownImport(name.clone())),
        None => Ok(()),
    }
}

/// Refuses a component that imports what this host knows nothing of.
pub(crate) fn check_imports(
    engine: &wasmtime::Engine,
    component: &Component,
    offers: &Offers,
) -> Result<(), LoadFault> {
    let ty = component.component_type();
    let unknown = ty.imports(engine).find(|(name, import)| {
        // A type alone needs nothing of the host.
        !matches!(import.ty, ComponentItem::Type(_)) && !offers.include(name)
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
    /// The capabilities that it imports functions of, whether it calls them or not.
    pub(crate) uses: Vec<CapabilityUse>,
}

impl Interfaces {
    pub(crate) fn of(engine: &wasmtime::Engine, component: &Component, offers: &Offers) -> Self {
        let ty = component.component_type();
        Self {
            imports: ty.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: ty.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            uses: capabilities::of(engine, component, offers.capabilities()),
        }
    }
}

/// What a component exports, as an error names it.
pub(crate) fn exports(engine: &wasmtime::Engine, component: &Component) -> String {
    let ty = component.component_type();
    let names: Vec<_> = ty.exports(engine).map(|(name, _)| format!("`{name}`")).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
