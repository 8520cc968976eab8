//! `identity`: who the calling actor is.

use crate::component::bindings::{identity, types};
use crate::store::data::{ActorContext, StoreData};
use crate::store::pid;

impl identity::Host for StoreData {
    fn self_pid(&mut self) -> wasmtime::Result<types::Pid> {
        Ok(pid::of(self.myself()?.cell.get_id()))
    }

    fn self_name(&mut self) -> wasmtime::Result<Option<String>> {
        let ActorContext { cell, family, .. } = self.myself()?;
        Ok(cell.get_name().map(|name| family.shown(&name).to_owned()))
    }

    fn node_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.myself()?.node_name.to_string())
    }
}
