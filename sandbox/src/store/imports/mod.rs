//! What a node offers to its guests, one file per WIT interface.

mod config;
mod groups;
mod identity;
mod lifecycle;
mod logging;
mod messaging;
mod recipients;
mod registry;
mod timers;
mod types;

use std::sync::Arc;

use wasmtime::component::Linker;

use super::data::StoreData;
use super::interface::{Added, HostInterfaces, Interface};
use super::wasi;
use crate::component::capabilities::{Need, Want};
use crate::component::imports::Offers;
use crate::policy::grants::{Grants, InterfaceConfig, NotGranted};

/// The release of `ractor:actor` that this host has.
const RELEASE: &str = "0.1";

/// The interfaces that every node has, in the order in which the capabilities that they tell of are shown.
const OWN: [&dyn Interface; 11] = [
    &messaging::Interface,
    &timers::Interface,
    &lifecycle::Interface,
    &registry::Interface,
    &groups::Interface,
    &identity::Interface,
    &config::Interface,
    &logging::Interface,
    &types::Interface,
    &wasi::Interface,
    &wasi::http::Interface,
];

/// Every import that a guest may have. What they do is up to the actor's grants.
pub(crate) struct Imports {
    /// Has them all.
    pub(crate) linker: Linker<StoreData>,
    /// What they are called.
    pub(crate) offers: Offers,
    added: HostInterfaces,
}

impl Imports {
    /// Those of every node, and those that this program adds.
    pub(crate) fn new(engine: &wasmtime::Engine, added: HostInterfaces) -> wasmtime::Result<Self> {
        let (mut linker, mut offers) = (Linker::new(engine), Offers::default());
        for interface in OWN {
            interface.add_to_linker(&mut linker)?;
            offers.add(interface.imports(), interface.capabilities());
        }
        for interface in added.all() {
            interface.add_to_linker(&mut linker)?;
            offers.add(interface.imports(), interface.capabilities());
        }
        Ok(Self { linker, offers, added })
    }

    /// The interfaces that the program adds and a component with these imports uses.
    pub(crate) fn added_among(&self, imports: &[String]) -> Vec<Used> {
        let used = self.added.all().iter().filter_map(|interface| {
            let is_one = |import: &&String| interface.imports().iter().any(|offered| offered.is(import));
            let imports: Vec<_> = imports.iter().filter(is_one).cloned().collect();
            (!imports.is_empty()).then(|| Used {
                interface: interface.clone(),
                imports,
            })
        });
        used.collect()
    }
}

/// An interface that a program adds, and a component uses.
pub(crate) struct Used {
    pub(super) interface: Arc<dyn Added>,
    /// Those of the component's imports that are of that interface.
    pub(super) imports: Vec<String>,
}

impl Used {
    /// What the actor was given of the interface.
    ///
    /// # Errors
    /// Nothing: it has to be granted.
    pub(crate) fn granted<'g>(&self, grants: &'g Grants) -> Result<&'g InterfaceConfig, NotGranted> {
        let import = self.imports.first().map_or("", String::as_str);
        grants.admit_interface(self.interface.key(), import)
    }

    /// The capability that the component takes.
    pub(crate) fn capability(&self) -> Want {
        Want {
            capability: format!("interfaces.{}", self.interface.key()).into(),
            imports: self.imports.clone(),
            need: Need::Required,
        }
    }
}

/// An interface has nothing for an instance.
#[derive(Debug, thiserror::Error)]
#[error("the interface `{0}` can't be used: {1}")]
struct NotOpened(&'static str, String);

impl StoreData {
    /// Opens the interfaces that the component uses of those that the program adds; none while it describes itself.
    pub(crate) fn open_interfaces(&mut self, used: &[Used]) -> wasmtime::Result<()> {
        for used in used {
            let Ok(actor) = self.context() else { break };
            let config = used.granted(&actor.grants).map_err(wasmtime::Error::new)?;
            let opened = used.interface.open(config, &actor.cell);
            let opened = opened.map_err(|reason| wasmtime::Error::new(NotOpened(used.interface.key(), reason)))?;
            self.interfaces.put(opened);
        }
        Ok(())
    }
}
