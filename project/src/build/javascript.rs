//! JavaScript and TypeScript: the SDK's own builder, which bundles with esbuild and has componentize-qjs make a component.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Building;
use crate::Progress;
use crate::error::ProjectError;
use crate::files::{self, Digest};
use crate::language::Language;
use crate::project::Project;
use crate::run::Run;
use crate::sdk;
use crate::tools;

/// The part of package.json that matters here.
#[derive(Deserialize)]
struct Manifest {
    main: Option<String>,
    #[serde(default)]
    dependencies: serde_json::Map<String, serde_json::Value>,
    #[serde(rename = "devDependencies", default)]
    dev_dependencies: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn compile(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let entry = entry(project)?;
    prepare(project, building.progress)?;
    (building.progress)(&format!("compile {} with componentize-qjs", project.name()));
    let made = building.scratch.join("made.wasm");
    Run::new("node", "to compile the project")
        .args([program(project), "build".into(), entry, "--output".into(), made.clone()])
        .within(project.folder())
        .judge(&building.does_not_compile())?;
    Ok(made)
}

/// The file that exports the actor.
pub(super) fn entry(project: &Project) -> Result<PathBuf, ProjectError> {
    let manifest: Manifest = project.read_json()?;
    let entry = manifest.main.map(PathBuf::from);
    Ok(entry.unwrap_or_else(|| {
        let is_typed = project.language() == Language::TypeScript;
        if is_typed { "src/actor.ts" } else { "src/actor.js" }.into()
    }))
}

/// The runtime: a component that runs what [`bundle`] makes.
pub(super) fn compile_runtime(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    prepare(project, building.progress)?;
    (building.progress)("make the runtime of JavaScript with componentize-qjs");
    let made = building.scratch.join("made.wasm");
    Run::new("node", "to make the runtime")
        .args([program(project), "runtime".into(), "--output".into(), made.clone()])
        .within(project.folder())
        .judge("the runtime of JavaScript can't be made")?;
    Ok(made)
}

/// One text of a source and its packages, for the runtime. No step is told: this runs after each change.
pub(super) fn bundle(building: &Building<'_>, source: &Path) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    prepare(project, building.progress)?;
    let made = building.scratch.join("made.js");
    Run::new("node", "to compile the source")
        .args([
            program(project),
            "source".into(),
            source.to_owned(),
            "--output".into(),
            made.clone(),
        ])
        .within(project.folder())
        .judge(&format!("{} does not compile", source.display()))?;
    Ok(made)
}

/// Installs what builds and tests the project, and its own packages.
pub(crate) fn prepare(project: &Project, progress: Progress<'_>) -> Result<(), ProjectError> {
    let place = tools::JAVASCRIPT.install(project, progress)?;
    // Where the SDK finds its tools: packages are looked for in all folders above the one that imports them.
    files::link(&place.join("node_modules"), &project.cache().join("node_modules"))?;
    if !project.manifest().is_file() {
        // The folder of a runtime needs none.
        return Ok(());
    }
    install_packages(project, progress)?;
    // Where the project's tests, and Node, find the SDK.
    let modules = project.folder().join("node_modules");
    files::create_folder(&modules)?;
    files::link(Path::new("../.ractor-host/sdk/js"), &modules.join("ractor-guest"))
}

/// The SDK's own command line.
pub(crate) fn program(project: &Project) -> PathBuf {
    sdk::folder(project.folder()).join("js/bin/ractor-guest.js")
}

/// The packages that the project asks for, whenever it asks for others than before.
fn install_packages(project: &Project, progress: Progress<'_>) -> Result<(), ProjectError> {
    let manifest: Manifest = project.read_json()?;
    if manifest.dependencies.is_empty() && manifest.dev_dependencies.is_empty() {
        return Ok(());
    }
    let lock = fs::read(project.folder().join("package-lock.json"));
    let asked = |lock: &[u8]| {
        let manifest = fs::read(project.manifest()).unwrap_or_default();
        Digest::new().add(manifest).add(lock).finish()
    };
    let record = project.cache().join("packages");
    let has_all = fs::read_to_string(&record).is_ok_and(|had| had == asked(lock.as_deref().unwrap_or_default()));
    if has_all && project.folder().join("node_modules").is_dir() {
        return Ok(());
    }
    progress("install the project's own packages with npm");
    let verb = if lock.is_ok() { "ci" } else { "install" };
    Run::new("npm", "to install the project's packages")
        .args([
            verb,
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
        ])
        .within(project.folder())
        .finish("install the project's packages")?;
    let lock = fs::read(project.folder().join("package-lock.json")).unwrap_or_default();
    files::write(&record, asked(&lock).as_bytes())
}
