//! The languages that a project can be in, and how its folder shows which one.

use std::fmt;
use std::str::FromStr;

/// A language that a guest is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// With cargo, for `wasm32-wasip2`.
    Rust,
    /// With componentize-py: CPython and the program, already imported.
    Python,
    /// With componentize-qjs: QuickJS and the program.
    JavaScript,
    /// As JavaScript, with its types checked first.
    TypeScript,
    /// With zig's clang.
    C,
    /// With Go's own compiler.
    Go,
}

/// There is no such language here.
#[derive(Debug, thiserror::Error)]
#[error("there is no language `{name}` here; expected one of {}", Language::NAMES.join(", "))]
pub struct UnknownLanguage {
    name: String,
}

impl Language {
    /// All of them, as [`Language::NAMES`] has them.
    pub const ALL: [Self; 6] = [
        Self::Rust,
        Self::Python,
        Self::JavaScript,
        Self::TypeScript,
        Self::C,
        Self::Go,
    ];

    /// Those with a runtime: a component that runs a source.
    pub const RUNTIMES: [Self; 2] = [Self::Python, Self::JavaScript];

    /// Their names on the command line.
    pub const NAMES: [&'static str; 6] = ["rust", "python", "js", "ts", "c", "go"];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "js",
            Self::TypeScript => "ts",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// What it is called besides on the command line, if anything.
    pub fn alias(self) -> Option<&'static str> {
        match self {
            Self::Python => Some("py"),
            Self::JavaScript => Some("javascript"),
            Self::TypeScript => Some("typescript"),
            Self::Rust | Self::C | Self::Go => None,
        }
    }

    /// The file in a project's folder that says that the project is in this language.
    pub(crate) fn manifest(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "pyproject.toml",
            Self::JavaScript | Self::TypeScript => "package.json",
            Self::C => "guest.toml",
            Self::Go => "go.mod",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::C => "C",
            Self::Go => "Go",
        })
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let found = Self::ALL
            .into_iter()
            .find(|language| language.name() == text || language.alias() == Some(text));
        found.ok_or_else(|| UnknownLanguage { name: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_names() {
        for (language, name) in Language::ALL.into_iter().zip(Language::NAMES) {
            assert_eq!(name.parse::<Language>().unwrap(), language);
        }
        assert_eq!("py".parse::<Language>().unwrap(), Language::Python);
        let error = "cobol".parse::<Language>().unwrap_err().to_string();
        assert!(
            error.ends_with("expected one of rust, python, js, ts, c, go"),
            "{error}"
        );
    }
}
