//! `config`: what node.toml says to the calling actor.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::config;
use crate::component::imports::Import;
use crate::store::data::StoreData;
use crate::store::interface;

/// The interface `config`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/config", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        config::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl config::Host for StoreData {
    fn value(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.context()?.config.get(&key).cloned())
    }

    fn entries(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let entries = self.context()?.config.iter();
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
