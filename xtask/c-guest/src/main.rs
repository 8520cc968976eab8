//! What a guest in C or Go needs beside a compiler: the step from the core module that the compiler made to a component.
//!
//! `c-guest WIT-FOLDER WORLD CORE-MODULE COMPONENT`
//!
//! The core module exports and imports the functions of the world by their names in the canonical ABI, as guest-sdk/c/ractor.c and
//! guest-sdk/go do. What else it imports is WASI 0.1, from the C library or Go's runtime.

#[path = "../../../project/src/build/go_module/mod.rs"]
mod go_module;

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const USAGE: &str = "c-guest WIT-FOLDER WORLD CORE-MODULE COMPONENT";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("c-guest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        [wit, world, core, component] => make_component(wit.as_ref(), world, core.as_ref(), component.as_ref()),
        _ => bail!("{USAGE}"),
    }
}

fn make_component(wit: &Path, world: &str, core: &Path, component: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let module = fs::read(core).with_context(|| format!("cannot read {}", core.display()))?;
    let mut module = without_debugging(&module).with_context(|| format!("{} is no module", core.display()))?;
    if let Some(adapted) =
        go_module::adapted(&module).with_context(|| format!("{} is not what it should be", core.display()))?
    {
        module = adapted;
    }
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    // The adapter is left out of a component that imports nothing of WASI.
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()
        .with_context(|| format!("{} does not become a component", core.display()))?;
    fs::write(component, bytes).with_context(|| format!("cannot write {}", component.display()))
}

/// The module without what debuggers read, which is ten times as large as the rest. The names of functions stay, for traps.
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
