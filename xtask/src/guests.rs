//! Compiles the guests of this workspace to WebAssembly components: those in Rust here, the others by `languages`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::languages;
use crate::report;
use crate::target;
use crate::workspace::{GUEST_PROFILE, GUEST_TARGET, GuestApart, Workspace};

/// Builds every guest, in Rust and in other languages, whose tools are installed if need be. Gives the folder that holds the
/// `.wasm` files.
///
/// # Errors
/// As [`build`], or a guest in another language doesn't compile. In continuous integration also: its tools can't be had.
pub(crate) fn build_all(workspace: &Workspace) -> Result<PathBuf> {
    let folder = build(workspace)?;
    languages::build(workspace)?;
    Ok(folder)
}

/// Builds the guests in Rust, setting the target up first if need be. Gives the folder that holds the `.wasm` files.
///
/// # Errors
/// The target is missing and can't be had, or a guest doesn't compile.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    target::set_up(workspace)?;
    compile(workspace, None)?;
    let folder = workspace.guests();
    report::note(&format!("the components are in {}", folder.display()));
    Ok(folder)
}

/// Compiles the guests in Rust, in the target folder of the workspace or in another one.
///
/// # Errors
/// A guest doesn't compile.
pub(crate) fn compile(workspace: &Workspace, target: Option<&Path>) -> Result<()> {
    let packages = workspace.guest_packages();
    if packages.is_empty() {
        bail!("this workspace has no guest: no package with `crate-type = [\"cdylib\"]`");
    }
    let cargo = || {
        let build = workspace.cargo(["build", "--profile", GUEST_PROFILE, "--target", GUEST_TARGET]);
        match target {
            Some(folder) => build.env("CARGO_TARGET_DIR", folder),
            None => build,
        }
    };
    report::step(&format!(
        "compile the guests for {GUEST_TARGET}: {}",
        packages.join(", ")
    ));
    cargo()
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .show()
        .context("the guests in Rust do not compile")?;
    for GuestApart { package, feature } in workspace.guests_apart() {
        report::step(&format!("compile the guest {package}, with its feature {feature}"));
        cargo()
            .args(["--package", &package, "--features", &feature])
            .show()
            .with_context(|| format!("the guest {package} does not compile"))?;
    }
    Ok(())
}
