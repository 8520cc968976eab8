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
    #[serde(default)]
    dev: Dev,
}

/// What `dev` runs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Dev {
    /// The source, in the runtime.
    #[default]
    Source,
    /// The component that `build` makes.
    Component,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            module: "app".to_owned(),
            dev: Dev::default(),
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

/// Whether `dev` runs the source.
pub(super) fn is_live(project: &Project) -> bool {
    // What is wrong with the manifest is said by whoever needs more of it.
    let manifest = project.read_toml::<Manifest>().unwrap_or_default();
    manifest.tool.ractor_host.dev == Dev::Source
}

/// One text of all modules, for the runtime, and the names of the modules that they import besides what each runtime has. No step is told:
/// this runs after each change.
pub(super) fn bundle(building: &Building<'_>) -> Result<(PathBuf, Vec<String>), ProjectError> {
    let project = building.project;
    let Manifest { tool } = project.read_toml()?;
    let place = tools::PYTHON.install(project, building.progress)?;
    let made = building.scratch.join("made.py");
    let said = Run::new(tools::python(&place), "to read the project")
        // As fast as Python starts: without the packages, and whatever else the machine has for it.
        .args(["-I", "-S", "-X", "utf8", "-W", "ignore"])
        .args([library(project).join("ractor/_bundle.py")])
        .args([&tool.ractor_host.module, SOURCES])
        .args([&made])
        .args(tools::packages(&place))
        .within(project.folder())
        .judge(&building.does_not_compile())?;
    let names = said.lines().filter(|line| !line.is_empty());
    Ok((made, names.map(str::to_owned).collect()))
}

/// The runtime: a component that runs a source, which can import what requirements.txt asks for. Of a project, the modules that it imports
/// are known.
pub(super) fn compile_runtime(building: &Building<'_>, wanted: Option<&[String]>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let place = tools::PYTHON.install(project, building.progress)?;
    (building.progress)("make the runtime of Python with componentize-py");
    let made = building.scratch.join("made.wasm");
    let run = Run::new(tools::python(&place), "to make the runtime")
        .args(["-m", "ractor", "runtime", "--output"])
        .args([&made]);
    let run = match wanted {
        Some(wanted) => run.args(wanted.iter().flat_map(|module| ["--wanted", module])),
        None if project.folder().join(tools::REQUIREMENTS).is_file() => {
            run.args(["--requirements", tools::REQUIREMENTS])
        }
        None => run,
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
