//! The browser that the dashboard is tested in: Debian's Chromium with what it needs, unpacked under `target/tools` and not installed, and
//! axe-core, which finds what keeps people out.
//!
//! apt checks each package against the signed index of its archive. Chromium changes with every fix of its security, and older
//! versions go from the archive, so the version is that of the index and not one that is pinned here. What is there is not got again.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ractor_host_project::parts::{Pins, Toolset};

use crate::debian::Packages;
use crate::languages;
use crate::report;
use crate::workspace::Workspace;

/// Where the tests find the root that Chromium is below.
pub(crate) const BROWSER_VARIABLE: &str = "RACTOR_TEST_BROWSER";
/// Where they find the script of axe-core.
pub(crate) const AXE_VARIABLE: &str = "RACTOR_TEST_AXE";

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];
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
    languages::if_got("the dashboard in a browser", get(&folder).map(Some))
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
    let is_installed = ["chromium", "chromedriver"]
        .iter()
        .all(|program| Path::new("/usr/bin").join(program).is_file());
    let packages = Packages {
        what: "Chromium and its driver from Debian (120 MB)",
        names: &PACKAGES,
        program: PROGRAM,
    };
    if is_installed && !packages.are_unpacked(place) {
        return Ok(PathBuf::from("/"));
    }
    packages.unpack(place)
}
