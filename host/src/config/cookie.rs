//! The cookie: the secret that all nodes of a cluster share. It comes from a file or an environment variable, never
//! from the configuration itself, and nothing prints it.

use std::collections::BTreeSet;
use std::env::VarError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::files::{self, Secret, SecretError};

/// The largest file that is read, in bytes. A secret is short; a larger file is something else.
const LARGEST_FILE: u64 = 64 * 1024;

/// In bytes. 16 random ones can't be guessed; as hexadecimal digits they are 32.
const GOOD_LENGTH: usize = 16;

/// The number of different bytes that a cookie should have. Random hexadecimal digits hardly ever have fewer.
const GOOD_VARIETY: usize = 8;

/// A secret. `Debug` doesn't show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie(String);

/// Why there is no cookie. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum CookieError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] SecretError),
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
            Self::File(error) => error.help(),
            Self::NotUtf8(_) | Self::EmptyFile(_) => {
                "expected a file with the cluster's secret and nothing else".to_owned()
            }
            Self::Unset(_) | Self::EmptyVariable(_) | Self::VariableNotUtf8(_) => {
                "set it to the cluster's secret".to_owned()
            }
        }
    }
}

impl CookieError {
    /// True if there is no such file.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::File(error) if error.is_not_found())
    }
}

impl Cookie {
    /// The cookie in a file, without the white space around it.
    ///
    /// # Errors
    /// The file can't be read, can be read by others, is empty, or is not text.
    pub fn from_file(path: &Path) -> Result<Self, CookieError> {
        let bytes = files::read_secret(Secret::Cookie, path, LARGEST_FILE)?;
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
        // Some editors begin a text with a byte-order mark, which is no white space.
        let text = text.trim_start_matches('\u{feff}').trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Why it could be guessed, if it could. A peer's proof of the cookie lets whoever sees it try as many guesses as
    /// they have computers for.
    pub fn weakness(&self) -> Option<String> {
        let length = self.0.len();
        let different = self.0.bytes().collect::<BTreeSet<_>>().len();
        if length < GOOD_LENGTH {
            Some(format!(
                "has {length} bytes; at least {GOOD_LENGTH} are needed to be hard to guess"
            ))
        } else if different < GOOD_VARIETY {
            Some(format!("consists of only {different} different characters"))
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
