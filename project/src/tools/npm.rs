//! Packages of npm.

use std::path::Path;

use crate::error::ProjectError;
use crate::files;
use crate::run::Run;

/// Installs the packages of a lock file, without running any script of theirs.
pub(super) fn install(place: &Path, package: &str, lock: &str, what: &str) -> Result<(), ProjectError> {
    files::write(&place.join("package.json"), package.as_bytes())?;
    files::write(&place.join("package-lock.json"), lock.as_bytes())?;
    Run::new("npm", "to install what compiles the project")
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
