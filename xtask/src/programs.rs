//! Builds the programs of this workspace: the product, and what it is tested against.
//!
//! Each package is built by itself. In one build all would share the features of their dependencies, and the product
//! would run with what the stock cluster crate or a test switches on, not with what its users get.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report;
use crate::workspace::Workspace;

/// The plain host, which runs guests only.
pub(crate) const HOST: &str = "ractor-host";
/// The embedding example: the same host with the counter compiled in as a native actor kind.
pub(crate) const EMBEDDING: &str = "counter-node";

/// Builds the packages with these binaries. Gives the folder that holds the programs, away from where later builds of
/// cargo would replace them.
///
/// # Errors
/// A package doesn't build, or the folder can't be written.
pub(crate) fn build<'a>(workspace: &Workspace, binaries: impl IntoIterator<Item = &'a str>) -> Result<PathBuf> {
    let folder = workspace.target().join("programs");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for binary in binaries {
        let package = workspace.package_of_binary(binary)?;
        report::step(&format!("build the program {binary}"));
        workspace
            .cargo(["build", "--package", &package, "--bin", binary])
            .show()?;
        replace(&workspace.target().join("debug").join(binary), &folder.join(binary))?;
    }
    Ok(folder)
}

/// Builds every program that tests use, as [`build`].
///
/// # Errors
/// As [`build`].
pub(crate) fn build_all(workspace: &Workspace) -> Result<PathBuf> {
    build(workspace, workspace.binaries().iter().map(String::as_str))
}

/// Puts `file` at `place`, as a link where that is possible: programs with debug information are large.
pub(crate) fn replace(file: &Path, place: &Path) -> Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", place.display()));
        }
        _ => {}
    }
    if fs::hard_link(file, place).is_err() {
        fs::copy(file, place).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}
