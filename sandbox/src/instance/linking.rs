//! Is this component an actor? Checked before anything runs, with errors that name what is missing.

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::batch_export::BatchExport;
use super::calls_export;
use super::contract_export::ContractExport;
use super::located::Located;
use super::optional_interface::OptionalInterface;
use super::reload_exports::ReloadExports;
use super::replies_export;
use crate::component::bindings::types::SupervisionEvent;
use crate::component::bindings::{ACTOR_INTERFACE, CallsIndices, Descriptor, RepliesIndices, WorldIndices};
use crate::component::error::LoadFault;
use crate::component::interfaces;
use crate::store::data::StoreData;
use crate::store::imports::Imports;

/// A component that is an actor, linked with the host.
pub(super) struct Linked {
    pub(super) pre: InstancePre<StoreData>,
    pub(super) world: WorldIndices,
    pub(super) pre_start: ComponentExportIndex,
    /// None if it can't be replaced with its state.
    pub(super) reload: Option<ReloadExports>,
    /// None if it takes one message at a time.
    pub(super) batch: Option<BatchExport>,
    /// None if its calls come through the interface of all actors.
    pub(super) calls: Option<CallsIndices>,
    /// None if it describes itself in the way of old.
    pub(super) contract: Option<ContractExport>,
    /// None if it waits for nothing without standing still.
    pub(super) replies: Option<RepliesIndices>,
}

/// Links the component with the host, or says what keeps it from being an actor.
pub(super) fn check(engine: &wasmtime::Engine, imports: &Imports, component: &Component) -> Result<Linked, LoadFault> {
    let functions = actor_functions(engine, component)?;
    // Before it is linked: the linker would tell of one function that is missing, and this of the interface and what
    // to do.
    interfaces::check_imports(engine, component, &imports.offers)?;
    let mismatch = |error: wasmtime::Error| LoadFault::Mismatch(format!("{error:#}"));
    let linked = imports.linker.instantiate_pre(component).map_err(mismatch)?;
    // wasmtime compares types within a linked component, because only there resources are the host's.
    check_types(&linked, &functions)?;
    let reload = ReloadExports::find(component, &linked)?;
    let batch = BatchExport::find(component, &linked)?;
    let calls = calls_export::find(component, &linked)?;
    let contract = ContractExport::find(component, &linked)?;
    let replies = replies_export::find(component, &linked)?;
    let pre_start = pre_start(component, &linked)?;
    let world = WorldIndices::new(&linked).map_err(mismatch)?;
    Ok(Linked {
        pre: linked,
        world,
        pre_start,
        reload,
        batch,
        calls,
        contract,
        replies,
    })
}

/// A function of the actor interface: what it is called and whether it has the right type.
type Function = (
    &'static str,
    fn(&ComponentFunc, &InstancePre<StoreData>) -> wasmtime::Result<()>,
);

pub(super) type Outcome<T> = (Result<T, String>,);

/// The first function that every instance is called with arguments for.
fn pre_start(component: &Component, linked: &InstancePre<StoreData>) -> Result<ComponentExportIndex, LoadFault> {
    let missing = LoadFault::MissingFunction {
        interface: ACTOR_INTERFACE,
        function: "pre-start",
    };
    let interface = OptionalInterface::find(component, linked, ACTOR_INTERFACE).ok_or(missing)?;
    interface.function::<(Located<'_>,), Outcome<()>>("pre-start")
}

/// Every function of the actor interface, with its type. The generated bindings check the same, but only when an
/// instance is made, which is too late to tell an operator that a file is of the wrong kind. A test compares it with `wit/`.
const FUNCTIONS: [Function; 7] = [
    ("describe", |f, c| f.typecheck::<(), (Descriptor,)>(&c.instance_type())),
    ("pre-start", |f, c| {
        f.typecheck::<(&[u8],), Outcome<()>>(&c.instance_type())
    }),
    ("post-start", |f, c| f.typecheck::<(), Outcome<()>>(&c.instance_type())),
    ("handle-cast", |f, c| {
        f.typecheck::<(&str, &[u8]), Outcome<()>>(&c.instance_type())
    }),
    ("handle-call", |f, c| {
        f.typecheck::<(&str, &[u8], u64), Outcome<Option<Vec<u8>>>>(&c.instance_type())
    }),
    ("handle-supervisor-evt", |f, c| {
        f.typecheck::<(&SupervisionEvent,), Outcome<()>>(&c.instance_type())
    }),
    ("post-stop", |f, c| f.typecheck::<(), Outcome<()>>(&c.instance_type())),
];

fn actor_functions(engine: &wasmtime::Engine, component: &Component) -> Result<Vec<ComponentItem>, LoadFault> {
    let Some(interface) = component.get_export_index(None, ACTOR_INTERFACE) else {
        return Err(LoadFault::MissingExport {
            missing: ACTOR_INTERFACE,
            found: interfaces::exports(engine, component),
        });
    };
    FUNCTIONS
        .iter()
        .map(
            |(function, _)| match component.get_export(Some(&interface), *function) {
                Some((item, _)) => Ok(item),
                None => Err(LoadFault::MissingFunction {
                    interface: ACTOR_INTERFACE,
                    function,
                }),
            },
        )
        .collect()
}

fn check_types(linked: &InstancePre<StoreData>, functions: &[ComponentItem]) -> Result<(), LoadFault> {
    for ((name, check), item) in FUNCTIONS.iter().zip(functions) {
        let checked = match item {
            ComponentItem::ComponentFunc(function) => check(function, linked),
            _ => Err(wasmtime::format_err!("it is not a function")),
        };
        checked.map_err(|error| LoadFault::another_type(ACTOR_INTERFACE, name, &error))?;
    }
    Ok(())
}
