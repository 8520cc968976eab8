//! Files with a secret: the cookie, the control key, the private key of a certificate. One rule for all of them.
//!
//! A file that its owner alone can read is good. So is one that its group can read too, as Kubernetes mounts secrets
//! (`root:fsGroup`, mode 0440, behind symbolic links): if it belongs to root or to the user of this process, its group
//! is one of this process's, and nobody else can read it. One of `root:root` is good as well: systemd hands credentials on
//! like this, with an access list for the service.

use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::process::ProcessIds;
use super::reading::{OpenedKind, ReadError, open, read_opened, without_mark};
use super::writers::{Owner, Unguarded, Writable, check_writers};

/// The permissions of a file for its group, and for those who are neither its owner nor in its group.
const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;

/// A kind of secret in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The secret that all nodes of a cluster share.
    Cookie,
    /// The key that a role of operators takes.
    ControlKey,
    /// The private key of a certificate.
    PrivateKey,
    /// The key that marks compiled code as compiled here.
    CacheKey,
    /// What requests to the admin HTTP show.
    AdminToken,
    /// The URL of the store of a cluster, with its password.
    StoreUrl,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cookie => "cookie file",
            Self::ControlKey => "control key",
            Self::PrivateKey => "private key",
            Self::CacheKey => "key of the cache",
            Self::AdminToken => "token file",
            Self::StoreUrl => "file with the store's URL",
        })
    }
}

/// A file with a secret that can't be used. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
#[error("the {secret} {} {fault}", path.display())]
pub struct SecretError {
    /// The kind of secret.
    pub secret: Secret,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: SecretFault,
}

/// What is wrong with a file that has a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFault {
    /// It could not be read.
    #[error("cannot be read: {0}")]
    Read(ReadError),
    /// Somebody else can read or change it.
    #[error("{0}")]
    Exposed(Exposure),
    /// Somebody else can put another in its place.
    #[error("can be replaced by others: {0}")]
    Writable(Writable),
    /// It is text in UTF-16.
    #[error("is UTF-16 text")]
    Utf16,
    /// It is no text, or text in UTF-16 without a mark that says so.
    #[error("has NUL bytes, as UTF-16 text and binary files do")]
    Nul,
}

/// Who can read or change a file with a secret and should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// The file's permissions.
    pub mode: u32,
    to: Whom,
    /// True if this process's user can change that.
    ours: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    /// Every user of the machine.
    Everybody,
    /// The members of this group, in which this process is not.
    Group(u32),
    /// Its owner, who is neither root nor the user of this process.
    Owner(u32),
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.mode;
        match self.to {
            Whom::Everybody => {
                let done = done_with(mode & OTHERS);
                write!(f, "can be {done} by every user of this machine (mode {mode:04o})")
            }
            Whom::Group(gid) => {
                let done = done_with((mode & GROUP) >> 3);
                write!(
                    f,
                    "can be {done} by the group {gid}, which is none of this process's (mode {mode:04o})"
                )
            }
            Whom::Owner(uid) => write!(
                f,
                "belongs to the user {uid}, who is neither root nor the user of this process (mode {mode:04o})"
            ),
        }
    }
}

/// The most important thing that these permissions allow.
fn done_with(permissions: u32) -> &'static str {
    match permissions {
        4.. => "read",
        2.. => "written",
        _ => "executed",
    }
}

impl Exposure {
    fn help(self, path: &Path) -> String {
        let path = path.display();
        if self.ours {
            return format!("run `chmod 600 {path}`");
        }
        match self.to {
            Whom::Everybody | Whom::Group(_) => format!(
                "mount it with mode 0440 and a group of this process: in Kubernetes `defaultMode: 0440` of the secret and \
                 `fsGroup` of the pod; elsewhere have its owner run `chmod 600 {path}`"
            ),
            Whom::Owner(_) => format!("have root or the user of this process own {path}"),
        }
    }
}

impl SecretError {
    /// What to do about it.
    pub fn help(&self) -> String {
        let what = match self.secret {
            Secret::Cookie => "expected a file with the cluster's secret and nothing else",
            Secret::ControlKey => {
                "make one with `openssl rand -hex 32`, and give it to the nodes and to those who are to have its role"
            }
            Secret::CacheKey => "remove it, and a new one is made",
            Secret::AdminToken => "make one with `openssl rand -hex 32`",
            Secret::StoreUrl => "expected a file with `postgres://USER:PASSWORD@HOST:PORT/DATABASE` and nothing else",
            Secret::PrivateKey => "expected a private key that starts with `-----BEGIN PRIVATE KEY-----`",
        };
        match &self.fault {
            SecretFault::Exposed(exposure) => exposure.help(&self.path),
            SecretFault::Writable(writable) => writable.help(),
            SecretFault::Utf16 => "save it as UTF-8".to_owned(),
            SecretFault::Read(_) | SecretFault::Nul => what.to_owned(),
        }
    }

    /// True if there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(&self.fault, SecretFault::Read(error) if error.is_not_found())
    }
}

/// Reads a file with a secret, without the byte-order mark that some editors put at its start. White space around the secret stays:
/// the caller knows what the secret is. The permissions of a pipe that this process was started with don't count.
///
/// # Errors
/// It can't be read, is larger than `limit` bytes, is no text, or others can read it: see [`SecretFault`].
pub fn read(secret: Secret, path: &Path, limit: u64) -> Result<Vec<u8>, SecretError> {
    let failed = |fault| SecretError {
        secret,
        path: path.to_owned(),
        fault,
    };
    let opened = open(path).map_err(|error| failed(SecretFault::Read(error)))?;
    if let OpenedKind::Regular = opened.kind {
        // The open file is asked, so that the one that was checked is the one that is read.
        let metadata = opened.file.metadata();
        let metadata = metadata.map_err(|error| failed(SecretFault::Read(error.into())))?;
        if let Some(exposure) = exposure(&metadata) {
            return Err(failed(SecretFault::Exposed(exposure)));
        }
        match check_writers(path, Owner::Anybody) {
            Ok(()) => {}
            Err(Unguarded::Writable(writable)) => return Err(failed(SecretFault::Writable(writable))),
            Err(Unguarded::Unknown(error)) => return Err(failed(SecretFault::Read(error.into()))),
        }
    }
    let bytes = read_opened(opened, limit).map_err(|error| failed(SecretFault::Read(error)))?;
    // Before the look for NUL bytes, which UTF-16 text has as well, so that the help fits the fault.
    if [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| bytes.starts_with(mark)) {
        return Err(failed(SecretFault::Utf16));
    }
    // A control key may be random bytes as they are.
    if secret != Secret::ControlKey && bytes.contains(&0) {
        return Err(failed(SecretFault::Nul));
    }
    Ok(without_mark(&bytes).to_vec())
}

/// Who a file belongs to, and who may do what with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ownership {
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) mode: u32,
}

#[cfg(unix)]
fn exposure(metadata: &Metadata) -> Option<Exposure> {
    use std::os::unix::fs::MetadataExt as _;
    let ownership = Ownership {
        user: metadata.uid(),
        group: metadata.gid(),
        mode: metadata.mode() & 0o777,
    };
    exposure_to(ownership, &ProcessIds::this())
}

/// The permissions are not known on this system.
#[cfg(not(unix))]
fn exposure(_: &Metadata) -> Option<Exposure> {
    None
}

/// The rule.
#[cfg(unix)]
pub(crate) fn exposure_to(file: Ownership, process: &ProcessIds) -> Option<Exposure> {
    let Ownership { user, group, mode } = file;
    let ours = user == process.user;
    let is_roots = user == 0 && group == 0;
    let exposed = |to| Some(Exposure { mode, to, ours });
    if mode & OTHERS != 0 {
        exposed(Whom::Everybody)
    } else if mode & GROUP == 0 {
        None
    } else if !is_roots && !process.groups.contains(&group) {
        exposed(Whom::Group(group))
    } else if !ours && user != 0 {
        exposed(Whom::Owner(user))
    } else {
        None
    }
}
