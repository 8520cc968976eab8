//! The libfaketime that clocks of nodes are set with: the machine's own, or Debian's, unpacked under `target/tools` and not installed.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::debian::Packages;
use crate::languages;
use crate::workspace::Workspace;

/// Where the tests find the library, if not where they look by themselves.
pub(crate) const FAKETIME_VARIABLE: &str = "RACTOR_TEST_FAKETIME";

/// The library, from the root, with the name of the machine in between.
fn library() -> String {
    format!(
        "usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1",
        std::env::consts::ARCH
    )
}

/// The library, if it had to be got. None if the tests find that of the machine by themselves, or if it can't be got, which is said.
///
/// # Errors
/// It can't be got, in continuous integration.
pub(crate) fn install(workspace: &Workspace) -> Result<Option<PathBuf>> {
    languages::if_got("nodes whose clocks differ", get(workspace))
}

fn get(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let library = library();
    if Path::new("/").join(&library).is_file() {
        return Ok(None);
    }
    let packages = Packages {
        what: "libfaketime from Debian",
        names: &["libfaketime"],
        program: &library,
    };
    let (folder, _lock) = languages::tools_folder(workspace)?;
    let root = packages.unpack(&folder.join("faketime"))?;
    Ok(Some(root.join(library)))
}
