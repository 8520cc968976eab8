//! Packages of npm.

use std::path::Path;

use crate::error::ProjectError;
use crate::files;
use crate::run::Run;

/// The oldest Node.js that the SDK is written for.
const OLDEST: &str = "20.0";

/// Installs the packages of a lock file, without running any script of theirs.
pub(super) fn install(place: &Path, package: &str, lock: &str, what: &str) -> Result<(), ProjectError> {
    let purpose = "to install what compiles the project";
    let version = Run::new("node", purpose)
        .args(["--version"])
        .answer("find out the version of Node.js")?;
    super::at_least("node", version.trim().trim_start_matches('v'), OLDEST)?;
    files::write(&place.join("package.json"), package.as_bytes())?;
    files::write(&place.join("package-lock.json"), lock.as_bytes())?;
    Run::new("npm", purpose)
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
        ])
        .within(place)
        .finish(&format!("install {what}"))
}
