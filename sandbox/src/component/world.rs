//! Is this component an actor? Checked before anything runs, with errors that name what is missing.

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Linker, Lower};

use super::bindings::types::SupervisionEvent;
use super::bindings::{ACTOR_INTERFACE, Descriptor, WorldIndices};
use super::capabilities::{self, Want};
use super::error::LoadFault;
use super::foreign::CoreWasi;
use crate::actor::batch::BatchExport;
use crate::actor::reload::ReloadExports;
use crate::store::imports::{is_of_this_wasi, offers};
use crate::store::state::State;

/// The first eight bytes of every WebAssembly file: `\0asm`, a version, and what kind of file it is.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Tells components from everything else by the first bytes.
pub(crate) fn check_format(bytes: &[u8]) -> Result<(), LoadFault> {
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    if bytes.starts_with(CORE_MODULE) {
        return Err(LoadFault::CoreModule(CoreWasi::of(bytes)));
    }
    Err(LoadFault::NotWasm(if bytes.is_empty() {
        "the file is empty"
    } else if bytes.starts_with(b"\0asm") {
        "it has a version of the binary format that this host does not know"
    } else if bytes.starts_with(b"\x7fELF") {
        "it looks like native or compiled code, which is never loaded from outside"
    } else {
        "it does not begin like one"
    }))
}

/// A component that is an actor, linked with the host.
pub(crate) struct Linked {
    pub(crate) pre: InstancePre<State>,
    pub(crate) world: WorldIndices,
    /// None if it can't be replaced with its state.
    pub(crate) reload: Option<ReloadExports>,
    /// None if it takes one message at a time.
    pub(crate) batch: Option<BatchExport>,
}

/// Refuses a component for the names of its imports, before it is compiled: one of a later WASI may not even be that.
pub(crate) fn check_releases(imports: &[String]) -> Result<(), LoadFault> {
    let another = imports
        .iter()
        .find(|name| name.starts_with("wasi:") && !is_of_this_wasi(name));
    match another {
        Some(name) => Err(LoadFault::UnknownImport(name.clone())),
        None => Ok(()),
    }
}

/// Links the component with the host, or says what keeps it from being an actor.
pub(crate) fn check(
    engine: &wasmtime::Engine,
    linker: &Linker<State>,
    component: &Component,
) -> Result<Linked, LoadFault> {
    let functions = actor_functions(engine, component)?;
    check_imports(engine, component)?;
    let mismatch = |error: wasmtime::Error| LoadFault::Mismatch(format!("{error:#}"));
    let linked = linker.instantiate_pre(component).map_err(mismatch)?;
    check_types(&linked, &functions)?;
    let reload = ReloadExports::find(component, &linked)?;
    let batch = BatchExport::find(component, &linked)?;
    let world = WorldIndices::new(&linked).map_err(mismatch)?;
    Ok(Linked {
        pre: linked,
        world,
        reload,
        batch,
    })
}

/// A function of the actor interface: what it is called and whether it has the right type.
type Function = (
    &'static str,
    fn(&ComponentFunc, &InstancePre<State>) -> wasmtime::Result<()>,
);

type Outcome<T> = (Result<T, String>,);

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
            found: exports(engine, component),
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

fn check_types(linked: &InstancePre<State>, functions: &[ComponentItem]) -> Result<(), LoadFault> {
    for ((name, check), item) in FUNCTIONS.iter().zip(functions) {
        let checked = match item {
            ComponentItem::ComponentFunc(function) => check(function, linked),
            _ => Err(wasmtime::format_err!("it is not a function")),
        };
        checked.map_err(|error| another_type(ACTOR_INTERFACE, name, &error))?;
    }
    Ok(())
}

fn another_type(interface: &str, function: &str, error: &wasmtime::Error) -> LoadFault {
    LoadFault::Mismatch(format!("`{function}` of `{interface}` has another type: {error:#}"))
}

/// An interface that not every actor exports.
pub(crate) struct OptionalInterface<'a> {
    component: &'a Component,
    linked: &'a InstancePre<State>,
    name: &'static str,
    index: ComponentExportIndex,
}

impl<'a> OptionalInterface<'a> {
    /// The interface of this name; none if the component doesn't export it.
    pub(crate) fn find(component: &'a Component, linked: &'a InstancePre<State>, name: &'static str) -> Option<Self> {
        Some(Self {
            component,
            linked,
            name,
            index: component.get_export_index(None, name)?,
        })
    }

    /// Where the component has this function, which takes and returns this.
    pub(crate) fn function<Parameters, Results>(
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
            .typecheck::<Parameters, Results>(&self.linked.instance_type())
            .map_err(|error| another_type(self.name, function, &error))?;
        Ok(index)
    }
}

/// What a component imports and exports, by name, and what that tells.
#[derive(Debug)]
pub(crate) struct Interfaces {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) wants: Vec<Want>,
}

impl Interfaces {
    pub(crate) fn of(engine: &wasmtime::Engine, component: &Component) -> Self {
        let ty = component.component_type();
        Self {
            imports: ty.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: ty.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            wants: capabilities::of(engine, component),
        }
    }
}

fn exports(engine: &wasmtime::Engine, component: &Component) -> String {
    let names = Interfaces::of(engine, component).exports;
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn check_imports(engine: &wasmtime::Engine, component: &Component) -> Result<(), LoadFault> {
    let ty = component.component_type();
    let unknown = ty.imports(engine).find(|(name, import)| {
        // A type alone needs nothing of the host.
        !matches!(import.ty, ComponentItem::Type(_)) && !offers(name)
    });
    match unknown {
        Some((name, _)) => Err(LoadFault::UnknownImport(name.to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_file_formats_apart() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "the file is empty"),
            (b"hello", "does not begin like one"),
            (b"\x7fELF\x02\x01", "never loaded from outside"),
            (b"\0asm\x02\0\0\0", "does not know"),
            (b"\0asm\x01\0\0\0", "this is a core module; make a component"),
        ];
        for (bytes, expected) in cases {
            let message = check_format(bytes).map_err(|fault| fault.to_string());
            assert!(
                message.as_ref().is_err_and(|message| message.contains(expected)),
                "{message:?}"
            );
        }
    }
}
