//! An interface that a component exports or not, and its functions.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower};

use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// An interface that not every actor exports.
pub(super) struct OptionalInterface<'a> {
    component: &'a Component,
    linked: &'a InstancePre<StoreData>,
    name: &'static str,
    index: ComponentExportIndex,
}

impl<'a> OptionalInterface<'a> {
    /// The interface of this name; none if the component doesn't export it.
    pub(super) fn find(
        component: &'a Component,
        linked: &'a InstancePre<StoreData>,
        name: &'static str,
    ) -> Option<Self> {
        Some(Self {
            component,
            linked,
            name,
            index: component.get_export_index(None, name)?,
        })
    }

    /// Where the component has this function, which takes and returns this.
    pub(super) fn function<Parameters, Results>(
        &self,
        function: &'static str,
    ) -> Result<ComponentExportIndex, LoadFault>
    where
        Parameters: ComponentNamedList + Lower,
        Results: ComponentNamedList + Lift,
    {
        let Some((ComponentItem::ComponentFunc(found), index)) = self.component.get_export(Some(&self.index), function)
        else {
            return Err(LoadFault::MissingFunction {
                interface: self.name,
                function,
            });
        };
        found
            // Checked when the module is loaded, or the first reload of an actor would be where a wrong type is
            // found.
            .typecheck::<Parameters, Results>(&self.linked.instance_type())
            .map_err(|error| LoadFault::another_type(self.name, function, &error))?;
        Ok(index)
    }
}
