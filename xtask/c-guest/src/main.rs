//! What a guest in C needs beside a C compiler, as `wit-bindgen c` and `wasm-tools component new` do it.
//!
//! - `c-guest bindings WIT-FOLDER WORLD FOLDER` writes the C bindings of a world.
//! - `c-guest component CORE-MODULE COMPONENT` makes a component of what the compiler and the linker made.

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::ComponentEncoder;

const USAGE: &str = "c-guest bindings WIT-FOLDER WORLD FOLDER, or c-guest component CORE-MODULE COMPONENT";

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
        ["bindings", wit, world, folder] => bindings(wit.as_ref(), world, folder.as_ref()),
        ["component", core, component] => make_component(core.as_ref(), component.as_ref()),
        _ => bail!("{USAGE}"),
    }
}

/// Writes a header, a source file and an object file that describes the world to [`make_component`].
fn bindings(wit: &Path, world: &str, folder: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default()
        .build()
        .generate(&mut resolve, world, &mut files)?;
    for (name, content) in files.iter() {
        let path = folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The core module must import nothing but what the world offers. One that prints, reads clocks or opens files imports
/// `wasi_snapshot_preview1` too, and needs an adapter, which `wasm-tools component new --adapt` puts beside it.
fn make_component(core: &Path, component: &Path) -> Result<()> {
    let module = fs::read(core).with_context(|| format!("cannot read {}", core.display()))?;
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
        .with_context(|| format!("{} does not become a component", core.display()))?;
    fs::write(component, bytes).with_context(|| format!("cannot write {}", component.display()))
}
