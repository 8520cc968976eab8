//! `registry`: actors by name, and by addresses that mean the same on every node. No look-up leaves anything behind: see
//! `directory/looking.rs`.

use ractor::BytesConvertable as _;
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::{registry, types};
use crate::component::imports::Import;
use crate::directory;
use crate::directory::ActorAddress;
use crate::store::data::{ActorContext, StoreData};
use crate::store::interface;
use crate::store::pid;

/// The interface `registry`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/registry", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        registry::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl registry::Host for StoreData {
    async fn where_is(&mut self, name: String) -> wasmtime::Result<Option<types::Pid>> {
        let ActorContext { profile, family, .. } = self.context()?;
        // Names of the family come first, with the name of this node behind them or without.
        let here = name.strip_suffix(&*profile.node_name);
        let given = here.and_then(|name| name.strip_suffix('@')).unwrap_or(&name);
        // This hides no actor of node.toml from the family: `spawn` refuses their names.
        if let Some(kin) = directory::where_is(&family.full_name(given)) {
            return Ok(Some(pid::of(kin.get_id())));
        }
        Ok(directory::look_for(&name).await.map(|found| pid::of(found.id)))
    }

    async fn address(&mut self, actor: types::Pid) -> wasmtime::Result<Option<Vec<u8>>> {
        self.context()?;
        let Some(id) = pid::to_id(actor) else { return Ok(None) };
        let found = directory::look(id).await;
        Ok(found.and_then(ActorAddress::of_found).map(ActorAddress::into_bytes))
    }

    async fn resolve(&mut self, address: Vec<u8>) -> wasmtime::Result<Option<types::Pid>> {
        self.context()?;
        let Some(address) = ActorAddress::try_from_bytes(&address) else {
            return Ok(None);
        };
        Ok(address.look().await.map(|found| pid::of(found.id)))
    }
}
