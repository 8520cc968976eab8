//! Go: its own compiler makes a core module, and this program makes a component of it.

use std::path::{Path, PathBuf};

use super::Building;
use super::component::{Debugging, component};
use crate::error::ProjectError;
use crate::project::Project;
use crate::run::Run;
use crate::sdk;
use crate::tools;

/// The world that the SDK is written for.
const WORLD: &str = "complete-actor";

pub(super) fn compile(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let place = tools::GO.install(project, building.progress)?;
    (building.progress)(&format!("compile {} with Go", project.name()));
    let core = building.scratch.join("core.wasm");
    go(project, &place)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        // The names of functions stay, for traps; what debuggers read doesn't.
        .args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-w", "-o"])
        .args([core.as_path(), Path::new(".")])
        .judge(&building.does_not_compile())?;
    let made = building.scratch.join("made.wasm");
    component(
        &sdk::folder(project.folder()).join("wit"),
        WORLD,
        &core,
        Debugging::LeftOut,
        &made,
    )?;
    Ok(made)
}

/// The compiler, in the project's folder. It asks the network for nothing but modules that the project itself adds to go.mod.
pub(crate) fn go(project: &Project, place: &Path) -> Run {
    Run::new(tools::program(place, "go"), "to compile the project")
        // What Go compiles of its own library the first time goes where Go is.
        .env("GOCACHE", place.join("cache"))
        .env("GOPATH", project.cache().join("go"))
        .env("GOENV", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .within(project.folder())
}
