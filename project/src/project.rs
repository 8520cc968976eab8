//! A folder with a project: its language, its name, and where its things are.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::ProjectError;
use crate::language::Language;

/// The folder for everything that can be deleted at any time.
pub(crate) const CACHE: &str = ".ractor-host";

/// The folder for the component.
pub(crate) const BUILD: &str = "build";

/// A project of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    folder: PathBuf,
    language: Language,
    name: String,
    kind: Kind,
}

/// What the component of a project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An actor.
    Actor,
    /// What runs the sources that node.toml names.
    Runtime,
}

impl Project {
    /// The project in a folder. Its language is found by its manifest, unless it is given.
    ///
    /// # Errors
    /// There is no manifest, there are several, or the one there is has no name.
    pub fn open(folder: &Path, language: Option<Language>) -> Result<Self, ProjectError> {
        let folder = absolute(folder)?;
        let language = match language {
            Some(language) if folder.join(language.manifest()).is_file() => language,
            Some(language) => return Err(ProjectError::OtherLanguage { folder, language }),
            None => language_of(&folder)?,
        };
        let name = name_of(&folder, language)?;
        Ok(Self {
            folder,
            language,
            name,
            kind: Kind::Actor,
        })
    }

    /// The runtime of a language, in a folder that needs no manifest: a component that runs sources.
    ///
    /// # Errors
    /// There is no such folder, or no runtime of the language.
    pub fn runtime(folder: &Path, language: Language) -> Result<Self, ProjectError> {
        if !Language::RUNTIMES.contains(&language) {
            return Err(ProjectError::NoRuntime { language });
        }
        Ok(Self {
            folder: absolute(folder)?,
            language,
            name: format!("{}-runtime", language.name()),
            kind: Kind::Runtime,
        })
    }

    /// Its folder, as an absolute path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// What its component is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name, as its manifest has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that `build` writes.
    pub fn component(&self) -> PathBuf {
        self.folder.join(BUILD).join(format!("{}.wasm", self.name))
    }

    /// Its manifest, which is TOML.
    pub(crate) fn read_toml<T: for<'de> Deserialize<'de>>(&self) -> Result<T, ProjectError> {
        self.read(from_toml)
    }

    /// Its manifest, which is JSON.
    pub(crate) fn read_json<T: for<'de> Deserialize<'de>>(&self) -> Result<T, ProjectError> {
        self.read(|text| serde_json::from_str(text).map_err(|error| error.to_string()))
    }

    fn read<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, ProjectError> {
        let file = self.manifest();
        let text = fs::read_to_string(&file).map_err(ProjectError::file("read", &file))?;
        parse(&text).map_err(|reason| ProjectError::Manifest { file, reason })
    }

    /// Its manifest.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join(self.language.manifest())
    }

    /// The folder for everything that can be deleted at any time.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join(CACHE)
    }
}

/// A folder that exists, by its absolute path.
fn absolute(folder: &Path) -> Result<PathBuf, ProjectError> {
    // An empty path is the current folder to nobody but the user.
    let folder = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    if !folder.is_dir() {
        return Err(ProjectError::NoFolder(folder.to_owned()));
    }
    fs::canonicalize(folder).map_err(ProjectError::file("open", folder))
}

fn language_of(folder: &Path) -> Result<Language, ProjectError> {
    // JavaScript and TypeScript have one manifest.
    let candidates = Language::ALL
        .into_iter()
        .filter(|language| *language != Language::TypeScript);
    let found: Vec<Language> = candidates
        .filter(|language| folder.join(language.manifest()).is_file())
        .collect();
    match found.as_slice() {
        [] => Err(ProjectError::NoManifest {
            folder: folder.to_owned(),
        }),
        [Language::JavaScript] if folder.join("tsconfig.json").is_file() => Ok(Language::TypeScript),
        [language] => Ok(*language),
        several => Err(ProjectError::SeveralManifests {
            folder: folder.to_owned(),
            found: several.iter().map(|language| language.manifest()).collect(),
        }),
    }
}

/// A manifest of cargo.
#[derive(Deserialize)]
struct CargoManifest {
    package: Named,
}

/// A manifest of Python.
#[derive(Deserialize)]
struct PythonManifest {
    project: Named,
}

/// A manifest of npm, or a table of another one.
#[derive(Deserialize)]
struct Named {
    name: String,
}

fn name_of(folder: &Path, language: Language) -> Result<String, ProjectError> {
    let file = folder.join(language.manifest());
    let text = fs::read_to_string(&file).map_err(ProjectError::file("read", &file))?;
    let name = match language {
        Language::Rust => from_toml::<CargoManifest>(&text).map(|manifest| manifest.package.name),
        Language::Python => from_toml::<PythonManifest>(&text).map(|manifest| manifest.project.name),
        Language::C => from_toml::<Named>(&text).map(|manifest| manifest.name),
        Language::JavaScript | Language::TypeScript => serde_json::from_str::<Named>(&text)
            .map(|manifest| manifest.name)
            .map_err(|error| error.to_string()),
        Language::Go => go_module(&text).ok_or_else(|| "it names no module; expected a line `module NAME`".to_owned()),
    };
    let name = name.and_then(|name| {
        // Of `@scope/name` and `example.com/name`.
        let last = name.rsplit('/').next().unwrap_or_default().to_owned();
        let is_file_name = !last.is_empty() && !last.starts_with('.') && !last.contains(['\\', '\0']);
        is_file_name
            .then_some(last)
            .ok_or_else(|| format!("`{name}` can't be the name of a file"))
    });
    name.map_err(|reason| ProjectError::Manifest { file, reason })
}

fn from_toml<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
}

fn go_module(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    Some(
        name.split("//")
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches('"')
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_manifest_tells_the_language_and_the_name() {
        for (files, language, name) in [
            (
                &[("Cargo.toml", "[package]\nname = \"a-b\"\n")][..],
                Language::Rust,
                "a-b",
            ),
            (
                &[("pyproject.toml", "[project]\nname = \"counter\"\n")],
                Language::Python,
                "counter",
            ),
            (
                &[("package.json", "{\"name\": \"@shop/cart\"}")],
                Language::JavaScript,
                "cart",
            ),
            (
                &[("package.json", "{\"name\": \"cart\"}"), ("tsconfig.json", "{}")],
                Language::TypeScript,
                "cart",
            ),
            (&[("guest.toml", "name = \"c1\"\n")], Language::C, "c1"),
            (
                &[("go.mod", "module example.com/shop // here\n\ngo 1.27\n")],
                Language::Go,
                "shop",
            ),
        ] {
            let folder = folder(files);
            let project = Project::open(folder.path(), None).unwrap();
            assert_eq!((project.language(), project.name()), (language, name));
            assert!(project.component().ends_with(format!("build/{name}.wasm")));
        }
    }

    #[test]
    fn a_runtime_needs_no_manifest_and_is_there_for_some_languages() {
        let folder = folder(&[]);
        let runtime = Project::runtime(folder.path(), Language::Python).unwrap();
        assert!(runtime.component().ends_with("build/python-runtime.wasm"));
        let error = Project::runtime(folder.path(), Language::C).unwrap_err();
        assert!(error.is_usage());
        assert_eq!(
            error.to_string(),
            "there is no runtime of C; there is one of Python and JavaScript"
        );
    }

    #[test]
    fn a_folder_without_one_clear_language_says_what_to_do() {
        let check = |files: &[(&str, &str)], language, expected: &str| {
            let error = Project::open(folder(files).path(), language).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains(expected), "{error}");
        };
        let cargo = ("Cargo.toml", "[package]\nname = \"a\"\n");
        check(
            &[],
            None,
            "none of Cargo.toml, pyproject.toml, package.json, guest.toml, go.mod; `ractor-host new --lang rust|",
        );
        check(
            &[cargo, ("package.json", "{}")],
            None,
            "has Cargo.toml and package.json: say with --lang",
        );
        check(
            &[cargo],
            Some(Language::Python),
            "is no project in Python: it has no pyproject.toml",
        );
        check(&[("Cargo.toml", "[workspace]\n")], None, "missing field `package`");
        check(&[("package.json", "{\"name\": 5}")], None, "invalid type");
        check(
            &[("package.json", "{\"name\": \"a/..\"}")],
            None,
            "can't be the name of a file",
        );
        check(&[("go.mod", "go 1.27\n")], None, "it names no module");
        let both = folder(&[cargo, ("package.json", "{\"name\": \"b\"}")]);
        assert_eq!(
            Project::open(both.path(), Some(Language::JavaScript)).unwrap().name(),
            "b"
        );
    }
}
