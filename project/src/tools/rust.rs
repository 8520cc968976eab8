//! The target of guests, of the Rust toolchain in use.

use std::fs;
use std::path::Path;

use crate::Progress;
use crate::error::ProjectError;
use crate::run::Run;

/// The target of guests.
const TARGET: &str = "wasm32-wasip2";

const PURPOSE: &str = "to compile the project";

/// Adds the target to the toolchain that compiles this folder, unless it is there, and gives its name.
pub(crate) fn guest_target(folder: &Path, progress: Progress<'_>) -> Result<&'static str, ProjectError> {
    let libraries = Run::new("rustc", PURPOSE)
        .args(["--print", "target-libdir", "--target", TARGET])
        .within(folder)
        .answer("find out what rustc can compile for")?;
    if has_std(Path::new(libraries.trim())) {
        return Ok(TARGET);
    }
    progress(&format!("rustup target add {TARGET}"));
    let added = Run::new("rustup", PURPOSE)
        .args(["target", "add", TARGET])
        .within(folder)
        .finish(&format!("add the target {TARGET} to the Rust toolchain"));
    match added {
        Err(ProjectError::NoProgram { program, purpose, .. }) => Err(ProjectError::NoProgram {
            program,
            purpose,
            remedy: "rustc has no target wasm32-wasip2; rustup (https://rustup.rs) adds it, and some distributions have a package of it",
        }),
        other => other.map(|()| TARGET),
    }
}

fn has_std(libraries: &Path) -> bool {
    let mut entries = fs::read_dir(libraries).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_string_lossy().starts_with("libstd"))
}
