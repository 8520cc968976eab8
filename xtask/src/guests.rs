//! Compiles the guests of this workspace to WebAssembly components: those in Rust here, the others by `languages`.

use std::path::PathBuf;

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
    let packages = workspace.guest_packages();
    if packages.is_empty() {
        bail!("this workspace has no guest: no package with `crate-type = [\"cdylib\"]`");
    }
    report::step(&format!(
        "compile the guests for {GUEST_TARGET}: {}",
        packages.join(", ")
    ));
    workspace
        .cargo(["build", "--profile", GUEST_PROFILE, "--target", GUEST_TARGET])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .show()
        .context("the guests in Rust do not compile")?;
    for GuestApart { package, feature } in workspace.guests_apart() {
        report::step(&format!("compile the guest {package}, with its feature {feature}"));
        workspace
            .cargo(["build", "--profile", GUEST_PROFILE, "--target", GUEST_TARGET])
            .args(["--package", &package, "--features", &feature])
            .show()
            .with_context(|| format!("the guest {package} does not compile"))?;
    }
    let folder = workspace.guests();
    report::note(&format!("the components are in {}", folder.display()));
    Ok(folder)
}
