//! The rule about who may change what is the node's own: its folders, and the files that decide what it runs and whom it trusts.
//!
//! Nobody but their owner may write to them, and the folders belong to the user of this process or to root. Files that a user names
//! may belong to anybody. There are two exceptions. Kubernetes mounts volumes as `root:fsGroup` with mode 2775: what belongs to
//! root may be written by a group of this process. And where each user has a group of the same number, files may be made with mode
//! 664: that group is the user.
//!
//! A user who may write to a folder above can put another one in its place, unless that folder is sticky as `/tmp` is. A folder
//! above that root has opened to everybody on purpose, as Kubernetes does with an `emptyDir`, is taken as well, but not as the
//! node's own.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::process::ProcessIds;

/// The permissions to write of a file's group, and of those who are neither its owner nor in its group.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// The permission bit of a folder in which users can rename and remove only what is their own.
const STICKY: u32 = 0o1000;

/// Another user may write to what is the node's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {by}", path.display())]
pub struct Writable {
    /// The file or folder, or one above it.
    pub path: PathBuf,
    /// Who.
    pub by: ForeignWriter,
}

/// A user or group that may write to a file or folder and should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignWriter {
    /// Every user of the machine.
    #[error("can be written by every user of this machine (mode {mode:04o})")]
    Everybody {
        /// Its permissions.
        mode: u32,
    },
    /// The members of this group.
    #[error("can be written by the group {group} (mode {mode:04o})")]
    Group {
        /// Its permissions.
        mode: u32,
        /// The group's number.
        group: u32,
    },
    /// Its owner.
    #[error("belongs to the user {0}, who is neither root nor the user of this process")]
    Owner(u32),
}

impl Writable {
    /// What to do about it.
    pub fn help(&self) -> String {
        let path = self.path.display();
        match self.by {
            ForeignWriter::Everybody { .. } | ForeignWriter::Group { .. } => {
                format!("run `chmod go-w {path}`, or choose a place that nobody else may write to")
            }
            ForeignWriter::Owner(_) => format!("have root or the user of this process own {path}"),
        }
    }
}

/// Why it is not certain that nobody else may write.
#[derive(Debug, thiserror::Error)]
pub enum Unguarded {
    /// Another user may.
    #[error(transparent)]
    Writable(#[from] Writable),
    /// The system does not say.
    #[error(transparent)]
    Unknown(#[from] io::Error),
}

/// The owner that a file or folder may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The user of this process, or root.
    Ours,
    /// Anybody: the user who named it knows whose it is.
    Anybody,
}

/// Checks that nobody else can change this file or folder, or put another in its place. If it doesn't exist, only the latter is
/// checked: check it again once it does.
///
/// # Errors
/// Another user can, or it can't be found out.
pub fn check_writers(path: &Path, owner: Owner) -> Result<(), Unguarded> {
    // The target of a link counts, and not the link: the target is what is used.
    let (real, is_there) = match path.canonicalize() {
        Ok(real) => (real, true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (std::path::absolute(path)?, false),
        Err(error) => return Err(error.into()),
    };
    if is_there {
        let by = writer(&real.metadata()?);
        if let Some(by) = by.filter(|by| owner == Owner::Ours || !matches!(by, ForeignWriter::Owner(_))) {
            return Err(Writable { path: real, by }.into());
        }
    }
    for above in real.ancestors().skip(1) {
        // A folder that is not there yet is made by this process, and nothing is known of one that may only be passed through.
        let Ok(metadata) = above.metadata() else { continue };
        if let Some(by) = replacer(&metadata) {
            let path = above.to_owned();
            return Err(Writable { path, by }.into());
        }
    }
    Ok(())
}

/// The user or group that may change a file with these metadata and should not.
#[cfg(unix)]
pub fn writer(metadata: &Metadata) -> Option<ForeignWriter> {
    use std::os::unix::fs::MetadataExt as _;
    let owned = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
    writer_of(owned, &ProcessIds::this())
}

/// The permissions are not known on this system.
#[cfg(not(unix))]
pub fn writer(_: &Metadata) -> Option<ForeignWriter> {
    None
}

/// The users who may replace what is in the folder with these metadata and should not.
#[cfg(unix)]
fn replacer(metadata: &Metadata) -> Option<ForeignWriter> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = metadata.mode() & 0o7777;
    let is_open = mode & OTHERS_WRITE != 0 && mode & STICKY == 0 && metadata.uid() != 0;
    is_open.then_some(ForeignWriter::Everybody { mode })
}

#[cfg(not(unix))]
fn replacer(_: &Metadata) -> Option<ForeignWriter> {
    None
}

/// The rule.
#[cfg(unix)]
fn writer_of((user, group, mode): (u32, u32, u32), process: &ProcessIds) -> Option<ForeignWriter> {
    if mode & OTHERS_WRITE != 0 {
        return Some(ForeignWriter::Everybody { mode });
    }
    let is_granted = if user == 0 {
        group == 0 || process.groups.contains(&group)
    } else {
        group == user
    };
    if mode & GROUP_WRITES != 0 && !is_granted {
        return Some(ForeignWriter::Group { mode, group });
    }
    (user != 0 && user != process.user).then_some(ForeignWriter::Owner(user))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    const US: u32 = 1000;
    const OURS: u32 = 1001;

    #[test]
    fn the_owner_and_root_may_write_and_a_group_to_what_root_gave_it() {
        let process = ProcessIds {
            user: US,
            groups: vec![OURS],
        };
        for (user, group, mode, expected) in [
            (US, OURS, 0o700, None),
            (US, OURS, 0o755, None),
            (0, 0, 0o755, None),
            (0, 0, 0o775, None),
            // As Kubernetes mounts a volume.
            (0, OURS, 0o2775, None),
            (0, 2000, 0o2775, Some("group 2000 (mode 2775)")),
            (US, US, 0o775, None),
            (US, OURS, 0o775, Some("group 1001 (mode 0775)")),
            (US, OURS, 0o777, Some("every user")),
            (0, 0, 0o1777, Some("every user")),
            (2000, OURS, 0o700, Some("belongs to the user 2000")),
        ] {
            let found = writer_of((user, group, mode), &process).map(|writer| writer.to_string());
            match expected {
                None => assert_eq!(found, None, "{user}:{group} {mode:o}"),
                Some(text) => assert!(
                    found.is_some_and(|found| found.contains(text)),
                    "{user}:{group} {mode:o}"
                ),
            }
        }
    }

    #[test]
    fn who_may_write_above_may_put_something_else_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (above, below) = (folder.path().join("a"), folder.path().join("a/b"));
        fs::create_dir_all(&below).unwrap();
        set(&above, 0o755);
        set(&below, 0o700);
        check_writers(&below, Owner::Ours).unwrap();
        // What is not there yet is made by whoever may make it.
        check_writers(&below.join("later/still"), Owner::Ours).unwrap();
        set(&above, 0o1777);
        for path in [&below, &above.join("later")] {
            check_writers(path, Owner::Ours).unwrap();
        }
        set(&above, 0o777);
        if rustix::process::geteuid().is_root() {
            // Who made it did so on purpose.
            check_writers(&below, Owner::Ours).unwrap();
            chown(&above, Some(4711), None).unwrap();
        }
        for path in [&below, &below.join("later"), &above.join("later")] {
            let found = check_writers(path, Owner::Anybody).err().and_then(|found| match found {
                Unguarded::Writable(found) => Some(found),
                Unguarded::Unknown(_) => None,
            });
            let found = found.unwrap();
            assert_eq!(found.path.canonicalize().unwrap(), above.canonicalize().unwrap());
            assert!(found.by.to_string().contains("every user"), "{found}");
            assert!(found.help().starts_with("run `chmod go-w "));
        }
        set(&above, 0o755);
    }
}
