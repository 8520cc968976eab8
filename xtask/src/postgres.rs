//! The PostgreSQL that the store of clusters is tested with, and that a demo has: the machine's own, or Debian's, unpacked under `target/tools` and not installed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use postgres_server::Server;

use crate::debian::Packages;
use crate::languages;
use crate::report;
use crate::workspace::Workspace;

/// Where the tests find `initdb` and `postgres`, if not where they look by themselves.
pub(crate) const POSTGRES_VARIABLE: &str = "RACTOR_TEST_POSTGRES";

/// Where Debian has its servers: a folder for each version.
const SERVERS: &str = "usr/lib/postgresql";

/// What is said where it can't be had.
const NEEDED: &str = "PostgreSQL is needed, and isn't on this machine";

const PACKAGES: Packages<'static> = Packages {
    what: "PostgreSQL from Debian (20 MB)",
    names: &["postgresql"],
    program: SERVERS,
};

/// Gets what isn't there, and says how tests that are run one by one find it.
///
/// # Errors
/// It can't be got.
pub(crate) fn set_up(workspace: &Workspace) -> Result<()> {
    match get(workspace)? {
        Some(programs) => report::note(&format!("{POSTGRES_VARIABLE}={}", programs.display())),
        None => report::note("the tests find the PostgreSQL of this machine by themselves"),
    }
    Ok(())
}

/// The folder with the programs, if they had to be got. None if the tests find those of the machine by themselves, or if they can't be got, which
/// is said.
///
/// # Errors
/// They can't be got, in continuous integration.
pub(crate) fn install(workspace: &Workspace) -> Result<Option<PathBuf>> {
    match get(workspace) {
        Ok(programs) => Ok(programs),
        Err(error) => {
            languages::without_tools("the store of clusters", error)?;
            Ok(None)
        }
    }
}

/// Starts a server that ends with this value.
///
/// # Errors
/// There are no programs, and they can't be got.
pub(crate) fn start(workspace: &Workspace) -> Result<Server> {
    let named = env::var_os(POSTGRES_VARIABLE).is_some();
    let got = if named { None } else { get(workspace).context(NEEDED)? };
    let programs = got.or_else(postgres_server::programs).context(NEEDED)?;
    Ok(Server::start_by(programs))
}

fn get(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if is_on_this_machine() {
        return Ok(None);
    }
    let (folder, _lock) = languages::tools_folder(workspace)?;
    let root = PACKAGES.unpack(&folder.join("postgres"))?;
    newest(&root.join(SERVERS)).map(Some)
}

fn is_on_this_machine() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |folder: PathBuf| is_complete(&folder);
    env::split_paths(&path).any(is_there) || newest(&Path::new("/").join(SERVERS)).is_ok()
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

/// The programs of the newest version in this folder.
fn newest(servers: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(servers).with_context(|| format!("cannot list {}", servers.display()))?;
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = entries.flatten().filter_map(|entry| {
        let programs = entry.path().join("bin");
        Some((version(&entry.path())?, programs)).filter(|(_, programs)| is_complete(programs))
    });
    let newest = versions.max().map(|(_, programs)| programs);
    newest.with_context(|| format!("no server is in {}", servers.display()))
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_newest_server_that_is_complete_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        for (version, programs) in [
            ("9", "initdb postgres"),
            ("15", "initdb postgres"),
            ("16", "postgres"),
            ("common", ""),
        ] {
            let bin = folder.path().join(version).join("bin");
            std::fs::create_dir_all(&bin).expect("a folder of a version");
            programs
                .split_whitespace()
                .for_each(|name| std::fs::write(bin.join(name), "").expect("a program"));
        }
        assert_eq!(newest(folder.path()).expect("a server"), folder.path().join("15/bin"));
        assert!(newest(&folder.path().join("16")).is_err());
    }
}
