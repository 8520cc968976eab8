//! `identity`: who the calling actor is.

use crate::component::bindings::{identity, types};
use crate::store::pid;
use crate::store::state::{Myself, State};

impl identity::Host for State {
    fn self_pid(&mut self) -> wasmtime::Result<types::Pid> {
        Ok(pid::of(self.myself()?.cell.get_id()))
    }

    fn self_name(&mut self) -> wasmtime::Result<Option<String>> {
        let Myself { cell, family, .. } = self.myself()?;
        Ok(cell.get_name().map(|name| family.shown(&name).to_owned()))
    }

    fn node_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.myself()?.node_name.to_string())
    }
}
