//! What a guest in C needs beside a C compiler: the step from the core module that the compiler made to a component.
//!
//! `c-guest WIT-FOLDER WORLD CORE-MODULE COMPONENT`
//!
//! The core module exports and imports the functions of the world by their names in the canonical ABI, as guest-sdk/c/ractor.c does. What
//! else it imports is WASI 0.1, from the C library.

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
    let mut module = fs::read(core).with_context(|| format!("cannot read {}", core.display()))?;
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
