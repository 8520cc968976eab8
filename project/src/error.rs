//! What can go wrong with a project.

use std::io;
use std::path::PathBuf;

use crate::language::Language;

/// A project could not be made, built or tested. The text says what happened, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The folder isn't there.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The folder shows no language.
    #[error(
        "{} is no project of a guest: it has none of {}; `ractor-host new --lang {} NAME` makes a project", folder.display(),
        manifests(), Language::NAMES.join("|")
    )]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder shows several languages.
    #[error("{} has {}: say with --lang which of them is the guest", folder.display(), found.join(" and "))]
    SeveralManifests {
        /// The folder.
        folder: PathBuf,
        /// The manifests.
        found: Vec<&'static str>,
    },
    /// The folder has no manifest of the language that was asked for.
    #[error("{} is no project in {language}: it has no {}", folder.display(), language.manifest())]
    OtherLanguage {
        /// The folder.
        folder: PathBuf,
        /// What was asked for.
        language: Language,
    },
    /// There are no sources in this language.
    #[error("there is no runtime of {language}; there is one of {}", Language::RUNTIMES.map(|language| language.to_string()).join(" and "))]
    NoRuntime {
        /// What was asked for.
        language: Language,
    },
    /// The runtime of this language runs sources that nothing is made of.
    #[error(
        "the runtime of {language} runs sources as they are written: name the file itself as `source` in node.toml"
    )]
    AsWritten {
        /// The language.
        language: Language,
    },
    /// A manifest doesn't say what it should.
    #[error("{}: {reason}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A project can't have this name.
    #[error("a project can't be called `{name}`: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it, and which names are good.
        reason: String,
    },
    /// A project can't be made where something is already.
    #[error("{} is there already and isn't empty; choose another name, or empty it", .0.display())]
    Exists(PathBuf),
    /// A file can't be read or written.
    #[error("cannot {doing} {}: {source}{}", path.display(), if is_full(source) { "; free some space and try again" } else { "" })]
    File {
        /// As in "cannot read".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program isn't there.
    #[error("`{program}` is needed {purpose}, and isn't there: {remedy}")]
    NoProgram {
        /// The program.
        program: String,
        /// As in "needed to compile".
        purpose: &'static str,
        /// What to install.
        remedy: &'static str,
    },
    /// A program failed at something that isn't about the project's own source.
    #[error("cannot {doing}: `{command}` failed ({status}){}\n{output}", hint.map(|hint| format!("\n{hint}")).unwrap_or_default())]
    Failed {
        /// As in "cannot install".
        doing: String,
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// What that means, and what to do, if it is known.
        hint: Option<&'static str>,
        /// The end of what it said.
        output: String,
    },
    /// The project doesn't compile, or its tests fail.
    #[error("{what}: `{command}` ended with {status}")]
    Source {
        /// What that says of the project.
        what: String,
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// All that it said; empty if it was shown already. The text of this error doesn't have it.
        output: String,
    },
    /// A message of an actor can't be declared in a language.
    #[error("the message `{tag}` can't be declared in {language}, for its name or for its number of arguments")]
    Undeclarable {
        /// The tag.
        tag: String,
        /// The language.
        language: Language,
    },
    /// A project has no tests.
    #[error("there are no tests in {}: no file that ends with .{extensions}", folder.display())]
    NoTests {
        /// The folder with the tests.
        folder: PathBuf,
        /// How their names end.
        extensions: String,
    },
    /// A program is too old.
    #[error("`{program}` is {found}, and {needed} or later is needed: {remedy}")]
    OldProgram {
        /// The program.
        program: &'static str,
        /// Its version.
        found: String,
        /// The oldest version that is good.
        needed: &'static str,
        /// What to install.
        remedy: &'static str,
    },
    /// The language's SDK is not part of this program.
    #[error("this program has no SDK for {0}")]
    NoSdk(Language),
    /// What the compiler made can't become a component.
    #[error("{} does not become a component: {reason}", module.display())]
    Component {
        /// The core module.
        module: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ProjectError {
    /// Whether the user has to write something else: another name, folder or manifest.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoFolder(_)
                | Self::NoManifest { .. }
                | Self::SeveralManifests { .. }
                | Self::OtherLanguage { .. }
                | Self::NoRuntime { .. }
                | Self::AsWritten { .. }
                | Self::Manifest { .. }
                | Self::Name { .. }
                | Self::Exists(_)
        )
    }

    /// For `map_err`: a file can't be read, written, and so on.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}

fn manifests() -> String {
    let mut names: Vec<&str> = Language::ALL.into_iter().map(Language::manifest).collect();
    names.dedup();
    names.join(", ")
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
