//! From a core module to a component, for compilers that stop before that.

use std::fs;
use std::path::Path;

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
pub(super) fn make(wit: &Path, world: &str, core: &Path, component: &Path) -> Result<(), ProjectError> {
    let module = fs::read(core).map_err(ProjectError::file("read", core))?;
    let bytes = encode(wit, world, module).map_err(|error| ProjectError::Component {
        module: core.to_owned(),
        reason: format!("{error:#}"),
    })?;
    files::write(component, &bytes)
}

fn encode(wit: &Path, world: &str, mut module: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
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
