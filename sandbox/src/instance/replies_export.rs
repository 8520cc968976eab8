//! The interface `replies` of a component, which not every actor has.

use wasmtime::component::{Component, InstancePre};

use super::optional_interface::OptionalInterface;
use crate::component::bindings::RepliesIndices;
use crate::component::bindings::requests::CallError;
use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// The interface, and its functions.
const REPLIES_INTERFACE: &str = "ractor:actor/replies@0.1.0";
const REPLY: &str = "handle-reply";
const WAKE: &str = "handle-wake";

type ReplyParameters<'a> = (u64, Result<&'a [u8], &'a CallError>);
type Outcome = (Result<(), String>,);

/// Finds and checks the functions; none if the component waits for nothing without standing still.
pub(super) fn find(
    component: &Component,
    linked: &InstancePre<StoreData>,
) -> Result<Option<RepliesIndices>, LoadFault> {
    let Some(interface) = OptionalInterface::find(component, linked, REPLIES_INTERFACE) else {
        return Ok(None);
    };
    interface.function::<ReplyParameters<'_>, Outcome>(REPLY)?;
    interface.function::<(u64,), Outcome>(WAKE)?;
    RepliesIndices::new(linked)
        .map(Some)
        .map_err(|error| LoadFault::another_type(REPLIES_INTERFACE, REPLY, &error))
}
