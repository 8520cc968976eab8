//! What no guest is granted: the node's own files. Who has its secrets is the node, and who can change what it runs or trusts is soon.
//!
//! Directories are compared where they really are: through symbolic links, and by the numbers of their file systems, so that another
//! name of a folder, or a place at which it is mounted again, is the same folder. What is asked is what was opened, each time that a
//! guest opens it: a directory may be exchanged while the node runs, by a guest that may write to the one above it, too.

use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Access, Directory};

/// What a file or folder is to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// The file with the cookie.
    Cookie,
    /// A file with the key of a role.
    ControlKey,
    /// A file with a token of the admin HTTP.
    AdminToken,
    /// The file with the URL of the store, in which the password is.
    StoreUrl,
    /// The private key of the node's certificate.
    PrivateKey,
    /// The key of the cache.
    CacheKey,
    /// The folder of compiled code, which is run as it is found.
    Cache,
    /// The folder of states and of what was deployed.
    States,
    /// What the system says of processes: the environment and the memory of this one are there.
    Processes,
    /// node.toml.
    Configuration,
    /// The file of a module.
    Module,
    /// What the file of a module is built from.
    Sources,
    /// Certificates: who the node is, and whom it trusts.
    Certificates,
    /// The node's own program.
    Program,
}

impl Own {
    /// True if it is nothing to read either.
    fn is_secret(self) -> bool {
        match self {
            Self::Cookie
            | Self::ControlKey
            | Self::AdminToken
            | Self::StoreUrl
            | Self::PrivateKey
            | Self::CacheKey
            | Self::Cache
            | Self::States
            | Self::Processes => true,
            Self::Configuration | Self::Module | Self::Sources | Self::Certificates | Self::Program => false,
        }
    }
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cookie => "the cookie file",
            Self::ControlKey => "a control key",
            Self::AdminToken => "a token of the admin HTTP",
            Self::StoreUrl => "the URL of the store of [cluster]",
            Self::PrivateKey => "the private key of [node.tls]",
            Self::CacheKey => "the key of the cache",
            Self::Cache => "the folder of compiled code (`cache_dir`)",
            Self::States => "the folder of states (`state_dir`)",
            Self::Processes => "what the system says of this process",
            Self::Configuration => "the configuration",
            Self::Module => "the file of a module",
            Self::Sources => "what a module is built from",
            Self::Certificates => "certificates that the node uses",
            Self::Program => "the program of the node",
        })
    }
}

/// The files and folders that are the node's own.
#[derive(Debug, Clone, Default)]
pub struct Guarded(Vec<GuardedEntry>);

#[derive(Debug, Clone)]
struct GuardedEntry {
    own: Own,
    /// Where it really is.
    path: PathBuf,
    /// It and the folders above it.
    chain: Vec<Identity>,
}

/// A file or folder, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

/// A directory that would be granted is, has or is in something of the node's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the directory {} {relation} {own}, {}", host.display(), path.display())]
pub struct Conflict {
    /// The directory.
    pub host: PathBuf,
    /// What of the node.
    pub own: Own,
    /// Where that is.
    pub path: PathBuf,
    relation: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Has,
    IsIn,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Has => "has in it",
            Self::IsIn => "is in",
        })
    }
}

/// Why a directory was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}, and so is nothing for a guest")]
    Conflict(#[from] Conflict),
    #[error("another directory took its place while it was opened")]
    Exchanged,
}

/// A directory that a guest may have.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Leads to this very directory as long as this lives.
    pub(crate) path: PathBuf,
    _held: Option<File>,
}

impl Guarded {
    /// Adds a file or folder. One that isn't there is guarded where it would be; a link, where it is and where it leads.
    pub fn add(&mut self, own: Own, path: &Path) {
        let beside = path.parent().zip(path.file_name());
        let link = beside.map(|(folder, name)| really(folder).join(name));
        let real = really(path);
        // Whoever can exchange the link decides what the node reads next, so it is guarded as well as its target.
        for path in link.filter(|link| *link != real).into_iter().chain([real]) {
            let chain = path.ancestors().filter_map(identity_at).collect();
            self.0.push(GuardedEntry { own, path, chain });
        }
    }

    /// Checks a directory as it is now.
    ///
    /// # Errors
    /// It is no directory for a guest.
    pub fn check(&self, directory: &Directory) -> Result<(), Conflict> {
        self.check_at(&really(&directory.host), directory)
    }

    fn check_at(&self, real: &Path, directory: &Directory) -> Result<(), Conflict> {
        let chain: Vec<_> = real.ancestors().filter_map(identity_at).collect();
        let itself = identity_at(real);
        // What is no secret may be read; it only must not be changed.
        let concerns = |entry: &&GuardedEntry| entry.own.is_secret() || directory.access == Access::ReadWrite;
        for entry in self.0.iter().filter(concerns) {
            // By path, because what isn't there yet has no numbers; by numbers, because one folder may have several
            // paths.
            let has = entry.path.starts_with(real) || itself.is_some_and(|itself| entry.chain.contains(&itself));
            let is_in = || {
                let folder = identity_at(&entry.path);
                real.starts_with(&entry.path) || folder.is_some_and(|folder| chain.contains(&folder))
            };
            let relation = match has {
                true => Relation::Has,
                false if is_in() => Relation::IsIn,
                false => continue,
            };
            return Err(Conflict {
                host: directory.host.clone(),
                own: entry.own,
                path: entry.path.clone(),
                relation,
            });
        }
        Ok(())
    }

    /// Opens a directory for a guest, if it is one that it may have.
    pub(crate) fn open(&self, directory: &Directory) -> Result<Opened, NotOpened> {
        if self.0.is_empty() {
            let path = directory.host.clone();
            return Ok(Opened { path, _held: None });
        }
        let held = File::open(&directory.host)?;
        let real = directory.host.canonicalize()?;
        // What is checked is what was opened: nobody can exchange that any more.
        if identity(&held.metadata()?) != identity(&real.metadata()?) {
            return Err(NotOpened::Exchanged);
        }
        self.check_at(&real, directory)?;
        Ok(Opened {
            // Where no path leads to an open file, an exchange from here on goes unnoticed.
            path: held_path(&held).unwrap_or(real),
            _held: Some(held),
        })
    }
}

/// A path that leads to an open file, whatever has become of its name.
#[cfg(target_os = "linux")]
fn held_path(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    path.exists().then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn held_path(_: &File) -> Option<PathBuf> {
    None
}

/// Where a path leads, through links; as far as it is there, and then as it is written.
fn really(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        if let Ok(real) = above.canonicalize() {
            let rest = path.strip_prefix(above).unwrap_or(Path::new(""));
            return real.join(rest);
        }
    }
    path
}

fn identity_at(path: &Path) -> Option<Identity> {
    identity(&path.metadata().ok()?)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some(Identity(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn directory(host: &Path, access: Access) -> Directory {
        Directory {
            host: host.to_owned(),
            guest: "/data".to_owned(),
            access,
        }
    }

    struct GuardedPlace {
        folder: tempfile::TempDir,
        guarded: Guarded,
    }

    impl GuardedPlace {
        /// `node/cookie`, `node/node.toml` and the folder `node/states` are the node's, and `data` is not.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir_all(folder.path().join("node/states/components")).unwrap();
            fs::create_dir_all(folder.path().join("data/deep")).unwrap();
            fs::write(folder.path().join("node/cookie"), "").unwrap();
            fs::write(folder.path().join("toml"), "").unwrap();
            let mut guarded = Guarded::default();
            guarded.add(Own::Cookie, &folder.path().join("node/cookie"));
            guarded.add(Own::States, &folder.path().join("node/states"));
            guarded.add(Own::Cache, &folder.path().join("later/cache"));
            guarded.add(Own::Configuration, &folder.path().join("toml"));
            Self { folder, guarded }
        }

        fn at(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn conflict(&self, path: &str, access: Access) -> Option<Own> {
            let directory = directory(&self.at(path), access);
            let checked = self.guarded.check(&directory).err().map(|conflict| conflict.own);
            if directory.host.exists() {
                let opened = self.guarded.open(&directory).err().map(|error| match error {
                    NotOpened::Conflict(conflict) => Some(conflict.own),
                    NotOpened::Io(_) | NotOpened::Exchanged => None,
                });
                assert_eq!(opened, checked.map(Some), "{path}");
            }
            checked
        }
    }

    #[test]
    fn a_directory_with_something_of_the_node_or_within_it_is_nothing_for_a_guest() {
        let place = GuardedPlace::new();
        for (path, read, write) in [
            ("data", None, None),
            ("data/deep", None, None),
            ("not/there", None, None),
            (".", Some(Own::Cookie), Some(Own::Cookie)),
            ("node", Some(Own::Cookie), Some(Own::Cookie)),
            ("data/../node", Some(Own::Cookie), Some(Own::Cookie)),
            ("node/states", Some(Own::States), Some(Own::States)),
            ("node/states/components", Some(Own::States), Some(Own::States)),
            // Of what isn't there yet.
            ("later", Some(Own::Cache), Some(Own::Cache)),
            ("later/cache/deep", Some(Own::Cache), Some(Own::Cache)),
        ] {
            assert_eq!(place.conflict(path, Access::Read), read, "{path}");
            assert_eq!(place.conflict(path, Access::ReadWrite), write, "{path}");
        }
    }

    #[test]
    fn the_configuration_may_be_read_and_not_written() {
        let place = GuardedPlace::new();
        let mut guarded = Guarded::default();
        guarded.add(Own::Configuration, &place.at("toml"));
        assert_eq!(guarded.check(&directory(&place.at("."), Access::Read)), Ok(()));
        let conflict = guarded
            .check(&directory(&place.at("."), Access::ReadWrite))
            .unwrap_err();
        assert_eq!(conflict.own, Own::Configuration);
    }

    #[test]
    fn another_name_of_a_directory_is_the_same_directory() {
        let place = GuardedPlace::new();
        symlink(place.at("node"), place.at("data/elsewhere")).unwrap();
        symlink(place.at("node/states"), place.at("states")).unwrap();
        assert_eq!(place.conflict("data/elsewhere", Access::Read), Some(Own::Cookie));
        assert_eq!(place.conflict("states", Access::Read), Some(Own::States));
        // A link in a directory leads a guest nowhere, and its target is not what it is granted.
        assert_eq!(place.conflict("data", Access::ReadWrite), None);
        // What is the node's by way of a link is guarded at both ends.
        let mut guarded = Guarded::default();
        fs::create_dir(place.at("links")).unwrap();
        symlink(place.at("node/cookie"), place.at("links/cookie")).unwrap();
        guarded.add(Own::Cookie, &place.at("links/cookie"));
        for path in ["links", "node"] {
            assert!(
                guarded.check(&directory(&place.at(path), Access::ReadWrite)).is_err(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_directory_that_was_exchanged_after_the_start_is_asked_about_again() {
        let place = GuardedPlace::new();
        assert_eq!(place.conflict("data/deep", Access::Read), None);
        let granted = directory(&place.at("data/deep"), Access::Read);
        let opened = place.guarded.open(&granted).unwrap();
        // As a guest may do that can write to `data`.
        fs::rename(place.at("data/deep"), place.at("data/gone")).unwrap();
        symlink("../node", place.at("data/deep")).unwrap();
        assert_eq!(place.conflict("data/deep", Access::Read), Some(Own::Cookie));
        fs::write(place.at("data/gone/file"), "").unwrap();
        assert!(!opened.path.join("cookie").exists());
        #[cfg(target_os = "linux")]
        assert!(opened.path.join("file").exists(), "what was opened is what it was");
    }
}
