//! The languages that have a kitchen.

use std::path::PathBuf;

use ractor_host_tests::{languages, programs};

/// A language with an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
    TypeScript,
    C,
    Go,
}

impl Language {
    pub(crate) const ALL: [Self; 5] = [Self::Rust, Self::Python, Self::TypeScript, Self::C, Self::Go];

    /// Its kitchen, compiled already. None where its tools are missing, which is said, and fails in continuous integration.
    #[track_caller]
    pub(crate) fn kitchen(self) -> Option<PathBuf> {
        match self {
            Self::Rust => Some(programs::guest("kitchen_rs")),
            Self::Python => languages::component("kitchen_py"),
            Self::TypeScript => languages::component("kitchen_ts"),
            Self::C => languages::component("kitchen_c"),
            Self::Go => languages::component("kitchen_go"),
        }
    }

    /// Its name in the matrix.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::TypeScript => "JavaScript, TypeScript",
            Self::C => "C",
            Self::Go => "Go",
        }
    }

    /// Its name in those of nodes.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Rust => "rs",
            Self::Python => "py",
            Self::TypeScript => "ts",
            Self::C => "c",
            Self::Go => "go",
        }
    }
}
