//! The interface `batch` of a component, which not every actor has.

use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lower};

use super::optional_interface::OptionalInterface;
use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// The interface, and its function.
pub(super) const BATCH_INTERFACE: &str = "ractor:actor/batch@0.1.0";
const FUNCTION: &str = "handle-casts";

/// What the function is called with and returns.
pub(super) type Parameters<'a> = (&'a [u8], &'a [CastSizes]);
pub(super) type Outcome = (Result<(), String>,);

/// How many bytes of a batch are one cast's.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(super) struct CastSizes {
    pub(super) variant: u32,
    pub(super) args: u32,
}

/// Where a component has the function.
#[derive(Clone)]
pub(super) struct BatchExport(pub(super) ComponentExportIndex);

impl BatchExport {
    /// Finds and checks the function; none if the component takes one message at a time.
    pub(super) fn find(component: &Component, linked: &InstancePre<StoreData>) -> Result<Option<Self>, LoadFault> {
        let Some(interface) = OptionalInterface::find(component, linked, BATCH_INTERFACE) else {
            return Ok(None);
        };
        interface
            .function::<Parameters<'_>, Outcome>(FUNCTION)
            .map(Self)
            .map(Some)
    }
}
