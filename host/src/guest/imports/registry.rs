//! `registry`: actors by name.

use crate::directory;
use crate::guest::bindings::{registry, types};
use crate::guest::pid;
use crate::guest::state::State;

impl registry::Host for State {
    async fn where_is(&mut self, name: String) -> wasmtime::Result<Option<types::Pid>> {
        self.myself()?;
        Ok(directory::find(&name).await.map(|cell| pid::of(cell.get_id())))
    }
}
