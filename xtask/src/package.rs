//! `cargo xtask package`: the packages that programs depend on, as they would be published, each built from its own archive.

use anyhow::Result;

use crate::report;
use crate::workspace::Workspace;

/// The packages, each after those that it depends on. docs/publishing.md says the same.
const PACKAGES: [&str; 7] = [
    "ractor-host-derive",
    "ractor-host-directory",
    "ractor-host-files",
    "ractor-host-cluster",
    "ractor-host-sandbox",
    "ractor-host",
    "ractor-guest",
];

/// Makes the archives, and builds what is in each.
///
/// # Errors
/// One of them lacks something.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    report::step("the packages, built from their archives");
    workspace
        .cargo(["package", "--locked"])
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .show()
}
