//! What a component is made from, as a digest, so that nothing is made again of the same.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ProjectError;
use crate::files::{self, Digest};
use crate::language::Language;
use crate::project::{BUILD, Kind, Project};
use crate::tools;

use super::content_digest;

/// Files and folders in the root of a project that no component is made from.
const OTHERS: &[&str] = &[
    BUILD,
    "README.md",
    "cookie",
    "node.toml",
    "node-toml.schema.json",
    "node_modules",
    "target",
    "tests",
    "test",
    "venv",
];

/// What a component is made from.
pub(super) struct Inputs {
    digest: String,
    /// Holds the digest of the last build, and that of what it made.
    record: PathBuf,
}

impl Inputs {
    /// Of a project with this SDK; none in Rust, where cargo knows better.
    pub(super) fn of(project: &Project, sdk: &str) -> Result<Option<Self>, ProjectError> {
        let tools = match project.language() {
            Language::Rust => return Ok(None),
            Language::Python => tools::PYTHON.digest(),
            Language::JavaScript | Language::TypeScript => tools::JAVASCRIPT.digest(),
            Language::C => tools::C.digest(),
            Language::Go => tools::GO.digest(),
        };
        // Of another version of this program, which may build in another way.
        let mut digest = Digest::new().add(env!("CARGO_PKG_VERSION")).add(sdk).add(tools);
        let folder = project.folder();
        let (files, record) = match project.kind() {
            Kind::Actor => (files::files(folder, &|inner| is_other(inner))?, "built-from".to_owned()),
            // Sources are none of it: that is what it is for.
            Kind::Runtime => (
                if project.language() == Language::Python {
                    vec![PathBuf::from(tools::REQUIREMENTS)]
                } else {
                    Vec::new()
                },
                format!("{}-built-from", project.name()),
            ),
        };
        for file in files {
            let path = folder.join(&file);
            // What goes away meanwhile, or can't be read, is for the compiler to complain about.
            digest = digest
                .add(file.as_os_str().as_encoded_bytes())
                .add(fs::read(path).unwrap_or_default());
        }
        Ok(Some(Self {
            digest: digest.finish(),
            record: project.cache().join(record),
        }))
    }

    /// Whether this component was made from these, and is as it was made.
    pub(super) fn made(&self, component: &Path) -> bool {
        let Ok(record) = fs::read_to_string(&self.record) else {
            return false;
        };
        let Ok(content) = fs::read(component) else { return false };
        record == self.record_of(&content)
    }

    /// Keeps in mind what was made.
    pub(super) fn remember(&self, content: &[u8]) -> Result<(), ProjectError> {
        files::write(&self.record, self.record_of(content).as_bytes())
    }

    fn record_of(&self, content: &[u8]) -> String {
        format!("{}\n{}\n", self.digest, content_digest(content))
    }
}

/// Whether a path in a project is nothing that its component is made from.
fn is_other(inner: &Path) -> bool {
    let name = inner.file_name().unwrap_or_default();
    let is_root = inner.parent() == Some(Path::new(""));
    let is_hidden = name.as_encoded_bytes().starts_with(b".");
    is_hidden || name == OsStr::new("__pycache__") || (is_root && OTHERS.iter().any(|other| name == OsStr::new(other)))
}
