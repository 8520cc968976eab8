//! The files that TLS is made of, and their contents.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{TlsError, TlsFile};
use crate::files::{self, Owner, Secret, Unguarded};

/// The largest file that is read, in bytes: four times the CA bundle of a whole operating system.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The files with the certificates of a node. All are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate that the node shows to others. Needed to accept connections, and to connect to nodes that ask for it.
    pub identity: Option<IdentityFiles>,
    /// The certificates to which those of others must lead. Needed to connect, and to check nodes that connect.
    pub ca: Option<PathBuf>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate first, then those that lead from it to the CA, which itself may be left out.
    pub cert: PathBuf,
    /// The private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// What is in the files.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) cert: Option<Vec<u8>>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) ca: Option<Vec<u8>>,
}

impl TlsFiles {
    /// Reads all files. They are small, and their contents say more about a change than their times do: a mounted secret is
    /// replaced by turning a symbolic link.
    pub(super) fn read(&self) -> Result<Contents, TlsError> {
        let (cert, key) = match &self.identity {
            Some(identity) => (
                Some(read(TlsFile::Cert, &identity.cert)?),
                Some(read(TlsFile::Key, &identity.key)?),
            ),
            None => (None, None),
        };
        let ca = self.ca.as_deref().map(|path| read(TlsFile::Ca, path)).transpose()?;
        Ok(Contents { cert, key, ca })
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contents(…)")
    }
}

/// What is in one file, without the mark that some editors put at the start of a text.
pub(super) fn read(file: TlsFile, path: &Path) -> Result<Vec<u8>, TlsError> {
    if file == TlsFile::Key {
        return Ok(files::read_secret(Secret::PrivateKey, path, LARGEST_FILE)?);
    }
    let unread = |source| TlsError::Read {
        file,
        path: path.to_owned(),
        source,
    };
    let bytes = files::read(path, LARGEST_FILE).map_err(unread)?;
    // After the read, whose error is in plainer words.
    match files::check_writers(path, Owner::Anybody) {
        Ok(()) => Ok(files::without_mark(&bytes).to_vec()),
        Err(Unguarded::Writable(by)) => {
            let path = path.to_owned();
            Err(TlsError::Writable { file, path, by })
        }
        // Whom a node trusts is not to hang on a file that anybody may be able to change.
        Err(Unguarded::Unknown(error)) => Err(unread(error.into())),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// The real path of a file may be longer than the system takes, so that nobody can be asked who may write to it.
    #[test]
    fn certificates_are_not_trusted_if_it_is_not_known_who_may_change_them() {
        let folder = tempfile::tempdir().unwrap();
        let deep = |from: &Path| (0..12).fold(from.to_owned(), |path, _| path.join("x".repeat(250)));
        let first = deep(folder.path());
        fs::create_dir_all(&first).unwrap();
        let short = folder.path().join("short");
        symlink(&first, &short).unwrap();
        let second = deep(&short);
        fs::create_dir_all(&second).unwrap();
        let path = second.join("ca.pem");
        fs::write(&path, "certificates").unwrap();
        let error = read(TlsFile::Ca, &path).unwrap_err();
        assert!(matches!(error, TlsError::Read { .. }), "{error}");
        let near = short.join("ca.pem");
        fs::write(&near, "certificates").unwrap();
        assert_eq!(read(TlsFile::Ca, &near).unwrap(), b"certificates");
    }
}
