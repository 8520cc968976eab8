//! Python environments.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ProjectError;
use crate::files;
use crate::run::Run;

/// The oldest Python that the SDK is written for.
const OLDEST: &str = "3.11";

/// The interpreter of the environment.
pub(super) fn python(place: &Path) -> PathBuf {
    let inner = if cfg!(windows) {
        "venv/Scripts/python.exe"
    } else {
        "venv/bin/python"
    };
    place.join(inner)
}

/// The folders in which it has packages: one for the version of Python.
pub(super) fn packages(place: &Path) -> Vec<PathBuf> {
    if cfg!(windows) {
        return vec![place.join("venv/Lib/site-packages")];
    }
    let versions = fs::read_dir(place.join("venv/lib")).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("site-packages")).collect()
}

/// Makes an environment with what the requirements pin, and nothing else.
pub(super) fn install(place: &Path, requirements: &str, what: &str) -> Result<(), ProjectError> {
    let file = place.join("requirements.txt");
    files::write(&file, requirements.as_bytes())?;
    let purpose = "to install what compiles the project";
    let version = Run::new("python3", purpose)
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .answer("find out the version of Python")?;
    super::at_least("python3", version.trim(), OLDEST)?;
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

/// Adds packages of the project's own, with what they need.
pub(super) fn add(place: &Path, requirements: &Path) -> Result<(), ProjectError> {
    Run::new(python(place), "to install the project's packages")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--requirement",
        ])
        .args([requirements])
        .finish("install the project's packages")
}
