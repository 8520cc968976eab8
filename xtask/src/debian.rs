//! Packages of Debian with what they need, unpacked into a folder and not installed, which takes no rights.
//!
//! apt checks each package against the signed index of its archive. What is there is not got again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::Run;
use crate::report;

/// Written last: a folder without it was not finished.
const MARKER: &str = "installed";

/// Some packages.
pub(crate) struct Packages<'a> {
    /// What they are, in words.
    pub(crate) what: &'a str,
    /// Their names.
    pub(crate) names: &'a [&'a str],
    /// What has to be there in the end, from the root.
    pub(crate) program: &'a str,
}

impl Packages<'_> {
    /// True if they are unpacked in this folder.
    pub(crate) fn are_unpacked(&self, place: &Path) -> bool {
        place.join(MARKER).is_file()
    }

    /// Unpacks what this machine lacks of them into a folder, and gives the root that they are below.
    ///
    /// # Errors
    /// They can't be got, or lack the program.
    pub(crate) fn unpack(&self, place: &Path) -> Result<PathBuf> {
        let root = place.join("root");
        if self.are_unpacked(place) {
            return Ok(root);
        }
        report::note(&format!("get {}", self.what));
        if place.exists() {
            fs::remove_dir_all(place).with_context(|| format!("cannot remove {}", place.display()))?;
        }
        let packages = place.join("packages");
        for folder in [
            &root,
            &packages,
            &place.join("lists/partial"),
            &place.join("cache/archives/partial"),
        ] {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        apt(place).args(["update", "--quiet"]).capture()?;
        let missing = self.missing(place)?;
        apt(place)
            .args(["download", "--quiet"])
            .args(&missing)
            .within(&packages)
            .capture()?;
        for entry in fs::read_dir(&packages).context("cannot list the packages")? {
            let package = entry.context("cannot list the packages")?.path();
            Run::new("dpkg-deb")
                .args(["--extract".as_ref(), package.as_os_str(), root.as_os_str()])
                .capture()?;
        }
        if !root.join(self.program).exists() {
            bail!("the packages have no {}: {}", self.program, missing.join(" "));
        }
        for folder in ["packages", "lists", "cache"] {
            fs::remove_dir_all(place.join(folder)).with_context(|| format!("cannot remove {folder}"))?;
        }
        fs::write(place.join(MARKER), missing.join("\n")).context("cannot write what was unpacked")?;
        Ok(root)
    }

    /// The packages that this machine lacks, each with its version.
    fn missing(&self, place: &Path) -> Result<Vec<String>> {
        let simulated = apt(place)
            .args(["install", "--simulate", "--no-install-recommends"])
            .args(self.names)
            .capture()?;
        Ok(simulated.lines().filter_map(wanted).collect())
    }
}

/// apt with an index of its own, which takes no rights.
fn apt(place: &Path) -> Run {
    Run::new("apt-get").env("LC_ALL", "C").args([
        "-o".to_owned(),
        format!("Dir::State::Lists={}", place.join("lists").display()),
        "-o".to_owned(),
        format!("Dir::Cache={}", place.join("cache").display()),
        "-o".to_owned(),
        "APT::Sandbox::User=root".to_owned(),
    ])
}

/// What a line of a simulation would install, as `NAME=VERSION`.
fn wanted(line: &str) -> Option<String> {
    let rest = line.strip_prefix("Inst ")?;
    let (name, rest) = rest.split_once(' ')?;
    let (_, versioned) = rest.split_once('(')?;
    let version = versioned.split(' ').next()?;
    Some(format!("{name}={version}"))
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn a_simulation_says_what_is_missing() {
        for (line, expected) in [
            (
                "Inst libogg0 (1.3.5-3 Debian:12/oldstable [amd64])",
                Some("libogg0=1.3.5-3"),
            ),
            (
                "Inst chromium [1.0] (148.0-1 Debian-Security:12 [amd64]) []",
                Some("chromium=148.0-1"),
            ),
            ("Conf libogg0 (1.3.5-3 Debian:12/oldstable [amd64])", None),
            ("Reading package lists...", None),
        ] {
            assert_eq!(wanted(line).as_deref(), expected, "{line}");
        }
    }
}
