//! Tools of exactly the versions that a guest's folder pins, each guest's in a folder of its own.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::digest::Digest;
use super::remove;
use crate::process::Run;
use crate::report;

/// Written last: a folder without it was not finished. Holds the digest of what was asked for.
const MARKER: &str = "installed";

/// Where a guest's tools come from, and where they go.
pub(super) struct Tools<'a> {
    guest: Cow<'a, Path>,
    place: PathBuf,
}

impl<'a> Tools<'a> {
    pub(super) fn new(guest: &'a Path, place: PathBuf) -> Self {
        Self {
            guest: Cow::Borrowed(guest),
            place,
        }
    }

    /// The tools of another guest, which it shares.
    pub(super) fn of(&self, guest: &str) -> Tools<'static> {
        Tools {
            guest: Cow::Owned(self.guest.with_file_name(guest)),
            place: self.place.with_file_name(guest),
        }
    }

    /// A Python environment with what the guest's requirements.txt asks for. Gives its folder.
    pub(super) fn pypi(&self) -> Result<PathBuf> {
        let requirements = self.guest.join("requirements.txt");
        self.install("python3", "venv/bin/python", &["requirements.txt"], |place| {
            Run::new("python3")
                .args(["-m", "venv", "--clear", "venv"])
                .within(place)
                .capture()
                .context(
                    "python3 makes no virtual environment; Debian and Ubuntu have that in the package python3-venv",
                )?;
            Run::new(place.join("venv/bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args([
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--require-hashes",
                    "--requirement",
                ])
                .args([&requirements])
                .capture()
                .with_context(|| format!("pip cannot install what {} asks for", requirements.display()))?;
            Ok(())
        })?;
        Ok(self.place.join("venv/bin"))
    }

    /// The programs of the packages that the guest's package-lock.json names. Gives their folder.
    pub(super) fn npm(&self) -> Result<PathBuf> {
        let lists = ["package.json", "package-lock.json"];
        self.install("npm", "node_modules/.bin", &lists, |place| {
            for list in lists {
                fs::copy(self.guest.join(list), place.join(list)).with_context(|| format!("cannot copy {list}"))?;
            }
            Run::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .within(place)
                .capture()
                .with_context(|| format!("npm cannot install what {} asks for", self.guest.display()))?;
            Ok(())
        })?;
        Ok(self.place.join("node_modules/.bin"))
    }

    /// Runs `how` in an empty folder, unless it ran to its end before, with the same `lists` of versions, and `proof` is
    /// still there: a link to a program that was removed is not.
    fn install(&self, program: &str, proof: &str, lists: &[&str], how: impl Fn(&Path) -> Result<()>) -> Result<()> {
        let mut digest = Digest::of(program);
        for list in lists {
            digest.add_file(&self.guest.join(list))?;
        }
        let digest = digest.finish();
        let marker = self.place.join(MARKER);
        let installed = fs::read_to_string(&marker).is_ok_and(|installed| installed == digest);
        if installed && self.place.join(proof).exists() {
            return Ok(());
        }
        Run::new(program)
            .args(["--version"])
            .capture()
            .with_context(|| format!("{program} is needed; install it, and this gets everything else by itself"))?;
        report::note(&format!("install its tools in {}", self.place.display()));
        remove(&marker)?;
        if self.place.exists() {
            fs::remove_dir_all(&self.place).with_context(|| format!("cannot replace {}", self.place.display()))?;
        }
        fs::create_dir_all(&self.place).with_context(|| format!("cannot create {}", self.place.display()))?;
        how(&self.place)?;
        fs::write(&marker, digest).with_context(|| format!("cannot write {}", marker.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::bail;

    use super::*;

    #[test]
    fn what_was_installed_whole_is_not_installed_again() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (guest, place) = (folder.path().join("guest"), folder.path().join("tools"));
        fs::create_dir(&guest)?;
        fs::write(guest.join("list"), "one 1.0")?;
        let tools = Tools::new(&guest, place.clone());
        let times = Cell::new(0);
        let install = |fails: bool| {
            tools.install("true", "proof", &["list"], |place| {
                times.set(times.get() + 1);
                assert!(!place.join("proof").exists(), "it begins with an empty folder");
                fs::write(place.join("proof"), "")?;
                if fails {
                    bail!("interrupted");
                }
                Ok(())
            })
        };
        let installed = |fails, expected| {
            assert_eq!(install(fails).is_err(), fails);
            assert_eq!(times.get(), expected);
        };
        installed(true, 1);
        installed(false, 2);
        installed(false, 2);
        fs::remove_file(place.join("proof"))?;
        installed(false, 3);
        fs::write(guest.join("list"), "one 1.1")?;
        installed(false, 4);
        installed(false, 4);
        Ok(())
    }

    #[test]
    fn a_missing_program_is_said_to_be_missing() {
        let tools = Tools::new(Path::new("."), PathBuf::from("no-folder"));
        let error = tools
            .install("no-such-program-here", "proof", &[], |_| Ok(()))
            .expect_err("it can't be started");
        let error = format!("{error:#}");
        assert!(error.contains("no-such-program-here is needed"), "{error}");
    }
}
