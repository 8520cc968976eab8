//! Compiled code on disk, so that a component is compiled once per machine and engine.
//!
//! Compiled code is native code: running it is trusting it. An entry therefore only comes from the compiler of a node of this
//! installation: it lives in a directory that nobody else can write to, and carries an authentication code under a key that is
//! elsewhere (`cache_key`), so that a forged, torn or rotten file is recompiled instead of run. What does not check out is removed
//! with a log line.
//!
//! The nodes of one user on a machine share it. A lock for each component makes them wait for the first that compiles it. How
//! much is kept, and what goes first, is in `room`.

mod room;

use std::fs::File;
use std::hash::{Hash as _, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use super::cache_key::CacheKey;
use super::error::EngineError;
use super::source::Digest;
use crate::files::{self, ForeignWriter, Owner, Unguarded};
use room::{NoRoom, Room};

pub(crate) use room::InUse;

const MAGIC: &[u8; 8] = b"rhcode\0\x02";

/// The length of the code that an entry carries, in bytes.
const CODE: usize = 32;

/// The longest wait for another node that compiles the same component. It may be frozen, or very slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// The directory of compiled code, for one engine.
pub(crate) struct Cache {
    directory: PathBuf,
    /// Identifies the compiler, its version and its settings, and the key: nodes that have others have entries of their own.
    engine: [u8; 32],
    key: CacheKey,
    room: Room,
    /// That it can't be read or written was said.
    is_in_trouble: AtomicBool,
}

/// The right to compile one component while the other nodes that share the cache wait. Ends when it is dropped, and with the
/// process.
pub(crate) struct Claim {
    /// Locked.
    _file: File,
    path: PathBuf,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Whoever waits for this very file finds the entry; whoever comes later, too, and needs no claim.
        drop(files::remove(&self.path));
    }
}

/// Why an entry is not used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it can't be read: {0}")]
    Read(#[from] io::Error),
    #[error("it {0}")]
    NotPrivate(ForeignWriter),
    #[error("it is larger than {0} bytes, the limit on the whole cache (cache_bytes)")]
    TooLarge(u64),
    #[error("it is truncated or not an entry of this cache")]
    Malformed,
    #[error("it belongs to another component or another engine")]
    Foreign,
    #[error("it is not what a node of this installation wrote")]
    Forged,
    #[error("the engine refuses it: {0}")]
    Refused(String),
}

impl Cache {
    /// Opens the cache for this engine, creating its directory if need be.
    /// It keeps entries of at most `limit` bytes together.
    pub(crate) fn open(
        directory: PathBuf,
        key: CacheKey,
        limit: u64,
        engine: &wasmtime::Engine,
    ) -> Result<Self, EngineError> {
        prepare(&directory)?;
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        // A node can't use, and would discard, what another key authenticates. With names apart each keeps its own.
        hasher.write(&key.name());
        let engine: [u8; 32] = hasher.0.finalize().into();
        let room = Room::new(&directory, suffix(&engine), limit);
        // An untidy folder still gives out its entries, so this doesn't keep the node from starting.
        if let Err(error) = room.tidy() {
            tracing::warn!(path = %directory.display(), %error, "the folder of compiled code can't be tidied up");
        }
        Ok(Self {
            directory,
            engine,
            key,
            room,
            is_in_trouble: AtomicBool::new(false),
        })
    }

    /// Keeps the entry of a component from being given up while its code runs. None if there is none.
    pub(crate) fn hold(&self, digest: &Digest) -> Option<InUse> {
        self.room.hold(&self.path(digest))
    }

    /// The compiled component, if there is a sound entry for it.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(digest);
        match self.read(engine, digest, &path) {
            Ok(component) => {
                tracing::debug!(%digest, "compiled code taken from the cache");
                Some(component)
            }
            Err(Unusable::Read(error)) if error.kind() == io::ErrorKind::NotFound => None,
            // The entry may be sound: it stays.
            Err(Unusable::Read(error)) => {
                self.warn_once(&path, &error, "cached code can't be read; compiling again");
                None
            }
            Err(reason) => {
                metrics::counter!("ractor_host_cache_entries_discarded_total").increment(1);
                tracing::warn!(path = %path.display(), %reason, "cached code discarded; compiling again");
                // If it can't be removed it is overwritten next, or found unusable again.
                drop(files::remove(&path));
                None
            }
        }
    }

    /// Waits until no other node compiles this component. None if that takes too long, or the file system has no locks: then
    /// it is compiled twice.
    pub(crate) fn claim(&self, digest: &Digest) -> Option<Claim> {
        let path = self.path(digest).with_extension("lock");
        let file = files::open_to_append(&path)
            .inspect_err(|error| tracing::debug!(path = %path.display(), %error, "no lock to compile under"))
            .ok()?;
        match files::lock(&file, PATIENCE) {
            Ok(()) => Some(Claim { _file: file, path }),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "no lock to compile under");
                None
            }
        }
    }

    /// Keeps a compiled component. A failure costs time at the next start and nothing else, so it is only logged.
    pub(crate) fn store(&self, digest: &Digest, component: &Component) {
        let path = self.path(digest);
        let stored = component
            .serialize()
            .map_err(|error| io::Error::other(format!("{error:#}")))
            .and_then(|artifact| self.write_within_limit(digest, &artifact, &path));
        match stored {
            Ok(()) => {
                self.is_in_trouble.store(false, Ordering::Relaxed);
                tracing::debug!(%digest, path = %path.display(), "compiled code cached");
            }
            Err(error) => self.warn_once(
                &path,
                &error,
                "compiled code can't be cached; the next start takes longer",
            ),
        }
    }

    /// Says it once, and again after something was cached: the same disk has the same trouble with each component.
    fn warn_once(&self, path: &Path, error: &io::Error, what: &str) {
        // Relaxed: it only chooses between a warning and a line for debugging, and nothing hangs on the order.
        if self.is_in_trouble.swap(true, Ordering::Relaxed) {
            tracing::debug!(path = %path.display(), %error, what);
        } else {
            tracing::warn!(
                path = %path.display(), %error,
                "{what}; is there room on the disk, and may the node write there? `cache_dir` in [runtime] chooses another folder"
            );
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_hex() + &suffix(&self.engine);
        self.directory.join(name)
    }

    /// What comes before the artifact, but for its authentication code: a magic number, and what it was made from and by.
    fn origin(&self, digest: &Digest) -> Vec<u8> {
        [MAGIC, digest.as_bytes().as_slice(), &self.engine].concat()
    }

    /// What comes before the artifact.
    fn header(&self, digest: &Digest, artifact: &[u8]) -> Vec<u8> {
        let origin = self.origin(digest);
        let code = self.key.mac(&[&origin, artifact]);
        [origin.as_slice(), &code].concat()
    }

    fn write_within_limit(&self, digest: &Digest, artifact: &[u8], path: &Path) -> io::Result<()> {
        let bytes = self.header(digest, &[]).len() + artifact.len();
        // Held until the entry is written, or another node would count on the same room.
        let _turn = self.room.make(path, bytes as u64).map_err(|no_room| match no_room {
            NoRoom::Io(error) => error,
            full @ NoRoom::Full { .. } => io::Error::new(io::ErrorKind::QuotaExceeded, full.to_string()),
        })?;
        self.write(digest, artifact, path)
    }

    fn write(&self, digest: &Digest, artifact: &[u8], path: &Path) -> io::Result<()> {
        files::replace(path, &[&self.header(digest, artifact), artifact])
    }

    fn read(&self, engine: &wasmtime::Engine, digest: &Digest, path: &Path) -> Result<Component, Unusable> {
        let mut file = files::open_to_read(path)?;
        // Of the open file and not of its path, so that what is checked is what is read.
        let metadata = file.metadata()?;
        if let Some(by) = files::writer(&metadata) {
            return Err(Unusable::NotPrivate(by));
        }
        // None that large was ever written.
        if metadata.len() > self.room.limit() {
            return Err(Unusable::TooLarge(self.room.limit()));
        }
        let bytes = files::read_to_end(&mut file, path)?;
        let origin = self.origin(digest);
        let (found, rest) = bytes.split_at_checked(origin.len()).ok_or(Unusable::Malformed)?;
        let (code, artifact) = rest.split_at_checked(CODE).ok_or(Unusable::Malformed)?;
        if !found.starts_with(MAGIC) {
            return Err(Unusable::Malformed);
        }
        // Asked for the sake of the log: an entry of something else isn't a forgery. The code below would refuse it,
        // too.
        if found != origin {
            return Err(Unusable::Foreign);
        }
        if !self.key.verify(&[&origin, artifact], code) {
            return Err(Unusable::Forged);
        }
        #[expect(unsafe_code, reason = "wasmtime can't check native code, so it asks for a promise")]
        // SAFETY: the bytes were written by `write` above, which only gets what `Component::serialize` returns: nobody else
        // has the key that they are authenticated with, and so they are complete and unchanged.
        let component = unsafe { Component::deserialize(engine, artifact) };
        component.map_err(|error| Unusable::Refused(format!("{error:#}")))
    }
}

/// What the names of an engine's entries end with.
fn suffix(engine: &[u8; 32]) -> String {
    format!("-{}.code", hex::encode(engine.get(..8).unwrap_or_default()))
}

/// Makes the directory and checks that it is ours alone and can be written.
fn prepare(directory: &Path) -> Result<(), EngineError> {
    let unusable = |source| EngineError::CacheDirectory {
        path: directory.to_owned(),
        source,
    };
    files::create_folder(directory).map_err(unusable)?;
    files::sweep(directory);
    match files::check_writers(directory, Owner::Ours) {
        Ok(()) => {}
        Err(Unguarded::Writable(by)) => {
            return Err(EngineError::CacheNotPrivate {
                path: directory.to_owned(),
                by,
            });
        }
        Err(Unguarded::Unknown(error)) => return Err(unusable(error)),
    }
    // Tried now, so that a folder which can't be written is known at the start and not after the first compilation.
    files::temporary(directory).map(drop).map_err(unusable)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::fault::{Disk, ERRORS};

    fn key() -> CacheKey {
        CacheKey::open(&tempfile::tempdir().unwrap().path().join("cache.key")).unwrap()
    }

    /// Each step fails in each way: code is there or it is not, and what is there is sound.
    #[test]
    fn a_disk_that_fails_costs_compiled_code_and_nothing_else() {
        let wasmtime = wasmtime::Engine::default();
        let bytes = wat::parse_str("(component)").unwrap();
        let component = Component::new(&wasmtime, &bytes).unwrap();
        let digest = Digest::of(&bytes);
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::under(folder.path());
        let work = |cache: &Cache| {
            drop(cache.claim(&digest));
            cache.store(&digest, &component);
            cache.load(&wasmtime, &digest).is_some()
        };
        let cache = Cache::open(folder.path().join("measured"), key(), u64::MAX, &wasmtime).unwrap();
        disk.heal();
        assert!(work(&cache));
        let steps = disk.steps();
        for error in ERRORS {
            for at in 0..steps {
                let directory = folder.path().join(format!("{error}-{at}"));
                let cache = Cache::open(directory.clone(), key(), u64::MAX, &wasmtime).unwrap();
                disk.fail(at, 1, error);
                work(&cache);
                assert_eq!(disk.failed(), 1);
                disk.fail(0, usize::MAX, error);
                assert!(!work(&cache), "nothing can be read");
                disk.heal();
                assert!(work(&cache), "error {error} at step {at}");
                let left = fs::read_dir(&directory).unwrap().count();
                assert!(left <= 2, "the entry, and a lock that could not be removed");
            }
        }
    }

    #[test]
    fn a_sound_entry_that_cant_be_read_now_is_not_discarded() {
        let wasmtime = wasmtime::Engine::default();
        let bytes = wat::parse_str("(component)").unwrap();
        let digest = Digest::of(&bytes);
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned(), key(), u64::MAX, &wasmtime).unwrap();
        cache.store(&digest, &Component::new(&wasmtime, &bytes).unwrap());
        let disk = Disk::under(folder.path());
        for (error, at) in ERRORS.into_iter().flat_map(|error| [(error, 0), (error, 1)]) {
            disk.fail(at, 1, error);
            assert!(cache.load(&wasmtime, &digest).is_none());
            disk.heal();
            assert!(cache.load(&wasmtime, &digest).is_some());
        }
    }
}
