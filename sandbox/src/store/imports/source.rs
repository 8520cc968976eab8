//! `source`: what a component that is an interpreter runs.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::source::{self, SourceFile};
use crate::component::imports::Import;
use crate::store::data::StoreData;
use crate::store::exit::Exit;
use crate::store::interface;

/// The interface `source`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/source", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        source::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl source::Host for StoreData {
    fn load(&mut self) -> wasmtime::Result<Option<SourceFile>> {
        // Also while there is no actor: it is a part of what the module is, and not of what an actor may use.
        Ok(self.source.as_deref().map(|source| SourceFile {
            name: source.name.clone(),
            text: source.text.clone(),
        }))
    }

    fn refuse(&mut self, reason: String) -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(Exit(self.reason(&reason))))
    }
}
