//! The interface `reload` of a component, which not every actor has.

use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::optional_interface::OptionalInterface;
use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// The interface.
pub(crate) const RELOAD_INTERFACE: &str = "ractor:actor/reload@0.1.0";

/// What each function of the interface is called with and returns.
pub(crate) type SnapshotOutcome = (Result<Vec<u8>, String>,);
pub(crate) type Outcome = (Result<(), String>,);

/// Where a component has the functions of the interface.
#[derive(Clone)]
pub(crate) struct ReloadExports {
    pub(crate) snapshot: ComponentExportIndex,
    pub(crate) restore: ComponentExportIndex,
    pub(crate) post_reload: ComponentExportIndex,
}

impl ReloadExports {
    /// Finds and checks the functions; none if the component can't be reloaded with its state.
    pub(crate) fn find(component: &Component, linked: &InstancePre<StoreData>) -> Result<Option<Self>, LoadFault> {
        let Some(interface) = OptionalInterface::find(component, linked, RELOAD_INTERFACE) else {
            return Ok(None);
        };
        Ok(Some(Self {
            snapshot: interface.function::<(), SnapshotOutcome>("snapshot")?,
            restore: interface.function::<(&[u8], u32), Outcome>("restore")?,
            post_reload: interface.function::<(), Outcome>("post-reload")?,
        }))
    }
}
