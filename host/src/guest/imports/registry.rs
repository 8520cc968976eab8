//! `registry`: actors by name, and by addresses that mean the same on every node.

use ractor::BytesConvertable as _;

use crate::address::ActorAddress;
use crate::directory;
use crate::guest::bindings::{registry, types};
use crate::guest::pid;
use crate::guest::state::{Myself, State};

impl registry::Host for State {
    async fn where_is(&mut self, name: String) -> wasmtime::Result<Option<types::Pid>> {
        let Myself { profile, family, .. } = self.myself()?;
        // Names of the family come first, with the name of this node behind them or without.
        let here = name.strip_suffix(&*profile.node_name);
        let given = here.and_then(|name| name.strip_suffix('@')).unwrap_or(&name);
        let found = match directory::where_is(&family.full_name(given)) {
            Some(kin) => Some(kin),
            None => directory::find(&name).await,
        };
        Ok(found.map(|cell| pid::of(cell.get_id())))
    }

    async fn address(&mut self, actor: types::Pid) -> wasmtime::Result<Option<Vec<u8>>> {
        self.myself()?;
        let Some(id) = pid::to_id(actor) else { return Ok(None) };
        let cell = directory::resolve(id).await;
        Ok(cell
            .and_then(|cell| ActorAddress::of(&cell))
            .map(ActorAddress::into_bytes))
    }

    async fn resolve(&mut self, address: Vec<u8>) -> wasmtime::Result<Option<types::Pid>> {
        self.myself()?;
        let Some(address) = ActorAddress::try_from_bytes(&address) else {
            return Ok(None);
        };
        Ok(address.resolve().await.map(|cell| pid::of(cell.get_id())))
    }
}
