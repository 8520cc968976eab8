//! Rust: cargo makes the component by itself.

use std::path::PathBuf;

use serde::Deserialize;

use super::Building;
use crate::error::ProjectError;
use crate::run::Run;
use crate::tools;

/// One line of what cargo says for programs.
#[derive(Deserialize)]
struct CargoMessage {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<CargoTarget>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct CargoTarget {
    kind: Vec<String>,
}

pub(super) fn compile(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let target = tools::guest_target(project.folder(), building.progress)?;
    (building.progress)(&format!("compile {} with cargo", project.name()));
    let said = Run::new("cargo", "to compile the project")
        .args(["build", "--quiet", "--release", "--target", target])
        .args(["--message-format", "json-render-diagnostics"])
        .within(project.folder())
        .compile(&building.does_not_compile())?;
    let manifest = project.manifest();
    let component = said.lines().find_map(|line| {
        let message: CargoMessage = serde_json::from_str(line).ok()?;
        let is_guest = message.reason == "compiler-artifact"
            && message.manifest_path.as_ref() == Some(&manifest)
            && message.target?.kind.iter().any(|kind| kind == "cdylib");
        let mut files = message.filenames.into_iter();
        is_guest.then(|| files.find(|file| file.extension().is_some_and(|extension| extension == "wasm")))?
    });
    component.ok_or_else(|| ProjectError::Manifest {
        file: manifest,
        reason: "the crate makes no component; it needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`, and `ractor::export!` in its source"
            .to_owned(),
    })
}
