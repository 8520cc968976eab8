//! The cookie: the secret that all nodes of a cluster share. It comes from a file or an environment variable, never
//! from the configuration itself, and nothing prints it.

use std::collections::BTreeSet;
use std::env::VarError;
use std::fmt;
use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};

/// In bytes. A secret is short; a larger file is something else.
const LARGEST_FILE: u64 = 64 * 1024;

/// In bytes. 16 random ones can't be guessed; as hexadecimal digits they are 32.
const GOOD_LENGTH: usize = 16;

/// How many different bytes a cookie should have. Random hexadecimal digits hardly ever have fewer.
const GOOD_VARIETY: usize = 8;

/// The permissions of a file for its group and for all others.
const ANYBODY_ELSE: u32 = 0o077;

/// The permissions of a file for those who are neither its owner nor in its group.
pub(super) const OTHERS: u32 = 0o007;

/// A secret. `Debug` doesn't show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie(String);

/// Why there is no cookie. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum CookieError {
    /// The file could not be read.
    #[error("the cookie file {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than the file's owner may read it.
    #[error("other users can read the cookie file {} (mode {mode:03o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is larger than any cookie.
    #[error("the cookie file {} is larger than {LARGEST_FILE} bytes", .0.display())]
    TooLarge(PathBuf),
    /// The file is not text.
    #[error("the cookie file {} is not UTF-8 text", .0.display())]
    NotUtf8(PathBuf),
    /// The file has nothing but white space.
    #[error("the cookie file {} is empty", .0.display())]
    EmptyFile(PathBuf),
    /// There is no such variable.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// The variable has nothing but white space.
    #[error("the environment variable {0} is empty")]
    EmptyVariable(String),
    /// The variable is not text.
    #[error("the environment variable {0} is not UTF-8 text")]
    VariableNotUtf8(String),
}

impl CookieError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Exposed { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "relative paths start at the folder of this file".to_owned()
            }
            Self::Read { .. } | Self::TooLarge(_) | Self::NotUtf8(_) | Self::EmptyFile(_) => {
                "expected a file with the cluster's secret and nothing else".to_owned()
            }
            Self::Unset(_) | Self::EmptyVariable(_) | Self::VariableNotUtf8(_) => {
                "set it to the cluster's secret".to_owned()
            }
        }
    }
}

impl Cookie {
    /// The cookie in a file, without the white space around it.
    ///
    /// # Errors
    /// The file can't be read, can be read by others than its owner, is empty, or is not text.
    pub fn from_file(path: &Path) -> Result<Self, CookieError> {
        let failed = |source| CookieError::Read {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
        if let Some(mode) = exposed(&file.metadata().map_err(failed)?, ANYBODY_ELSE) {
            let path = path.to_owned();
            return Err(CookieError::Exposed { path, mode });
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST_FILE) {
            return Err(CookieError::TooLarge(path.to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|_| CookieError::NotUtf8(path.to_owned()))?;
        Self::trimmed(&text).ok_or_else(|| CookieError::EmptyFile(path.to_owned()))
    }

    /// The cookie in an environment variable whose value is given, without the white space around it.
    ///
    /// # Errors
    /// It is not set, is empty, or is not text.
    pub fn from_variable(name: &str, value: Result<String, VarError>) -> Result<Self, CookieError> {
        let text = value.map_err(|error| match error {
            VarError::NotPresent => CookieError::Unset(name.to_owned()),
            VarError::NotUnicode(_) => CookieError::VariableNotUtf8(name.to_owned()),
        })?;
        Self::trimmed(&text).ok_or_else(|| CookieError::EmptyVariable(name.to_owned()))
    }

    fn trimmed(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Why it could be guessed, if it could. A peer's proof of the cookie lets whoever sees it try as many guesses as
    /// he has computers for.
    pub fn weakness(&self) -> Option<String> {
        let length = self.0.len();
        let different = self.0.bytes().collect::<BTreeSet<_>>().len();
        if length < GOOD_LENGTH {
            Some(format!(
                "has {length} bytes, where {GOOD_LENGTH} are the least that is hard to guess"
            ))
        } else if different < GOOD_VARIETY {
            Some(format!("is made of {different} different characters only"))
        } else {
            None
        }
    }

    /// The secret itself, for the handshake.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(…)")
    }
}

/// The permissions of a file if they let in some of these.
#[cfg(unix)]
pub(super) fn exposed(metadata: &Metadata, to: u32) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    (metadata.is_file() && mode & to != 0).then_some(mode)
}

/// The permissions of a file: not known on this system.
#[cfg(not(unix))]
pub(super) fn exposed(_: &Metadata, _: u32) -> Option<u32> {
    None
}
