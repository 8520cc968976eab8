//! The cookie: the secret that all nodes of a cluster share. It comes from a file or an environment variable, never
//! from the configuration itself, and nothing prints it.

use std::env::VarError;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// In bytes. A secret is short; a larger file is something else.
const LARGEST_FILE: u64 = 64 * 1024;

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

impl Cookie {
    /// The cookie in a file, without the white space around it.
    ///
    /// # Errors
    /// The file can't be read, is empty, or is not text.
    pub fn from_file(path: &Path) -> Result<Self, CookieError> {
        let failed = |source| CookieError::Read {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
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

/// True if every user of the machine may read the file.
#[cfg(unix)]
pub(super) fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// True if every user of the machine may read the file: not known on this system.
#[cfg(not(unix))]
pub(super) fn is_world_readable(_: &Path) -> bool {
    false
}
