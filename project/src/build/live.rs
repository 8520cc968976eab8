//! What `dev` runs of a project in an interpreted language: the runtime of the language, made once, and the source as one text, made anew
//! after each change. Nothing is compiled for a change then.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Building, javascript, python};
use crate::Progress;
use crate::error::ProjectError;
use crate::files::{self, Digest};
use crate::language::Language;
use crate::project::{Kind, Project};
use crate::sdk;
use crate::tools;

/// The folder within that for everything which can be deleted.
const FOLDER: &str = "dev";

/// A project whose source is run as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    project: Project,
}

/// What a runtime was made of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// Of the SDK, the tools and the list of packages.
    digest: String,
    /// What sources can import besides what every runtime has.
    modules: Vec<String>,
}

impl Live {
    /// The project, unless there is no runtime of its language, or its manifest says that `dev` is to make its component.
    pub fn of(project: &Project) -> Option<Self> {
        let is_live = match project.language() {
            Language::Python => python::is_live(project),
            Language::JavaScript | Language::TypeScript => true,
            Language::Rust | Language::C | Language::Go => false,
        };
        (is_live && project.kind() == Kind::Actor).then(|| Self {
            project: project.clone(),
        })
    }

    /// Where its modules are, unless its node says where.
    pub fn sources(&self) -> PathBuf {
        self.project.folder().join("src")
    }

    /// A list of packages that it needs, if there is one.
    pub fn packages(&self) -> Option<PathBuf> {
        let name = match self.project.language() {
            Language::Python => tools::REQUIREMENTS,
            _ => "package.json",
        };
        Some(self.project.folder().join(name)).filter(|file| file.is_file())
    }

    /// The component that runs the source.
    pub fn runtime(&self) -> PathBuf {
        self.folder().join(format!("{}-runtime.wasm", self.extension()))
    }

    /// The source as one text.
    pub fn source(&self) -> PathBuf {
        self.folder()
            .join(format!("{}.{}", self.project.name(), self.extension()))
    }

    fn extension(&self) -> &'static str {
        if self.project.language() == Language::Python {
            "py"
        } else {
            "js"
        }
    }

    fn folder(&self) -> PathBuf {
        self.project.cache().join(FOLDER)
    }

    /// Brings both files up to date. What the language needs is installed first.
    ///
    /// # Errors
    /// What the language needs can't be installed, or the source has a mistake.
    pub fn build(&self, progress: Progress<'_>) -> Result<(), ProjectError> {
        let project = &self.project;
        let _lock = files::lock(&project.cache().join("build.lock"))?;
        let sdk = sdk::unpack(project.folder(), project.language())?;
        let scratch = tempfile::Builder::new()
            .prefix("scratch-")
            .tempdir_in(project.cache())
            .map_err(ProjectError::file("write in", project.cache()))?;
        let building = Building {
            project,
            progress,
            scratch: scratch.path(),
        };
        let (text, modules) = match project.language() {
            Language::Python => python::bundle(&building)?,
            _ => (javascript::bundle(&building, &javascript::entry(project)?)?, Vec::new()),
        };
        let text = fs::read(&text).map_err(ProjectError::file("read", &text))?;
        // First the runtime: a source may import what that of before doesn't have.
        self.build_runtime(&building, &sdk, modules)?;
        files::write(&self.source(), &text)
    }

    /// Makes the runtime, unless there is one in which sources can import these modules.
    fn build_runtime(&self, building: &Building<'_>, sdk: &str, modules: Vec<String>) -> Result<(), ProjectError> {
        let mut record = Record {
            digest: self.digest(sdk),
            modules,
        };
        let file = self.runtime().with_extension("json");
        let before = fs::read(&file).ok();
        let before = before.and_then(|text| serde_json::from_slice::<Record>(&text).ok());
        if let Some(before) = before.filter(|before| before.digest == record.digest && self.runtime().is_file()) {
            if record.modules.iter().all(|module| before.modules.contains(module)) {
                return Ok(());
            }
            // What is no longer imported may be imported again.
            record.modules.extend(before.modules);
            record.modules.sort();
            record.modules.dedup();
        }
        let made = match self.project.language() {
            Language::Python => python::compile_runtime(building, Some(&record.modules))?,
            _ => javascript::compile_runtime(building)?,
        };
        let content = fs::read(&made).map_err(ProjectError::file("read", &made))?;
        // Removed first: a runtime without its record is made again, and one with that of another isn't.
        files::remove(&file)?;
        files::write(&self.runtime(), &content)?;
        let text = serde_json::to_vec(&record).unwrap_or_default();
        files::write(&file, &text)
    }

    /// What a runtime is made of, but for the modules.
    fn digest(&self, sdk: &str) -> String {
        let digest = Digest::new().add(env!("CARGO_PKG_VERSION")).add(sdk);
        match self.project.language() {
            Language::Python => digest
                .add(tools::PYTHON.digest())
                .add(fs::read(self.project.folder().join(tools::REQUIREMENTS)).unwrap_or_default()),
            _ => digest.add(tools::JAVASCRIPT.digest()),
        }
        .finish()
    }
}
