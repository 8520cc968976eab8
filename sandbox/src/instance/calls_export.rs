//! The interface `calls` of a component, which not every actor has.

use wasmtime::component::{Component, InstancePre};

use super::optional_interface::OptionalInterface;
use crate::component::bindings::{CallOutcome, CallsIndices};
use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// The interface, and its function.
const CALLS_INTERFACE: &str = "ractor:actor/calls@0.1.0";
const FUNCTION: &str = "handle-call";

type Parameters<'a> = (&'a str, &'a [u8], u64);
type Outcome = (Result<CallOutcome, String>,);

/// Finds and checks the function; none if the component gets its calls through `actor`.
pub(super) fn find(component: &Component, linked: &InstancePre<StoreData>) -> Result<Option<CallsIndices>, LoadFault> {
    let Some(interface) = OptionalInterface::find(component, linked, CALLS_INTERFACE) else {
        return Ok(None);
    };
    interface.function::<Parameters<'_>, Outcome>(FUNCTION)?;
    // Looked up once an instance, and not once a call, as what is rarely called is.
    CallsIndices::new(linked)
        .map(Some)
        .map_err(|error| LoadFault::another_type(CALLS_INTERFACE, FUNCTION, &error))
}
