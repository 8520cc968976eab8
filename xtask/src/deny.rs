//! The policy on dependencies, deny.toml: what they may cost, and on what terms they come.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources. Without cargo-deny nothing is checked, which is said; in continuous integration it is
/// installed under the target folder.
///
/// # Errors
/// A dependency is against the policy, or continuous integration can't install cargo-deny.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    report::step("dependencies: licences, bans and sources (deny.toml)");
    let Some(program) = program(workspace)? else {
        report::note("NOT CHECKED: cargo-deny is not installed; `cargo install --locked cargo-deny` gets it");
        return Ok(());
    };
    Run::new(program)
        .within(workspace.root())
        .args(["--workspace", "check", "licenses", "bans", "sources"])
        .show()
}

fn program(workspace: &Workspace) -> Result<Option<PathBuf>> {
    const NAME: &str = "cargo-deny";
    let works = |program: &PathBuf| Run::new(program).args(["--version"]).capture().is_ok();
    let folder = workspace.target().join("tools").join(NAME);
    let installed = folder.join("bin").join(NAME);
    if let Some(there) = [PathBuf::from(NAME), installed.clone()].into_iter().find(works) {
        return Ok(Some(there));
    }
    if std::env::var_os("CI").is_none() {
        return Ok(None);
    }
    report::note(&format!("install {NAME} {VERSION} in {}", folder.display()));
    // It runs for a moment, so it isn't optimized for it.
    workspace
        .cargo(["install", "--quiet", "--locked", "--debug", NAME, "--version", VERSION])
        .args([OsStr::new("--root"), folder.as_os_str()])
        .args([OsStr::new("--target-dir"), folder.join("build").as_os_str()])
        .limit_minutes(20)
        .show()
        .context("cargo-deny can't be installed, and continuous integration leaves nothing out")?;
    Ok(Some(installed))
}
