//! The interface `reload` of a component, which not every actor has.

use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::optional_interface::OptionalInterface;
use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// The interface.
pub(super) const RELOAD_INTERFACE: &str = "ractor:actor/reload@0.1.0";

/// What each function of the interface is called with and returns.
pub(super) type SnapshotOutcome = (Result<Vec<u8>, String>,);
pub(super) type Outcome = (Result<(), String>,);

/// Where a component has the functions of the interface.
#[derive(Clone)]
pub(super) struct ReloadExports {
    pub(super) snapshot: ComponentExportIndex,
    pub(super) restore: ComponentExportIndex,
    pub(super) post_reload: ComponentExportIndex,
}

impl ReloadExports {
    /// Finds and checks the functions; none if the component can't be reloaded with its state.
    pub(super) fn find(component: &Component, linked: &InstancePre<StoreData>) -> Result<Option<Self>, LoadFault> {
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
