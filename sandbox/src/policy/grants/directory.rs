//! Directories of the host that a guest finds at paths of its own.

use std::path::PathBuf;

/// One directory of the host, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Where it is on the host.
    pub host: PathBuf,
    /// Where the guest finds it.
    pub guest: String,
    /// What the guest may do there.
    pub access: Access,
}

/// What a guest may do in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read files and list directories.
    Read,
    /// That, and make, change and remove them. There is no limit on the space that it takes.
    ReadWrite,
}

impl Access {
    /// The names in node.toml.
    pub const NAMES: [(&'static str, Self); 2] = [("read", Self::Read), ("read-write", Self::ReadWrite)];

    /// The name in node.toml.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
        }
    }
}

/// A directory can't be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the directory {}, granted as {guest:?}, can't be used: {reason}", host.display())]
pub struct InvalidDirectory {
    /// Where it should be on the host.
    pub host: PathBuf,
    /// Where the guest would find it.
    pub guest: String,
    /// What the system said.
    pub reason: String,
    /// It is not there.
    pub is_missing: bool,
}

impl Directory {
    /// Checks that it is there.
    ///
    /// # Errors
    /// It is not, it is no directory, or it can't be read.
    pub fn check(&self) -> Result<(), InvalidDirectory> {
        std::fs::read_dir(&self.host)
            .map(drop)
            .map_err(|error| InvalidDirectory {
                host: self.host.clone(),
                guest: self.guest.clone(),
                reason: error.to_string(),
                is_missing: error.kind() == std::io::ErrorKind::NotFound,
            })
    }
}
