//! The deploy key: who has it may replace the code that a node runs. It never travels; what travels is proof of it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// In bytes. A key is short; a larger file is something else.
const LARGEST_FILE: u64 = 64 * 1024;

/// In bytes. Whoever sees a proof can try keys on it for as long as he likes.
const SHORTEST: usize = 16;

/// How many different bytes a key has at least. Random hexadecimal digits hardly ever have fewer.
const LEAST_VARIETY: usize = 8;

/// The secret that deploying takes, besides the cookie. `Debug` doesn't show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct DeployKey(Vec<u8>);

/// Why there is no deploy key. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read.
    #[error("the deploy key {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than the file's owner may read it.
    #[error("other users can read the deploy key {} (mode {mode:03o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is larger than any key.
    #[error("the deploy key {} is larger than {LARGEST_FILE} bytes", .0.display())]
    TooLarge(PathBuf),
    /// The key could be guessed.
    #[error("the deploy key {} {weakness}", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
        /// In which way.
        weakness: String,
    },
}

impl KeyError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Exposed { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::Weak { .. } | Self::Read { .. } | Self::TooLarge(_) => {
                "make one with `openssl rand -hex 32`, and give it to the nodes and to those who may deploy".to_owned()
            }
        }
    }
}

impl DeployKey {
    /// The key in a file, without the white space around it.
    ///
    /// # Errors
    /// The file can't be read, can be read by others than its owner, or has a key that could be guessed.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let owned = || path.to_owned();
        let failed = |source| KeyError::Read { path: owned(), source };
        let file = File::open(path).map_err(failed)?;
        if let Some(mode) = exposed(&file.metadata().map_err(failed)?) {
            return Err(KeyError::Exposed { path: owned(), mode });
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(KeyError::TooLarge(owned()));
        }
        Self::new(bytes.trim_ascii().to_vec()).map_err(|weakness| KeyError::Weak {
            path: owned(),
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
            Err(format!("is made of {different} different characters only"))
        } else {
            Ok(Self(bytes))
        }
    }

    /// The message authentication code of these parts under this key.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.0, parts).finalize().into_bytes().into()
    }
}

impl fmt::Debug for DeployKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeployKey(…)")
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

/// The permissions of a file if they let in others than its owner.
#[cfg(unix)]
fn exposed(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    (metadata.is_file() && mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn exposed(_: &Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        assert_eq!(
            DeployKey::new(b"short".to_vec()).unwrap_err(),
            "has 5 bytes; expected at least 16"
        );
        assert_eq!(
            DeployKey::new(b"abababababababababab".to_vec()).unwrap_err(),
            "is made of 2 different characters only"
        );
        let key = DeployKey::new(b"0123456789abcdef".to_vec()).unwrap();
        assert_eq!(format!("{key:?}"), "DeployKey(…)");
    }

    /// The first test case of RFC 4231 that has a key as long as a hash, with the framing of the parts taken out.
    #[test]
    fn parts_are_told_apart() {
        let key = DeployKey::new(b"0123456789abcdef".to_vec()).unwrap();
        assert_eq!(key.mac(&[b"ab", b"c"]), key.mac(&[b"ab", b"c"]));
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"abc"]));
    }
}
