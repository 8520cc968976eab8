//! The interface `reload` of a component, which not every actor has.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::guest::error::LoadFault;
use crate::guest::state::State;

/// The interface.
pub(in crate::guest) const RELOAD_INTERFACE: &str = "ractor:actor/reload@0.1.0";

/// What each function of the interface is called with and returns.
pub(super) type SnapshotOutcome = (Result<Vec<u8>, String>,);
pub(super) type Outcome = (Result<(), String>,);

/// Where a component has the functions of the interface.
#[derive(Clone)]
pub(in crate::guest) struct ReloadExports {
    pub(super) snapshot: ComponentExportIndex,
    pub(super) restore: ComponentExportIndex,
    pub(super) post_reload: ComponentExportIndex,
}

impl ReloadExports {
    /// Finds and checks the functions; none if the component can't be reloaded with its state.
    pub(in crate::guest) fn find(
        component: &Component,
        linked: &InstancePre<State>,
    ) -> Result<Option<Self>, LoadFault> {
        let Some(interface) = component.get_export_index(None, RELOAD_INTERFACE) else {
            return Ok(None);
        };
        let types = linked.instance_type();
        let find = |function: &'static str| match component.get_export(Some(&interface), function) {
            Some((ComponentItem::ComponentFunc(found), index)) => Ok((found, index)),
            _ => Err(LoadFault::MissingFunction {
                interface: RELOAD_INTERFACE,
                function,
            }),
        };
        let mismatch = |function: &'static str| {
            move |error: wasmtime::Error| {
                LoadFault::Mismatch(format!(
                    "`{function}` of `{RELOAD_INTERFACE}` has another type: {error:#}"
                ))
            }
        };
        let (function, snapshot) = find("snapshot")?;
        let typed = function.typecheck::<(), SnapshotOutcome>(&types);
        typed.map_err(mismatch("snapshot"))?;
        let (function, restore) = find("restore")?;
        let typed = function.typecheck::<(&[u8], u32), Outcome>(&types);
        typed.map_err(mismatch("restore"))?;
        let (function, post_reload) = find("post-reload")?;
        let typed = function.typecheck::<(), Outcome>(&types);
        typed.map_err(mismatch("post-reload"))?;
        Ok(Some(Self {
            snapshot,
            restore,
            post_reload,
        }))
    }
}
