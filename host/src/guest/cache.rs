//! Compiled code on disk, so that a component is compiled once per machine and engine.
//!
//! Compiled code is native code: running it is trusting it. An entry therefore only comes from this process's own
//! compiler, lives in a directory that nobody else can write to, and carries a checksum, so that a torn or rotten
//! file is recompiled instead of run. What does not check out is removed with a log line.
//!
//! The nodes of one user on a machine share it. A lock for each component makes them wait for the first that compiles it.

use std::fs::{self, File, TryLockError};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use super::error::EngineError;
use super::source::Digest;

const MAGIC: &[u8; 8] = b"rhcode\0\x01";

/// How long it is waited for another node that compiles the same component. It may be frozen, or very slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked whether it is done.
const INTERVAL: Duration = Duration::from_millis(50);

/// The directory of compiled code, for one engine.
pub(super) struct Cache {
    directory: PathBuf,
    /// Identifies the compiler, its version and its settings.
    engine: [u8; 32],
}

/// The right to compile one component while the other nodes that share the cache wait. Ends when it is dropped, and with the
/// process.
pub(super) struct Claim {
    /// Locked.
    _file: File,
    path: PathBuf,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Whoever waits for this very file finds the entry; whoever comes later, too, and needs no claim.
        drop(fs::remove_file(&self.path));
    }
}

/// Why an entry is not used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it can't be read: {0}")]
    Read(#[from] io::Error),
    #[error("others may write to it")]
    NotPrivate,
    #[error("it is truncated or not an entry of this cache")]
    Malformed,
    #[error("it belongs to another component or another engine")]
    Foreign,
    #[error("its checksum is wrong")]
    Corrupt,
    #[error("the engine refuses it: {0}")]
    Refused(String),
}

impl Cache {
    /// Opens the cache for this engine, creating its directory if need be.
    pub(super) fn open(directory: PathBuf, engine: &wasmtime::Engine) -> Result<Self, EngineError> {
        prepare(&directory)?;
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            directory,
            engine: hasher.0.finalize().into(),
        })
    }

    /// The compiled component, if there is a sound entry for it.
    pub(super) fn load(&self, engine: &wasmtime::Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(digest);
        match self.read(engine, digest, &path) {
            Ok(component) => {
                tracing::debug!(%digest, "compiled code taken from the cache");
                Some(component)
            }
            Err(Unusable::Read(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(reason) => {
                tracing::warn!(path = %path.display(), %reason, "cached code discarded; compiling again");
                // If it can't be removed it is overwritten next, or found unusable again.
                drop(fs::remove_file(&path));
                None
            }
        }
    }

    /// Waits until no other node compiles this component. None if that takes too long, or the file system has no locks: then
    /// it is compiled twice.
    pub(super) fn claim(&self, digest: &Digest) -> Option<Claim> {
        let path = self.path(digest).with_extension("lock");
        let file = open_private(&path)
            .inspect_err(|error| tracing::debug!(path = %path.display(), %error, "no lock to compile under"))
            .ok()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Claim { _file: file, path }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(INTERVAL),
                Err(error) => {
                    tracing::debug!(path = %path.display(), %error, "no lock to compile under");
                    return None;
                }
            }
        }
    }

    /// Keeps a compiled component. A failure costs time at the next start and nothing else, so it is only logged.
    pub(super) fn store(&self, digest: &Digest, component: &Component) {
        let path = self.path(digest);
        let stored = component
            .serialize()
            .map_err(|error| io::Error::other(format!("{error:#}")))
            .and_then(|artifact| self.write(digest, &artifact, &path));
        match stored {
            Ok(()) => tracing::debug!(%digest, path = %path.display(), "compiled code cached"),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code could not be cached");
            }
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let engine = hex::encode(self.engine.get(..8).unwrap_or_default());
        self.directory.join(format!("{}-{engine}.code", digest.to_hex()))
    }

    /// What comes before the artifact: a magic number, what it was made from and by, and its checksum.
    fn header(&self, digest: &Digest, artifact: &[u8]) -> Vec<u8> {
        let checksum: [u8; 32] = Sha256::digest(artifact).into();
        [MAGIC, digest.as_bytes().as_slice(), &self.engine, &checksum].concat()
    }

    fn write(&self, digest: &Digest, artifact: &[u8], path: &Path) -> io::Result<()> {
        // Created with mode 0600 by tempfile.
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(&self.header(digest, artifact))?;
        file.write_all(artifact)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    fn read(&self, engine: &wasmtime::Engine, digest: &Digest, path: &Path) -> Result<Component, Unusable> {
        let mut file = File::open(path)?;
        if open_to_others(&file.metadata()?).is_some() {
            return Err(Unusable::NotPrivate);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let header_length = self.header(digest, &[]).len();
        let (header, artifact) = bytes.split_at_checked(header_length).ok_or(Unusable::Malformed)?;
        let expected = self.header(digest, artifact);
        if !header.starts_with(MAGIC) {
            return Err(Unusable::Malformed);
        }
        let made_from = header_length - 32;
        if header.get(..made_from) != expected.get(..made_from) {
            return Err(Unusable::Foreign);
        }
        if header != expected {
            return Err(Unusable::Corrupt);
        }
        #[expect(unsafe_code, reason = "wasmtime can't check native code, so it asks for a promise")]
        // SAFETY: the bytes were written by `write` above, which only gets what `Component::serialize` returns: the
        // directory is writable by this user alone, and the checksum shows that they are complete and unchanged.
        let component = unsafe { Component::deserialize(engine, artifact) };
        component.map_err(|error| Unusable::Refused(format!("{error:#}")))
    }
}

/// Makes the directory and checks that it is ours alone and can be written.
fn prepare(directory: &Path) -> Result<(), EngineError> {
    let unusable = |source| EngineError::CacheDirectory {
        path: directory.to_owned(),
        source,
    };
    create_private(directory).map_err(unusable)?;
    let metadata = fs::metadata(directory).map_err(unusable)?;
    let probe = tempfile::NamedTempFile::new_in(directory)
        .and_then(|file| file.as_file().metadata())
        .map_err(unusable)?;
    match open_to_others(&metadata).or_else(|| owned_by_another(&metadata, &probe)) {
        Some(reason) => Err(EngineError::CacheNotPrivate {
            path: directory.to_owned(),
            reason,
        }),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(unix)]
fn open_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().create(true).append(true).mode(0o600).open(path)
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o022 != 0).then(|| format!("its mode is {mode:o}"))
}

#[cfg(unix)]
fn owned_by_another(directory: &fs::Metadata, ours: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, we) = (directory.uid(), ours.uid());
    (owner != we && owner != 0).then(|| format!("it belongs to user {owner}, we are user {we}"))
}

#[cfg(not(unix))]
fn create_private(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)
}

#[cfg(not(unix))]
fn open_private(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn owned_by_another(_: &fs::Metadata, _: &fs::Metadata) -> Option<String> {
    None
}

/// The standard hashers are not the same in every build of a program, but file names must be.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Nobody asks: the digest is read from the inside.
        0
    }
}
