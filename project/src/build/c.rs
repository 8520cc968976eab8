//! C and C++: zig's clang makes a core module, and this program makes a component of it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Building;
use super::component::{Debugging, component};
use crate::error::ProjectError;
use crate::project::Project;
use crate::run::Run;
use crate::sdk;
use crate::tools;

/// guest.toml.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The project's name, which `Project` reads.
    #[serde(rename = "name")]
    _name: String,
    /// Source files, by their path in the project.
    pub(crate) sources: Vec<String>,
    /// What else the compiler is told.
    #[serde(default)]
    pub(crate) flags: Vec<String>,
}

/// The bytes of the stack of C in a guest's memory: beyond it, a guest traps. Zig's default is 16 MiB, which count for each instance.
pub const STACK: &str = "-Wl,-z,stack-size=1048576";

/// The world that ractor.c is written for.
const WORLD: &str = "complete-actor";

pub(super) fn compile(building: &Building<'_>) -> Result<PathBuf, ProjectError> {
    let project = building.project;
    let manifest: Manifest = project.read_toml()?;
    if manifest.sources.is_empty() {
        return Err(ProjectError::Manifest {
            file: project.manifest(),
            reason: "`sources` is empty; expected source files: [\"src/actor.c\"]".to_owned(),
        });
    }
    let place = tools::C.install(project, building.progress)?;
    (building.progress)(&format!("compile {} with zig's clang", project.name()));
    let library = library(project);
    let core = building.scratch.join("core.wasm");
    zig(project, &place, &manifest)
        // The names of functions stay, for traps; what debuggers read is left out of the component.
        .args([
            "-target",
            "wasm32-wasi",
            "-mexec-model=reactor",
            "-Oz",
            "-g",
            STACK,
            "-I",
        ])
        .args([&library])
        .args(&manifest.flags)
        .args(&manifest.sources)
        .args([library.join("ractor.c").as_path(), Path::new("-o"), &core])
        .judge(&building.does_not_compile())?;
    let made = building.scratch.join("made.wasm");
    // The compiler is told to make it in any case, and the names come with it.
    let wants_lines = manifest
        .flags
        .iter()
        .any(|flag| flag.starts_with("-g") && flag != "-g0");
    let debugging = if wants_lines {
        Debugging::Kept
    } else {
        Debugging::LeftOut
    };
    component(
        &sdk::folder(project.folder()).join("wit"),
        WORLD,
        &core,
        debugging,
        &made,
    )?;
    Ok(made)
}

/// The folder with ractor.h.
pub(crate) fn library(project: &Project) -> PathBuf {
    sdk::folder(project.folder()).join("c")
}

/// The compiler, in the project's folder.
pub(crate) fn zig(project: &Project, place: &Path, manifest: &Manifest) -> Run {
    let is_cpp = |source: &String| [".cpp", ".cc", ".cxx"].iter().any(|end| source.ends_with(end));
    let driver = if manifest.sources.iter().any(is_cpp) {
        "c++"
    } else {
        "cc"
    };
    // What zig compiles of its libc the first time goes where zig is.
    Run::new(tools::python(place), "to compile the project")
        .args(["-m", "ziglang", driver, "-Wall", "-Wextra"])
        .env("ZIG_GLOBAL_CACHE_DIR", place.join("cache"))
        .env("ZIG_LOCAL_CACHE_DIR", project.cache().join("zig"))
        .within(project.folder())
}
