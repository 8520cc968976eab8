//! The guests in other languages than Rust: their tools are installed under `target/tools`, as those of projects are, and each becomes a
//! component beside those in Rust.
//!
//! What is there is not made again: tools while their pinned versions are the same, a component while everything that it is
//! made from is. Neither asks the network for anything then. The projects of the tests find their tools in the same folder.

mod c;
mod c_sdk;
mod digest;
mod go;
mod javascript;
mod python;

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ractor_host_project::parts::{Pins, Toolset};
use tempfile::TempDir;

use self::digest::Digest;
use crate::programs;
use crate::report;
use crate::workspace::Workspace;

/// A guest in a folder under `tests/guests`.
struct Guest {
    /// Its folder, and with `_` for `-` its component.
    name: &'static str,
    /// The source of the functions below: a component that was built in another way is another one.
    recipe: &'static str,
    /// What it is made from beside its folder and the WIT: files and folders of the repository.
    inputs: &'static [&'static str],
    /// Gets the tools, in a folder of tools, and gives theirs. That may fail for want of a network or a program.
    install: fn(&Workspace, &Path) -> Result<PathBuf>,
    /// Makes the component with what was installed.
    compile: fn(&Build<'_>) -> Result<()>,
}

const GUESTS: [Guest; 11] = [
    c::COUNTER,
    c::KITCHEN,
    c::CPP_COUNTER,
    c::ZIG_COUNTER,
    go::COUNTER,
    go::KITCHEN,
    javascript::COUNTER,
    javascript::KITCHEN,
    python::COUNTER,
    python::KITCHEN,
    python::RAW,
];

/// What a guest is compiled from, and where to.
struct Build<'a> {
    workspace: &'a Workspace,
    /// Where the tools are.
    tools: &'a Path,
    /// The WIT files.
    wit: PathBuf,
    /// A copy of the guest's folder, in which whatever else is made may be left.
    sources: &'a Path,
    /// The file to write.
    component: PathBuf,
}

/// Builds every guest in another language whose tools are there or can be installed.
///
/// # Errors
/// A guest doesn't compile. In continuous integration also: its tools are missing.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let (folder, _lock) = tools_folder(workspace)?;
    GUESTS
        .iter()
        .try_for_each(|guest| guest.bring_up_to_date(workspace, &folder))
}

/// Runs the tests of the SDKs whose tools are there or can be installed, each with its language's own runner.
///
/// # Errors
/// A test fails. In continuous integration also: tools are missing.
pub(crate) fn test_sdks(workspace: &Workspace) -> Result<()> {
    let (folder, _lock) = tools_folder(workspace)?;
    c_sdk::test(workspace, &folder)?;
    go::test(workspace, &folder)?;
    javascript::test(workspace, &folder)?;
    python::test(workspace, &folder)
}

/// The folder with all tools, for this process alone: two at once would make the same components.
pub(crate) fn tools_folder(workspace: &Workspace) -> Result<(PathBuf, File)> {
    let folder = workspace.target().join("tools");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let lock = File::create(folder.join("lock")).context("cannot create a lock for the tools")?;
    lock.lock().context("cannot lock the tools")?;
    Ok((folder, lock))
}

/// The folder of these tools within the one with all tools. They are installed if they aren't there.
fn install(tools: &Toolset<'_>, folder: &Path) -> Result<PathBuf> {
    Ok(tools.install_in(folder, &|step| report::note(step))?)
}

/// What the requirements.txt of an SDK pins, as [`install`].
fn install_pypi(workspace: &Workspace, sdk: &str, name: &str, folder: &Path) -> Result<PathBuf> {
    let requirements = read(workspace, &format!("{sdk}/requirements.txt"))?;
    let what = format!("what {sdk} is tested with, from PyPI");
    let pins = Pins::PyPi(&requirements);
    install(
        &Toolset {
            name,
            what: &what,
            pins,
        },
        folder,
    )
}

/// What the package-lock.json of an SDK pins, as [`install`].
fn install_npm(workspace: &Workspace, sdk: &str, name: &str, folder: &Path) -> Result<PathBuf> {
    let package = read(workspace, &format!("{sdk}/package.json"))?;
    let lock = read(workspace, &format!("{sdk}/package-lock.json"))?;
    let what = format!("what {sdk} is tested with, from npm");
    let pins = Pins::Npm {
        package: &package,
        lock: &lock,
    };
    install(
        &Toolset {
            name,
            what: &what,
            pins,
        },
        folder,
    )
}

fn read(workspace: &Workspace, file: &str) -> Result<String> {
    let path = workspace.root().join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// What was got, or nothing where it can't be, which is said.
///
/// # Errors
/// As [`without_tools`].
pub(crate) fn if_got<T: Default>(what: &str, got: Result<T>) -> Result<T> {
    got.or_else(|error| without_tools(what, error).map(|()| T::default()))
}

/// Says that something can't be built or tested, for this reason.
///
/// # Errors
/// In continuous integration, where nothing may be left out.
fn without_tools(what: &str, error: anyhow::Error) -> Result<()> {
    if is_continuous_integration(env::var_os("CI").as_deref()) {
        return Err(error.context(format!("no tools for {what}")));
    }
    report::note(&format!("NOT BUILT, AND NOT TESTED: {what}: {error:#}"));
    Ok(())
}

impl Guest {
    fn bring_up_to_date(&self, workspace: &Workspace, tools: &Path) -> Result<()> {
        let file = self.name.replace('-', "_");
        let component = workspace.guests().join(&file).with_extension("wasm");
        let made_from = component.with_extension("made-from");
        let digest = self.digest(workspace)?;
        if component.is_file() && fs::read_to_string(&made_from).is_ok_and(|made| made == digest) {
            return Ok(());
        }
        // Without its tools there is no component, rather than one of older sources.
        remove(&made_from)?;
        remove(&component)?;

        report::step(&format!("compile the guest {}", self.name));
        let sources = self.folder(workspace);
        let tools = match (self.install)(workspace, tools) {
            Ok(tools) => tools,
            Err(error) => return without_tools(&format!("the guest {}", self.name), error),
        };
        let scratch = self.scratch(&sources, workspace)?;
        let build = Build {
            workspace,
            tools: &tools,
            wit: workspace.root().join("wit"),
            sources: scratch.path(),
            component: scratch.path().join("made.wasm"),
        };
        (self.compile)(&build).with_context(|| format!("{} does not compile", sources.display()))?;
        programs::replace(&build.component, &component)?;
        fs::write(&made_from, digest).with_context(|| format!("cannot write {}", made_from.display()))
    }

    /// Of all that the component is made from.
    fn digest(&self, workspace: &Workspace) -> Result<String> {
        let mut digest = Digest::of(self.recipe);
        digest.add_folder(&self.folder(workspace))?;
        digest.add_folder(&workspace.root().join("wit"))?;
        for input in self.inputs {
            digest.add_all(&workspace.root().join(input))?;
        }
        Ok(digest.finish())
    }

    fn folder(&self, workspace: &Workspace) -> PathBuf {
        workspace.root().join("tests/guests").join(self.name)
    }

    /// A copy of the sources: compilers leave things beside them.
    fn scratch(&self, sources: &Path, workspace: &Workspace) -> Result<TempDir> {
        let scratch = tempfile::Builder::new()
            .prefix(&format!("{}-", self.name))
            .tempdir_in(workspace.target())
            .with_context(|| format!("cannot write in {}", workspace.target().display()))?;
        for file in digest::files(sources)? {
            let copy = scratch.path().join(file.file_name().unwrap_or_default());
            fs::copy(&file, copy).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        Ok(scratch)
    }
}

/// Whether nothing may be left out: the variable `CI` is set to anything.
fn is_continuous_integration(variable: Option<&OsStr>) -> bool {
    variable.is_some_and(|value| !value.is_empty())
}

/// Removes what may be missing.
fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuous_integration_is_a_variable_that_is_set() {
        for (variable, expected) in [
            (None, false),
            (Some(""), false),
            (Some("true"), true),
            (Some("1"), true),
        ] {
            assert_eq!(
                is_continuous_integration(variable.map(OsStr::new)),
                expected,
                "{variable:?}"
            );
        }
    }
}
