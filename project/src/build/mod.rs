//! From the source of a project to its component.

pub(crate) mod c;
mod component;
pub(crate) mod go;
mod go_module;
mod inputs;
pub(crate) mod javascript;
mod live;
pub(crate) mod python;
mod rust;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::Progress;
use crate::error::ProjectError;
use crate::files;
use crate::language::Language;
use crate::project::{BUILD, Kind, Project};
use crate::sdk;

pub use self::component::{Debugging, component};
use self::inputs::Inputs;
pub use self::live::Live;

/// A component that is up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Whether anything had to be done.
    pub outcome: Outcome,
}

/// Whether a component had to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made, in this time.
    Made(Duration),
    /// It was made before, of the same source and by the same tools.
    UpToDate,
}

/// A component is being made.
struct Building<'a> {
    project: &'a Project,
    progress: Progress<'a>,
    /// An empty folder for what is in between.
    scratch: &'a Path,
}

impl Building<'_> {
    /// What to say of the project if its compiler fails.
    fn does_not_compile(&self) -> String {
        format!("{} does not compile", self.project.name())
    }

    /// Makes the component.
    fn compile(&self) -> Result<PathBuf, ProjectError> {
        match (self.project.language(), self.project.kind()) {
            (Language::Rust, _) => rust::compile(self),
            (Language::Python, Kind::Actor) => python::compile(self),
            (Language::Python, Kind::Runtime) => python::compile_runtime(self, None),
            (Language::JavaScript | Language::TypeScript, Kind::Actor) => javascript::compile(self),
            (Language::JavaScript | Language::TypeScript, Kind::Runtime) => javascript::compile_runtime(self),
            (Language::C, _) => c::compile(self),
            (Language::Go, _) => go::compile(self),
        }
    }
}

/// Makes the component of a project. What the language needs is installed first. If nothing has changed since the last time, this
/// does nothing.
///
/// # Errors
/// What the language needs can't be installed, or the source doesn't compile.
pub fn build(project: &Project, progress: Progress<'_>) -> Result<Built, ProjectError> {
    let started = Instant::now();
    // Two at once, such as one by hand beside `dev`, would mix what is in between.
    let _lock = files::lock(&project.cache().join("build.lock"))?;
    let sdk = sdk::unpack(project.folder(), project.language())?;
    let inputs = Inputs::of(project, &sdk)?;
    let component = project.component();
    if let Some(inputs) = &inputs
        && inputs.made(&component)
    {
        return built(component, Outcome::UpToDate);
    }
    let scratch = tempfile::Builder::new()
        .prefix("scratch-")
        .tempdir_in(project.cache())
        .map_err(ProjectError::file("write in", project.cache()))?;
    let building = Building {
        project,
        progress,
        scratch: scratch.path(),
    };
    let made = building.compile()?;
    let content = fs::read(&made).map_err(ProjectError::file("read", &made))?;
    if inputs.is_none() && fs::read(&component).is_ok_and(|old| old == content) {
        return built(component, Outcome::UpToDate);
    }
    files::write(&component, &content)?;
    if let Some(inputs) = inputs {
        inputs.remember(&content)?;
    }
    built(component, Outcome::Made(started.elapsed()))
}

/// Makes what a runtime runs of a source: `build/NAME.js` of `NAME.ts` or `NAME.js`, a path in the project's folder. It takes a moment.
///
/// # Errors
/// The runtime runs sources as they are written, or this one has mistakes; or what makes it can't be installed.
pub fn build_source(runtime: &Project, source: &Path, progress: Progress<'_>) -> Result<Built, ProjectError> {
    let started = Instant::now();
    if runtime.language() != Language::JavaScript {
        return Err(ProjectError::AsWritten {
            language: runtime.language(),
        });
    }
    let _lock = files::lock(&runtime.cache().join("build.lock"))?;
    sdk::unpack(runtime.folder(), runtime.language())?;
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let output = runtime.folder().join(BUILD).join(format!("{name}.js"));
    let scratch = tempfile::Builder::new()
        .prefix("scratch-")
        .tempdir_in(runtime.cache())
        .map_err(ProjectError::file("write in", runtime.cache()))?;
    let building = Building {
        project: runtime,
        progress,
        scratch: scratch.path(),
    };
    let made = javascript::bundle(&building, source)?;
    let content = fs::read(&made).map_err(ProjectError::file("read", &made))?;
    // Who watches the file reloads when it is written.
    if fs::read(&output).is_ok_and(|old| old == content) {
        return built(output, Outcome::UpToDate);
    }
    files::write(&output, &content)?;
    built(output, Outcome::Made(started.elapsed()))
}

fn built(component: PathBuf, outcome: Outcome) -> Result<Built, ProjectError> {
    let metadata = fs::metadata(&component).map_err(ProjectError::file("look at", &component))?;
    Ok(Built {
        bytes: metadata.len(),
        component,
        outcome,
    })
}

/// The digest of a component's content.
fn content_digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}
