//! `cargo xtask package`: the packages that programs depend on, as they would be published, each built from its own archive.

use std::fs;

use anyhow::{Context, Result};

use crate::report;
use crate::workspace::Workspace;

/// The packages, each after those that it depends on. docs/publishing.md says the same.
const PACKAGES: [&str; 11] = [
    "ractor-host-derive",
    "ractor-host-directory",
    "ractor-host-files",
    "ractor-host-placement",
    "ractor-host-entities",
    "ractor-host-postgres",
    "ractor-host-cluster",
    "ractor-host-sandbox",
    "ractor-host-project",
    "ractor-host",
    "ractor-guest",
];

/// Makes the archives, and builds what is in each.
///
/// # Errors
/// One of them lacks something.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    copy_sdks(workspace)?;
    report::step("the packages, built from their archives");
    workspace
        // The copies are in no commit, which cargo takes for changes that were forgotten.
        .cargo(["package", "--locked", "--allow-dirty"])
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .show()
}

/// Copies the SDKs into the package that carries them, because a package can't contain files from outside its folder. `project/build.rs`
/// knows the other name of manifests: cargo takes a folder with a `Cargo.toml` for another package, and leaves it out.
fn copy_sdks(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root().join("project/sdk");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    for (name, content) in ractor_host_project::embedded() {
        let file = folder.join(name.replace("Cargo.toml", "Cargo.toml.packed"));
        let parent = file.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    // Whoever looks for sources passes by folders with this mark.
    let mark = "Signature: 8a477f597d28d172789f06886806bc55\n# Copies, made by `cargo xtask package`.\n";
    fs::write(folder.join("CACHEDIR.TAG"), mark).context("cannot mark the copies")
}
