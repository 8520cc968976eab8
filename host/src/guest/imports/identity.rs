//! `identity`: who the calling actor is.

use crate::guest::bindings::{identity, types};
use crate::guest::pid;
use crate::guest::state::State;

impl identity::Host for State {
    fn self_pid(&mut self) -> wasmtime::Result<types::Pid> {
        Ok(pid::of(self.myself()?.cell.get_id()))
    }

    fn self_name(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.myself()?.cell.get_name())
    }

    fn node_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.myself()?.node_name.to_string())
    }
}
