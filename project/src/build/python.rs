//! Python: the SDK's own builder, in an environment with componentize-py.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Building;
use crate::error::ProjectError;
use crate::project::Project;
use crate::run::Run;
use crate::sdk;
use crate::tools;

/// Where the source of a project in Python is.
const SOURCES: &str = "src";

/// The part of pyproject.toml that is for this program.
#[derive(Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    tool: Tool,
}

#[derive(Default, Deserialize)]
struct Tool {
    #[serde(rename = "ractor-host", default)]
    ractor_host: Settings,
}

#[derive(Deserialize)]
struct Settings {
    /// The module with the class that has `@export`.
    module: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            module: "app".to_owned(),
        }
    }
}

pub(super) fn compile(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let Manifest { tool } = project.read_toml()?;
    let module = tool.ractor_host.module;
    let place = tools::PYTHON.install(project, building.progress)?;
    (building.progress)(&format!("compile {} with componentize-py", project.name()));
    let made = building.scratch.join("made.wasm");
    Run::new(tools::python(&place), "to compile the project")
        .args(["-m", "ractor", "build", &module, "--path", SOURCES, "--output"])
        .args([&made])
        .env("PYTHONPATH", library(project))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .within(project.folder())
        .judge(&building.does_not_compile())?;
    Ok(made)
}

/// The runtime: a component that runs a source. Sources can import what requirements.txt asks for.
pub(super) fn compile_runtime(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let place = tools::PYTHON.install(project, building.progress)?;
    (building.progress)("make the runtime of Python with componentize-py");
    let made = building.scratch.join("made.wasm");
    let requirements = project.folder().join(tools::REQUIREMENTS);
    let run = Run::new(tools::python(&place), "to make the runtime")
        .args(["-m", "ractor", "runtime", "--output"])
        .args([&made]);
    let run = if requirements.is_file() {
        run.args(["--requirements", tools::REQUIREMENTS])
    } else {
        run
    };
    run.env("PYTHONPATH", library(project))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .within(project.folder())
        .judge("the runtime of Python can't be made")?;
    Ok(made)
}

/// The folder with the package `ractor`.
pub(crate) fn library(project: &Project) -> PathBuf {
    sdk::folder(project.folder()).join("python").join(Path::new("src"))
}
