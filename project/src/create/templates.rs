//! What a new project consists of.

use crate::error::ProjectError;
use crate::language::Language;

/// A file of a project, with places for its name: see `Name::fill`.
pub(super) struct Template {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// A list of templates: the path in a project, and the file in `templates/`.
macro_rules! templates {
    ($($path:literal = $file:literal),* $(,)?) => {
        &[$(Template { path: $path, text: include_str!(concat!("../../templates/", $file)) }),*]
    };
}

const RUST: &[Template] = templates![
    "src/lib.rs" = "rust/lib.rs",
    "tests/counts.rs" = "rust/counts.rs",
    "Cargo.toml" = "rust/manifest.toml",
    "node.toml" = "rust/node.toml",
    "README.md" = "rust/README.md",
    ".gitignore" = "gitignore",
];

/// The files of a project in this language.
pub(super) fn of(language: Language) -> Result<&'static [Template], ProjectError> {
    match language {
        Language::Rust => Ok(RUST),
        other => Err(ProjectError::NoSdk(other)),
    }
}
