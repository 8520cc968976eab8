//! `identity`: who the calling actor is.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::{identity, types};
use crate::component::imports::Import;
use crate::store::data::{ActorContext, StoreData};
use crate::store::interface;
use crate::store::pid;

/// The interface `identity`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/identity", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        identity::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl identity::Host for StoreData {
    fn self_pid(&mut self) -> wasmtime::Result<types::Pid> {
        Ok(pid::of(self.context()?.cell.get_id()))
    }

    fn self_name(&mut self) -> wasmtime::Result<Option<String>> {
        let ActorContext { cell, family, .. } = self.context()?;
        Ok(cell.get_name().map(|name| family.shown(&name).to_owned()))
    }

    fn node_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.node_name.to_string())
    }
}
