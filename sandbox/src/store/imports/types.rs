//! `types`: what the other interfaces speak of. It has no functions, and a component may import a type of any of them.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::types;
use crate::component::imports::Import;
use crate::store::data::StoreData;
use crate::store::interface;

/// The interface `types`, and the name of the package.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        // What this host doesn't have of its own package is told by linking, which knows what is missing.
        const { &[Import::new("ractor:actor/", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        types::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl types::Host for StoreData {}
