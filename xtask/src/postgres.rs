//! The PostgreSQL that the store of clusters is tested with, and that a demo has, and a pooler: the machine's own, or Debian's, unpacked under `target/tools` and not
//! installed.

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

/// Where the tests find `pgbouncer`, if not where they look by themselves.
pub(crate) const POOLER_VARIABLE: &str = "RACTOR_TEST_PGBOUNCER";

/// What is said where a server can't be had.
const NEEDED: &str = "PostgreSQL is needed, and isn't on this machine";

const SERVER: Packages<'static> = Packages {
    what: "PostgreSQL from Debian (20 MB)",
    names: &["postgresql"],
    program: SERVERS,
};

const POOLER: Packages<'static> = Packages {
    what: "PgBouncer from Debian (1 MB)",
    names: &["pgbouncer"],
    program: "usr/sbin/pgbouncer",
};

/// Gets what isn't there, and says how tests that are run one by one find it.
///
/// # Errors
/// It can't be got.
pub(crate) fn set_up(workspace: &Workspace) -> Result<()> {
    for (variable, got) in get(workspace)? {
        report::note(&format!("{variable}={}", got.display()));
    }
    report::note("the tests find what else there is by themselves");
    Ok(())
}

/// What had to be got, each with the variable by which the tests find it. Not what they find by themselves, nor what can't be got, which is said.
///
/// # Errors
/// It can't be got, in continuous integration.
pub(crate) fn install(workspace: &Workspace) -> Result<Vec<(&'static str, PathBuf)>> {
    languages::if_got("the store of clusters", get(workspace))
}

/// Starts a server that ends with this value.
///
/// # Errors
/// There are no programs, and they can't be got.
pub(crate) fn start(workspace: &Workspace) -> Result<Server> {
    let named = env::var_os(POSTGRES_VARIABLE).is_some();
    let got = if named {
        None
    } else {
        server(workspace).context(NEEDED)?
    };
    let programs = got.or_else(postgres_server::programs).context(NEEDED)?;
    Ok(Server::start_by(programs))
}

fn get(workspace: &Workspace) -> Result<Vec<(&'static str, PathBuf)>> {
    let server = server(workspace)?.map(|programs| (POSTGRES_VARIABLE, programs));
    let pooler = pooler(workspace)?.map(|program| (POOLER_VARIABLE, program));
    Ok(server.into_iter().chain(pooler).collect())
}

/// The folder with the programs of a server, if they had to be got.
fn server(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if is_on_this_machine() {
        return Ok(None);
    }
    let (folder, _lock) = languages::tools_folder(workspace)?;
    let root = SERVER.unpack(&folder.join("postgres"))?;
    newest(&root.join(SERVERS)).map(Some)
}

/// The program of the pooler, if it had to be got.
fn pooler(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if in_path("pgbouncer") || Path::new("/").join(POOLER.program).is_file() {
        return Ok(None);
    }
    let (folder, _lock) = languages::tools_folder(workspace)?;
    let root = POOLER.unpack(&folder.join("pgbouncer"))?;
    Ok(Some(root.join(POOLER.program)))
}

fn in_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
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
