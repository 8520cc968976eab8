//! The example in a folder of its own, so that what is built and edited there leaves the repository as it is.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::EDGE;
use crate::process::Run;
use crate::programs::HOST;

/// The variable with the folder of what `ractor-host build` installs.
const TOOLS: &str = "RACTOR_HOST_CACHE";
/// What a build by hand leaves in a project.
const LEFT_BEHIND: [&str; 8] = [
    ".mypy_cache",
    ".pytest_cache",
    ".ractor-host",
    "__pycache__",
    "build",
    "cookie",
    "node_modules",
    "target",
];

/// A copy of the example, and all that makes something of it.
pub(super) struct Checkout {
    example: PathBuf,
    folder: PathBuf,
    programs: PathBuf,
}

impl Checkout {
    /// Brings the copy up to date: its guests are built again only if their sources have changed.
    pub(super) fn new(example: &Path, folder: &Path, programs: &Path) -> Result<Self> {
        let this = Self {
            example: example.to_owned(),
            folder: folder.to_owned(),
            programs: programs.to_owned(),
        };
        fs::create_dir_all(this.projects()).with_context(|| format!("cannot create {}", this.projects().display()))?;
        update(example, &this.projects())?;
        Ok(this)
    }

    /// The example in the repository.
    pub(super) fn example(&self) -> &Path {
        &self.example
    }

    /// The copy.
    pub(super) fn projects(&self) -> PathBuf {
        self.folder.join("projects")
    }

    /// A folder for what both nodes compile, kept from one run to the next.
    pub(super) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// The key that marks what is compiled as made here. It must not be in the folder of that.
    pub(super) fn cache_key(&self) -> PathBuf {
        self.folder.join("cache.key")
    }

    /// The program of the node at the edge.
    pub(super) fn edge(&self) -> PathBuf {
        self.programs.join(EDGE)
    }

    /// `ractor-host`.
    pub(super) fn host(&self) -> PathBuf {
        self.programs.join(HOST)
    }

    /// What `ractor-host build` is told by its environment: tools are installed, and dependencies compiled, once for all runs.
    pub(super) fn variables(&self) -> [(&'static str, PathBuf); 2] {
        let tools = env::var_os(TOOLS).filter(|folder| !folder.is_empty());
        [
            (TOOLS, tools.map_or_else(|| self.folder.join("tools"), PathBuf::from)),
            ("CARGO_TARGET_DIR", self.folder.join("cargo")),
        ]
    }

    /// Builds a guest, and shows how that goes.
    pub(super) fn build(&self, project: &str) -> Result<()> {
        let mut run = Run::new(self.host()).args(["build", project]).within(&self.projects());
        for (name, value) in self.variables() {
            run = run.env(name, value);
        }
        run.limit_minutes(30).show()
    }

    /// A new copy of the copy, as it was built. The one of the last run is gone.
    pub(super) fn fresh_copy(&self) -> Result<PathBuf> {
        let run = self.folder.join("run");
        if run.exists() {
            fs::remove_dir_all(&run).with_context(|| format!("cannot clear {}", run.display()))?;
        }
        copy(&self.projects(), &run)?;
        Ok(run)
    }
}

/// Makes the files of a folder those of the example. What is as it should be isn't touched, for cargo goes by times.
fn update(from: &Path, to: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_BEHIND.iter().any(|left| name == *left) {
            continue;
        }
        let (source, copy) = (entry.path(), to.join(&name));
        if source.is_dir() {
            fs::create_dir_all(&copy).with_context(|| format!("cannot create {}", copy.display()))?;
            update(&source, &copy)?;
        } else {
            let content = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
            if fs::read(&copy).ok().as_ref() != Some(&content) {
                fs::write(&copy, content).with_context(|| format!("cannot write {}", copy.display()))?;
            }
        }
        names.push(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_gone = !names.contains(&name) && !LEFT_BEHIND.iter().any(|left| name == *left);
        if is_gone && entry.path().is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if is_gone {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Copies a folder with all that is in it; links stay links.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &place)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &place)
                .with_context(|| format!("cannot make the link {}", place.display()))?;
        } else {
            fs::copy(&source, &place).with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_the_example_and_keeps_what_was_built() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for place in ["from/src", "from/build", "to/src", "to/build"] {
            fs::create_dir_all(folder.path().join(place))?;
        }
        fs::write(from.join("src/a"), "new")?;
        fs::write(from.join("build/by-hand"), "")?;
        fs::write(to.join("src/a"), "old")?;
        fs::write(to.join("src/gone"), "")?;
        fs::write(to.join("build/made"), "")?;
        update(&from, &to)?;
        assert_eq!(fs::read_to_string(to.join("src/a"))?, "new");
        assert!(!to.join("src/gone").exists() && !to.join("build/by-hand").exists());
        assert!(to.join("build/made").exists());
        let untouched = fs::metadata(to.join("src/a"))?.modified()?;
        update(&from, &to)?;
        assert_eq!(fs::metadata(to.join("src/a"))?.modified()?, untouched);
        Ok(())
    }
}
