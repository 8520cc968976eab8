//! The key of the compile cache: what shows that an entry was written by a node of this installation.
//!
//! It is not in the cache but beside the states of nodes, so that who can write to the cache, or brings one from elsewhere, can't
//! make a node run native code. The nodes that share a cache share the key; those that don't have entries of their own.

use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::error::EngineError;
use crate::files::{self, Secret};

/// In bytes: a key as hexadecimal digits, and some white space.
const LARGEST_FILE: u64 = 256;

/// What the key's own name is made of.
const NAME: &[u8] = b"ractor-host: the name of a key";

/// A secret. `Debug` doesn't show it.
#[derive(Clone)]
pub(crate) struct CacheKey([u8; 32]);

impl std::fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheKey(…)")
    }
}

impl CacheKey {
    /// The key in this file, which is made with a new one if it isn't there.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let unusable = |reason: String| EngineError::CacheKey {
            path: path.to_owned(),
            reason,
        };
        if let Some(key) = Self::read(path).map_err(unusable)? {
            return Ok(key);
        }
        let made = Self(rand::random());
        // It fails where a file is already, so that nodes that start at once end up with one key.
        match made.write(path) {
            Ok(()) => return Ok(made),
            // Another node was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(format!("it can't be made: {error}"))),
        }
        Self::read(path)
            .map_err(unusable)?
            .ok_or_else(|| unusable("it was removed as soon as it was made".to_owned()))
    }

    /// None if there is no such file.
    fn read(path: &Path) -> Result<Option<Self>, String> {
        let bytes = match files::read_secret(Secret::CacheKey, path, LARGEST_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(format!("{}; {}", error.fault, error.help())),
        };
        let mut key = [0; 32];
        hex::decode_to_slice(bytes.trim_ascii(), &mut key).map_err(|_| {
            "it has something else than 64 hexadecimal digits; remove it, and a new one is made".to_owned()
        })?;
        Ok(Some(Self(key)))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        files::create_folder(&files::folder_of(path))?;
        files::create(path, format!("{}\n", hex::encode(self.0)).as_bytes())
    }

    /// The message authentication code of these parts, one after the other. All but the last have lengths of their own.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.begin(parts).finalize().into_bytes().into()
    }

    /// True if this is their code. Takes as long whatever it is.
    pub(super) fn verify(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        self.begin(parts).verify_slice(code).is_ok()
    }

    /// Tells keys apart, and says nothing of them.
    pub(super) fn name(&self) -> [u8; 32] {
        self.mac(&[NAME])
    }

    fn begin(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.0) {
            Ok(mac) => mac,
            // HMAC takes keys of any length.
            Err(_) => Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()),
        };
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_then_the_same_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/cache.key");
        let first = CacheKey::open(&path).unwrap();
        assert_eq!(CacheKey::open(&path).unwrap().0, first.0);
        // Who would make another finds that it is there.
        assert_eq!(first.write(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_ne!(
            CacheKey::open(&folder.path().join("other.key")).unwrap().name(),
            first.name()
        );
        let code = first.mac(&[b"a", b"b"]);
        assert!(first.verify(&[b"a", b"b"], &code));
        assert!(!first.verify(&[b"a", b"c"], &code));
    }

    #[cfg(unix)]
    #[test]
    fn one_that_others_know_or_that_is_none_is_not_used() {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.key");
        CacheKey::open(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = CacheKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("can be read by every user"), "{error}");
        std::fs::write(&path, "no key").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = CacheKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("64 hexadecimal digits; remove it"), "{error}");
    }
}
