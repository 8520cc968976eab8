//! A control key: who has it may ask of a node what the role of the key allows. It never travels; what travels is proof of it.

use std::collections::BTreeSet;
use std::env::VarError;
use std::fmt;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::files::{self, Secret, SecretError};

/// The largest file that is read, in bytes. A key is short; a larger file is something else.
const LARGEST_FILE: u64 = 64 * 1024;

/// The shortest key, in bytes. Anybody who sees a proof can try keys on it for as long as they like.
const SHORTEST: usize = 16;

/// The least number of different bytes in a key. Random hexadecimal digits hardly ever have fewer.
const LEAST_VARIETY: usize = 8;

/// The secret that a role takes, besides the cookie. `Debug` doesn't show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlKey(Vec<u8>);

/// Why there is no control key. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The key could be guessed.
    #[error("the control key {place} {weakness}")]
    Weak {
        /// The file or the variable that has it.
        place: String,
        /// In which way.
        weakness: String,
    },
    /// There is no such variable.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// The variable is not text.
    #[error("the environment variable {0} is not UTF-8 text")]
    VariableNotUtf8(String),
}

/// Where a control key comes from.
const MAKE_ONE: &str =
    "make one with `openssl rand -hex 32`, and give it to the nodes and to those who are to have its role";

impl KeyError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::File(error) => error.help(),
            Self::Weak { .. } => MAKE_ONE.to_owned(),
            Self::Unset(_) | Self::VariableNotUtf8(_) => "set it to the control key".to_owned(),
        }
    }
}

impl KeyError {
    /// True if there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::File(error) if error.is_not_found())
    }
}

impl ControlKey {
    /// The key in a file, without the white space around it.
    ///
    /// # Errors
    /// The file can't be read, can be read by others, or has a key that could be guessed.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let bytes = files::read_secret(Secret::ControlKey, path, LARGEST_FILE)?;
        Self::trimmed(&bytes, path.display())
    }

    /// The key in an environment variable whose value is given, without the white space around it.
    ///
    /// # Errors
    /// It is not set, is not text, or has a key that could be guessed.
    pub fn from_variable(name: &str, value: Result<String, VarError>) -> Result<Self, KeyError> {
        let text = value.map_err(|error| match error {
            VarError::NotPresent => KeyError::Unset(name.to_owned()),
            VarError::NotUnicode(_) => KeyError::VariableNotUtf8(name.to_owned()),
        })?;
        Self::trimmed(files::without_mark(text.as_bytes()), format_args!("in {name}"))
    }

    fn trimmed(bytes: &[u8], place: impl fmt::Display) -> Result<Self, KeyError> {
        Self::new(bytes.trim_ascii().to_vec()).map_err(|weakness| KeyError::Weak {
            place: place.to_string(),
            weakness,
        })
    }

    /// A key of these bytes.
    ///
    /// # Errors
    /// It could be guessed: in which way.
    pub fn new(bytes: Vec<u8>) -> Result<Self, String> {
        let different = bytes.iter().collect::<BTreeSet<_>>().len();
        if bytes.len() < SHORTEST {
            Err(format!("has {} bytes; expected at least {SHORTEST}", bytes.len()))
        } else if different < LEAST_VARIETY {
            Err(format!("consists of only {different} different characters"))
        } else {
            Ok(Self(bytes))
        }
    }

    /// The key itself, to be found where it should not be.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The message authentication code of these parts under this key.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.0, parts).finalize().into_bytes().into()
    }
}

impl fmt::Debug for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlKey(…)")
    }
}

/// HMAC-SHA256 over the parts, each with its length, so that no two lists of parts are the same bytes.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        // HMAC takes keys of any length.
        Err(_) => Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()),
    };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        assert_eq!(
            ControlKey::new(b"short".to_vec()).unwrap_err(),
            "has 5 bytes; expected at least 16"
        );
        assert_eq!(
            ControlKey::new(b"abababababababababab".to_vec()).unwrap_err(),
            "consists of only 2 different characters"
        );
        let key = ControlKey::new(b"0123456789abcdef".to_vec()).unwrap();
        assert_eq!(format!("{key:?}"), "ControlKey(…)");
    }

    /// The first test case of RFC 4231 that has a key as long as a hash, with the framing of the parts taken out.
    #[test]
    fn parts_are_told_apart() {
        let key = ControlKey::new(b"0123456789abcdef".to_vec()).unwrap();
        assert_eq!(key.mac(&[b"ab", b"c"]), key.mac(&[b"ab", b"c"]));
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"abc"]));
    }
}
