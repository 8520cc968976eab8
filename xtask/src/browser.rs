//! The browser that the dashboard is tested in: Debian's Chromium with what it needs, unpacked under `target/tools` and not installed, and
//! axe-core, which finds what keeps people out.
//!
//! apt checks each package against the signed index of its archive. Chromium changes with every fix of its security, and older
//! versions go from the archive, so the version is that of the index and not one that is pinned here. What is there is not got again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ractor_host_project::parts::{Pins, Toolset};

use crate::languages;
use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// Where the tests find the root that Chromium is below.
pub(crate) const BROWSER_VARIABLE: &str = "RACTOR_TEST_BROWSER";
/// Where they find the script of axe-core.
pub(crate) const AXE_VARIABLE: &str = "RACTOR_TEST_AXE";

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];
/// Written last: a folder without it was not finished.
const MARKER: &str = "installed";
/// The program that has to be there in the end.
const PROGRAM: &str = "usr/lib/chromium/chromium";

const AXE: Toolset<'_> = Toolset {
    name: "axe",
    what: "axe-core 4.14.1 from npm (3 MB)",
    pins: Pins::Npm {
        package: include_str!("../pins/package.json"),
        lock: include_str!("../pins/package-lock.json"),
    },
};

/// What the tests of the dashboard need.
pub(crate) struct Browser {
    /// The folder that stands for the root of a Debian.
    pub(crate) root: PathBuf,
    /// The script.
    pub(crate) axe: PathBuf,
}

/// Gets what isn't there, and says how tests that are run one by one find it.
///
/// # Errors
/// It can't be got.
pub(crate) fn set_up(workspace: &Workspace) -> Result<()> {
    let (folder, _lock) = languages::tools_folder(workspace)?;
    let Browser { root, axe } = get(&folder)?;
    report::note(&format!("{BROWSER_VARIABLE}={}", root.display()));
    report::note(&format!("{AXE_VARIABLE}={}", axe.display()));
    Ok(())
}

/// Gets what isn't there. None if it can't be got, which is said.
///
/// # Errors
/// It can't be got, in continuous integration.
pub(crate) fn install(workspace: &Workspace) -> Result<Option<Browser>> {
    let (folder, _lock) = languages::tools_folder(workspace)?;
    match get(&folder) {
        Ok(browser) => Ok(Some(browser)),
        Err(error) => {
            languages::without_tools("the dashboard in a browser", error)?;
            Ok(None)
        }
    }
}

fn get(folder: &Path) -> Result<Browser> {
    let axe = AXE.install_in(folder, &|step| report::note(step))?;
    Ok(Browser {
        root: chromium(&folder.join("chromium"))?,
        axe: axe.join("node_modules/axe-core/axe.min.js"),
    })
}

/// The root that Chromium is below: the system's own if it is installed there.
fn chromium(place: &Path) -> Result<PathBuf> {
    let root = place.join("root");
    if place.join(MARKER).is_file() {
        return Ok(root);
    }
    if ["chromium", "chromedriver"]
        .iter()
        .all(|program| Path::new("/usr/bin").join(program).is_file())
    {
        return Ok(PathBuf::from("/"));
    }
    report::note("get Chromium and its driver from Debian (120 MB)");
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
    let missing = missing(place)?;
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
    if !root.join(PROGRAM).is_file() {
        bail!("the packages have no {PROGRAM}: {}", missing.join(" "));
    }
    for folder in ["packages", "lists", "cache"] {
        fs::remove_dir_all(place.join(folder)).with_context(|| format!("cannot remove {folder}"))?;
    }
    fs::write(place.join(MARKER), missing.join("\n")).context("cannot write what was unpacked")?;
    Ok(root)
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

/// The packages that this machine lacks, each with its version.
fn missing(place: &Path) -> Result<Vec<String>> {
    let simulated = apt(place)
        .args(["install", "--simulate", "--no-install-recommends"])
        .args(PACKAGES)
        .capture()?;
    Ok(simulated.lines().filter_map(wanted).collect())
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
