//! Compiled code on disk, so that a component is compiled once per machine and engine.
//!
//! Compiled code is native code: running it is trusting it. An entry therefore only comes from the compiler of a node of this
//! installation: it lives in a directory that nobody else can write to, and carries an authentication code under a key that is
//! elsewhere (`cache_key`), so that a forged, torn or rotten file is recompiled instead of run. What does not check out is removed
//! with a log line.
//!
//! Beside components it has *packs*: the functions of each module's last version (`functions`), authenticated in the same way.
//!
//! The nodes of one user on a machine share it. A lock for each component makes them wait for the first that compiles it. How
//! much is kept, and what goes first, is in `room`.

mod functions;
mod room;
#[cfg(test)]
mod tests;

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

pub(crate) use functions::Functions;
pub(crate) use room::InUse;

/// What an entry has. Each begins with a magic number of its own, so that none is taken for one of the other kind.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The code of a component, by the digest of its file.
    Component,
    /// The functions of a module's last version, by a digest of its name.
    Pack,
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Component => b"rhcode\0\x02",
            Self::Pack => b"rhpack\0\x01",
        }
    }

    /// What an entry's name has between what it is of and the engine.
    fn infix(self) -> &'static str {
        match self {
            Self::Component => "",
            Self::Pack => "-functions",
        }
    }
}

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
        self.room.hold(&self.path(Kind::Component, digest))
    }

    /// The compiled component, if there is a sound entry for it.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, digest: &Digest) -> Option<Component> {
        self.take(Kind::Component, digest, |bytes, start| {
            let artifact = bytes.get(start..).unwrap_or_default();
            #[expect(unsafe_code, reason = "wasmtime can't check native code, so it asks for a promise")]
            // SAFETY: the bytes were written by `write` below, which only gets what this host's compiler made: nobody else has
            // the key that they are authenticated with, and so they are complete and unchanged.
            let component = unsafe { Component::deserialize(engine, artifact) };
            component.map_err(|error| Unusable::Refused(format!("{error:#}")))
        })
    }

    /// The functions of the module's last version; none of a module that was not compiled before.
    pub(crate) fn functions(&self, module: &str) -> Functions {
        let pack = self.take(Kind::Pack, &pack_id(module), |bytes, start| {
            Functions::from_pack(bytes, start).ok_or(Unusable::Malformed)
        });
        pack.unwrap_or_default()
    }

    /// Keeps the functions of a module's version that was compiled, in place of those of the version before.
    pub(crate) fn store_functions(&self, module: &str, functions: &Functions) {
        if let Some(pack) = functions.to_pack() {
            self.keep(Kind::Pack, &pack_id(module), &pack);
        }
    }

    /// What `read` makes of a sound entry, from its bytes and where its content begins in them.
    fn take<T>(&self, kind: Kind, id: &Digest, read: impl FnOnce(Vec<u8>, usize) -> Result<T, Unusable>) -> Option<T> {
        let path = self.path(kind, id);
        match self.read(kind, id, &path).and_then(|(bytes, start)| read(bytes, start)) {
            Ok(content) => {
                tracing::debug!(path = %path.display(), "compiled code taken from the cache");
                Some(content)
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
        let path = self.path(Kind::Component, digest).with_extension("lock");
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

    /// Keeps a compiled component, as the compiler wrote it.
    pub(crate) fn store(&self, digest: &Digest, artifact: &[u8]) {
        self.keep(Kind::Component, digest, artifact);
    }

    /// Writes an entry. A failure costs time at the next start and nothing else, so it is only logged.
    fn keep(&self, kind: Kind, id: &Digest, content: &[u8]) {
        let path = self.path(kind, id);
        match self.write_within_limit(kind, id, content, &path) {
            Ok(()) => {
                self.is_in_trouble.store(false, Ordering::Relaxed);
                tracing::debug!(path = %path.display(), "compiled code cached");
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

    fn path(&self, kind: Kind, id: &Digest) -> PathBuf {
        let name = id.to_hex() + kind.infix() + &suffix(&self.engine);
        self.directory.join(name)
    }

    /// What comes before the content, but for its authentication code: a magic number, and what it was made from and by.
    fn origin(&self, kind: Kind, id: &Digest) -> Vec<u8> {
        [kind.magic().as_slice(), id.as_bytes(), &self.engine].concat()
    }

    fn write_within_limit(&self, kind: Kind, id: &Digest, content: &[u8], path: &Path) -> io::Result<()> {
        let origin = self.origin(kind, id);
        let code = self.key.mac(&[&origin, content]);
        let bytes = origin.len() + code.len() + content.len();
        // Held until the entry is written, or another node would count on the same room.
        let _turn = self.room.make(path, bytes as u64).map_err(|no_room| match no_room {
            NoRoom::Io(error) => error,
            full @ NoRoom::Full { .. } => io::Error::new(io::ErrorKind::QuotaExceeded, full.to_string()),
        })?;
        files::replace(path, &[&origin, &code, content])
    }

    /// The bytes of an entry that a node of this installation wrote, and where its content begins in them.
    fn read(&self, kind: Kind, id: &Digest, path: &Path) -> Result<(Vec<u8>, usize), Unusable> {
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
        let origin = self.origin(kind, id);
        let (found, rest) = bytes.split_at_checked(origin.len()).ok_or(Unusable::Malformed)?;
        let (code, content) = rest.split_at_checked(CODE).ok_or(Unusable::Malformed)?;
        if !found.starts_with(kind.magic()) {
            return Err(Unusable::Malformed);
        }
        // Asked for the sake of the log: an entry of something else isn't a forgery. The code below would refuse it,
        // too.
        if found != origin {
            return Err(Unusable::Foreign);
        }
        if !self.key.verify(&[&origin, content], code) {
            return Err(Unusable::Forged);
        }
        Ok((bytes, origin.len() + CODE))
    }
}

/// What the pack of a module is found by. Nodes that call different components by one name share it, which costs them time.
fn pack_id(module: &str) -> Digest {
    Digest::of(module.as_bytes())
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
