//! From a core module to a component, for compilers that stop before that.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::go_module;
use crate::error::ProjectError;
use crate::files;

/// Makes a component of a core module that exports and imports the functions of the world by their names in the canonical ABI. What else
/// it imports is WASI 0.1, from a C library or Go's runtime.
///
/// The names of functions stay, for traps. What debuggers read is left out, unless it is asked for: it is ten times as large as the rest.
///
/// # Errors
/// The module can't be read, or isn't what the world asks for; or the component can't be written.
pub fn component(
    wit: &Path,
    world: &str,
    core: &Path,
    debugging: Debugging,
    component: &Path,
) -> Result<(), ProjectError> {
    let module = fs::read(core).map_err(ProjectError::file("read", core))?;
    let bytes = encode(wit, world, &module, debugging).map_err(|error| ProjectError::Component {
        module: core.to_owned(),
        reason: format!("{error:#}"),
    })?;
    files::write(component, &bytes)
}

/// What becomes of what debuggers read, by which the node says lines of the source as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debugging {
    /// It stays.
    Kept,
    /// It goes.
    LeftOut,
}

fn encode(wit: &Path, world: &str, module: &[u8], debugging: Debugging) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let small = without_debugging(module).context("it is no module of WebAssembly")?;
    let mut module = match debugging {
        Debugging::Kept => module.to_vec(),
        Debugging::LeftOut => small,
    };
    if let Some(adapted) = go_module::adapted(&module)? {
        module = adapted;
    }
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    // The adapter is left out of a component that imports nothing of WASI.
    let (name, adapter) = (
        WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
        WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    );
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(name, adapter)?
        .encode()
}

/// The module without what debuggers read.
fn without_debugging(module: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 8;
    let (header, mut rest) = module.split_at_checked(HEADER)?;
    let mut kept = header.to_vec();
    while let Some((&id, behind)) = rest.split_first() {
        let (len, content) = number(behind)?;
        let (content, next) = content.split_at_checked(len)?;
        if id != 0 || !is_debugging(content)? {
            kept.extend_from_slice(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    Some(kept)
}

/// Whether a custom section is one of those, by its name.
fn is_debugging(content: &[u8]) -> Option<bool> {
    let (len, name) = number(content)?;
    Some(name.get(..len)?.starts_with(b".debug_"))
}

/// A number in LEB128, and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_u32;
    for (at, &byte) in bytes.iter().enumerate().take(5) {
        number |= u32::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?)?;
        if byte < 0x80 {
            return Some((usize::try_from(number).ok()?, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_debugging_goes() {
        let header = b"\0asm\x01\0\0\0";
        let names = b"\0\x05\x04name";
        let debugging = b"\0\x0c\x0b.debug_info";
        let memory = b"\x05\x03\x01\0\x01";
        let module = [&header[..], debugging, memory, names].concat();
        let expected = [&header[..], memory, names].concat();
        assert_eq!(without_debugging(&module), Some(expected));
        // Cut off.
        for len in [module.len() - 1, 4] {
            assert_eq!(module.get(..len).and_then(without_debugging), None);
        }
    }
}
