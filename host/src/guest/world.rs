//! Is this component an actor? Checked before anything runs, with errors that name what is missing.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use super::bindings::{ACTOR_FUNCTIONS, ACTOR_INTERFACE, WorldPre};
use super::error::LoadFault;
use super::imports::OFFERED;
use super::state::State;

/// The first eight bytes of every WebAssembly file: `\0asm`, a version, and what kind of file it is.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Tells components from everything else by the first bytes.
pub(super) fn check_format(bytes: &[u8]) -> Result<(), LoadFault> {
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    if bytes.starts_with(CORE_MODULE) {
        return Err(LoadFault::CoreModule);
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

/// Links the component with the host, or says what keeps it from being an actor.
pub(super) fn check(
    engine: &wasmtime::Engine,
    linker: &Linker<State>,
    component: &Component,
) -> Result<WorldPre<State>, LoadFault> {
    check_exports(engine, component)?;
    check_imports(engine, component)?;
    linker
        .instantiate_pre(component)
        .and_then(WorldPre::new)
        .map_err(|error| LoadFault::Mismatch(format!("{error:#}")))
}

fn check_exports(engine: &wasmtime::Engine, component: &Component) -> Result<(), LoadFault> {
    let Some(interface) = component.get_export_index(None, ACTOR_INTERFACE) else {
        return Err(LoadFault::MissingExport {
            missing: ACTOR_INTERFACE,
            found: exports(engine, component),
        });
    };
    match ACTOR_FUNCTIONS
        .iter()
        .find(|function| component.get_export_index(Some(&interface), function).is_none())
    {
        Some(function) => Err(LoadFault::MissingFunction {
            interface: ACTOR_INTERFACE,
            function,
        }),
        None => Ok(()),
    }
}

fn exports(engine: &wasmtime::Engine, component: &Component) -> String {
    let ty = component.component_type();
    let names: Vec<_> = ty.exports(engine).map(|(name, _)| format!("`{name}`")).collect();
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
        !matches!(import.ty, ComponentItem::Type(_)) && !OFFERED.iter().any(|package| name.starts_with(package))
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
