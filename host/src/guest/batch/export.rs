//! The interface `batch` of a component, which not every actor has.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lower};

use crate::guest::error::LoadFault;
use crate::guest::state::State;

/// The interface, and its function.
pub(in crate::guest) const BATCH_INTERFACE: &str = "ractor:actor/batch@0.1.0";
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
pub(in crate::guest) struct BatchExport(pub(super) ComponentExportIndex);

impl BatchExport {
    /// Finds and checks the function; none if the component takes one message at a time.
    pub(in crate::guest) fn find(
        component: &Component,
        linked: &InstancePre<State>,
    ) -> Result<Option<Self>, LoadFault> {
        let Some(interface) = component.get_export_index(None, BATCH_INTERFACE) else {
            return Ok(None);
        };
        let Some((ComponentItem::ComponentFunc(function), index)) = component.get_export(Some(&interface), FUNCTION)
        else {
            return Err(LoadFault::MissingFunction {
                interface: BATCH_INTERFACE,
                function: FUNCTION,
            });
        };
        match function.typecheck::<Parameters<'_>, Outcome>(&linked.instance_type()) {
            Ok(()) => Ok(Some(Self(index))),
            Err(error) => Err(LoadFault::Mismatch(format!(
                "`{FUNCTION}` of `{BATCH_INTERFACE}` has another type: {error:#}"
            ))),
        }
    }
}
