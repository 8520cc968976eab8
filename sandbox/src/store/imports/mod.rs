//! What a node offers to its guests, one file per WIT interface.

mod calling;
mod config;
mod entities;
mod groups;
mod identity;
mod lifecycle;
mod logging;
mod messaging;
mod random;
mod recipients;
mod registry;
mod reminders;
mod requests;
mod source;
mod timers;
mod tracing;
mod types;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use wasmtime::component::Linker;

use super::data::StoreData;
use super::interface::{Added, HostInterfaces, Interface};
use super::wasi;
use crate::component::capabilities::{CapabilityUse, Certainty};
use crate::component::error::EngineError;
use crate::component::imports::Offers;
use crate::directory::BoxFuture;
use crate::policy::grants::{Grants, InterfaceConfig, NotGranted};

/// The package of the interfaces that are the node's own.
const PACKAGE: &str = "ractor:actor";

/// The release of it that this host has.
const RELEASE: &str = "0.1";

/// The interfaces that every node has, in the order in which the capabilities that they tell of are shown.
const OWN: [&dyn Interface; 17] = [
    &messaging::Interface,
    &requests::Interface,
    &entities::Interface,
    &reminders::Interface,
    &timers::Interface,
    &lifecycle::Interface,
    &registry::Interface,
    &groups::Interface,
    &identity::Interface,
    &random::Interface,
    &source::Interface,
    &config::Interface,
    &logging::Interface,
    &tracing::Interface,
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
    ///
    /// # Errors
    /// An interface has mistakes, or stands in the way of another.
    pub(crate) fn new(engine: &wasmtime::Engine, added: HostInterfaces) -> Result<Self, EngineError> {
        let (mut linker, mut offers) = (Linker::new(engine), Offers::default());
        // Those of every node first, so that a program can't offer something else under their names.
        for interface in OWN {
            let added = interface.add_to_linker(&mut linker);
            added.map_err(|error| EngineError::Setup(format!("{error:#}")))?;
            offers.add(interface.imports(), interface.capabilities());
        }
        for interface in added.all() {
            let key = interface.key();
            let refused = |reason| EngineError::Interface { key, reason };
            // Before the linker sees it: that would refuse what is there twice, too, but not say whose it is.
            check(interface.as_ref(), &offers).map_err(refused)?;
            let added = interface.add_to_linker(&mut linker);
            added.map_err(|error| refused(format!("{error:#}")))?;
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

/// Refuses an interface that no section could name or no component import, or whose imports are those of others: then it would not
/// be plain which grant they take.
fn check(interface: &dyn Added, others: &Offers) -> Result<(), String> {
    let is_plain = |each: char| each.is_ascii_alphanumeric() || each == '-' || each == '_';
    let key = interface.key();
    if key.is_empty() || !key.chars().all(is_plain) {
        return Err(
            "its key must have letters, digits, `-` and `_` alone, as a name of a section in node.toml".to_owned(),
        );
    }
    if interface.imports().is_empty() {
        return Err("it says of no import that it is its own".to_owned());
    }
    for import in interface.imports() {
        if let Some(mistake) = import.mistake() {
            return Err(mistake);
        }
        if import.is_in(PACKAGE) {
            return Err(format!(
                "`{import}` is of the package {PACKAGE}, which is the node's own"
            ));
        }
        if let Some(other) = others.overlapping(import) {
            return Err(format!("`{import}` is offered already, as `{other}`"));
        }
    }
    Ok(())
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
    pub(crate) fn capability(&self) -> CapabilityUse {
        CapabilityUse {
            capability: format!("interfaces.{}", self.interface.key()).into(),
            imports: self.imports.clone(),
            by: Vec::new(),
            certainty: Certainty::Required,
        }
    }
}

/// An interface has nothing for an instance.
#[derive(Debug, thiserror::Error)]
#[error("the interface `{0}` can't be used: {1}")]
struct NotOpened(&'static str, String);

impl StoreData {
    /// Opens the interfaces that the component uses of those that the program adds; none while it describes itself.
    pub(crate) async fn open_interfaces(&mut self, used: &[Used]) -> wasmtime::Result<()> {
        for used in used {
            // A component that only describes itself has no grant by which anything could be opened.
            let Ok(actor) = self.context() else { break };
            let config = used.granted(&actor.grants).map_err(wasmtime::Error::new)?;
            // Awaited within the time of the start: an instance that isn't made in time drops this future and what
            // was opened before.
            let opened = no_panic(used.interface.open(config, &actor.cell)).await;
            let opened = opened.map_err(|reason| wasmtime::Error::new(NotOpened(used.interface.key(), reason)))?;
            self.interfaces.put(opened);
        }
        Ok(())
    }
}

/// The outcome of code of the program. An actor whose code is replaced must not end of its panic: the code before it goes on.
async fn no_panic<T>(mut opening: BoxFuture<'_, Result<T, String>>) -> Result<T, String> {
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| opening.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err("it panicked".to_owned())))
    })
    .await
}
