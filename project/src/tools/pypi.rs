//! Python environments.

use std::path::{Path, PathBuf};

use crate::error::ProjectError;
use crate::files;
use crate::run::Run;

/// The interpreter of the environment.
pub(super) fn python(place: &Path) -> PathBuf {
    let inner = if cfg!(windows) {
        "venv/Scripts/python.exe"
    } else {
        "venv/bin/python"
    };
    place.join(inner)
}

/// Makes an environment with what the requirements pin, and nothing else.
pub(super) fn install(place: &Path, requirements: &str, what: &str) -> Result<(), ProjectError> {
    let file = place.join("requirements.txt");
    files::write(&file, requirements.as_bytes())?;
    let purpose = "to install what compiles the project";
    Run::new("python3", purpose)
        .args(["-m", "venv", "--clear", "venv"])
        .within(place)
        .finish("make a Python environment")?;
    Run::new(python(place), purpose)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .args([
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--requirement",
        ])
        .args([&file])
        .finish(&format!("install {what}"))
}
