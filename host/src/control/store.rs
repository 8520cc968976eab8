//! Components that were uploaded, by content: each is kept under the SHA-256 of its bytes.
//!
//! A component arrives in pieces, in order, into a file of its own, which takes its final name when it is complete and has
//! the digest that was announced. An upload that was cut off goes on where it stopped, also after a restart of the node.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::files::{self, FileStep};
use crate::guest::Digest;

/// The time without a piece after which an upload is given up.
const STALE: Duration = Duration::from_hours(1);

/// The time without a piece after which an upload gives its place to another: its client has gone.
const IDLE: Duration = Duration::from_secs(10);

/// The most uploads that may be under way.
const MOST_UPLOADS: usize = 8;

/// What the store takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// The largest component, in bytes.
    pub component_bytes: u64,
    /// All components and uploads together, in bytes. Beyond it those that no module uses are given up, the oldest first.
    pub total_bytes: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            component_bytes: 256 << 20,
            total_bytes: 1 << 30,
        }
    }
}

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UploadProgress {
    /// Where the next piece belongs.
    pub(crate) offset: u64,
    /// True if all of it is there, and is what was announced.
    pub(crate) complete: bool,
}

/// Why a component is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the component has {size} bytes; this node takes {limit} at most")]
    TooLarge { size: u64, limit: u64 },
    #[error("the component is empty")]
    Empty,
    #[error("the node's store of components is full ({limit} bytes), and all of them are in use")]
    Full { limit: u64 },
    #[error("{MOST_UPLOADS} uploads are under way at this node; try again later")]
    TooMany,
    #[error("no upload of {0} was begun at this node, or it was given up meanwhile; begin again")]
    NotBegun(Digest),
    #[error("the piece belongs to byte {found}; the upload of {digest} is at {expected}")]
    Place { digest: Digest, expected: u64, found: u64 },
    #[error("the upload of {0} has more bytes than were announced")]
    TooLong(Digest),
    #[error("what was uploaded as {announced} is {found}; it was given up")]
    Mismatch { announced: Digest, found: Digest },
    #[error("the component can't be kept in {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct ComponentStore {
    folder: PathBuf,
    limits: StoreLimits,
    uploads: HashMap<Digest, PartialUpload>,
    /// Components that modules use or may go back to.
    used: BTreeSet<Digest>,
    /// True if a component has its final name, and it is not certain that it keeps it if the machine loses power.
    is_unsynced: bool,
}

struct PartialUpload {
    file: File,
    size: u64,
    offset: u64,
    hasher: Sha256,
    touched: SystemTime,
}

impl std::fmt::Debug for PartialUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("size", &self.size)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// A file of the store.
struct Stored {
    path: PathBuf,
    digest: Option<Digest>,
    is_upload: bool,
    bytes: u64,
    modified: SystemTime,
}

fn file_of(folder: &Path, digest: &Digest) -> PathBuf {
    folder.join(format!("{}.wasm", digest.to_hex()))
}

impl ComponentStore {
    /// Opens the store in this folder, which is made if need be, for this user alone.
    pub(crate) fn open(folder: PathBuf, limits: StoreLimits) -> Result<Self, UploadError> {
        let store = Self {
            folder,
            limits,
            uploads: HashMap::new(),
            used: BTreeSet::new(),
            is_unsynced: false,
        };
        files::create_folder(&store.folder).map_err(|source| store.failed(&store.folder, source))?;
        Ok(store)
    }

    /// The file of a component in a store in this folder, if it is there and nothing shows that it is damaged. Touches nothing.
    pub(crate) fn look(folder: &Path, digest: &Digest) -> Option<PathBuf> {
        let path = file_of(folder, digest);
        let is_sound = match files::read(&path, files::LARGEST) {
            Ok(bytes) => Digest::of(&bytes) == *digest,
            // What can't be read now may be sound, as for `sound_path`: a check and a start have to speak about the same code.
            Err(error) => !error.is_not_found(),
        };
        is_sound.then_some(path)
    }

    /// Says which components modules use or may go back to. These are not given up.
    pub(crate) fn set_used(&mut self, used: BTreeSet<Digest>) {
        self.used = used;
    }

    /// The file of a component, if it is there.
    pub(crate) fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = file_of(&self.folder, digest);
        path.is_file().then_some(path)
    }

    /// The same, if it still has what its name says. One that has something else is put aside.
    pub(crate) fn sound_path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.path(digest)?;
        // What can't be read now may be sound.
        let Ok(found) = Digest::of_file(&path, files::LARGEST) else {
            return Some(path);
        };
        if found == *digest {
            return Some(path);
        }
        let aside = files::aside(&path);
        match files::rename(&path, &aside) {
            Ok(()) => tracing::error!(
                path = %path.display(), aside = %aside.display(),
                "a component that was deployed is damaged and put aside; deploy it again"
            ),
            Err(error) => tracing::error!(path = %path.display(), %error, "a component that was deployed is damaged"),
        }
        None
    }

    /// Begins an upload, or goes on with one that was begun before.
    pub(crate) fn begin(&mut self, digest: Digest, size: u64) -> Result<UploadProgress, UploadError> {
        let limit = self.limits.component_bytes;
        if size == 0 {
            return Err(UploadError::Empty);
        }
        if size > limit {
            return Err(UploadError::TooLarge { size, limit });
        }
        if self.sound_path(&digest).is_some() {
            // An earlier sync may have failed after the rename. Only a name that outlives the machine's power is complete.
            self.sync_names()?;
            return Ok(UploadProgress {
                offset: size,
                complete: true,
            });
        }
        let now = SystemTime::now();
        self.give_up_stale(now)?;
        if let Some(upload) = self.uploads.get_mut(&digest).filter(|upload| upload.size == size) {
            upload.touched = now;
            return Ok(UploadProgress {
                offset: upload.offset,
                complete: false,
            });
        }
        if self.uploads.len() >= MOST_UPLOADS && !self.uploads.contains_key(&digest) {
            self.put_aside_idle(now)?;
        }
        // Room for all that is announced, before the first byte: several uploads together could outgrow the store otherwise.
        self.make_room(size, &digest)?;
        let upload = self.open_upload(&digest, size, now)?;
        let offset = upload.offset;
        self.uploads.insert(digest, upload);
        // An earlier attempt brought all the bytes and failed at the end. No further piece will come to finish it.
        if offset == size {
            return self.finish(digest);
        }
        Ok(UploadProgress {
            offset,
            complete: false,
        })
    }

    /// Gives the place of the upload that has lain still for the longest to another. What came of it stays: its client goes on where
    /// it stopped, once it begins again.
    fn put_aside_idle(&mut self, now: SystemTime) -> Result<(), UploadError> {
        let is_idle = |upload: &PartialUpload| now.duration_since(upload.touched).is_ok_and(|time| time >= IDLE);
        let idle = self.uploads.iter().filter(|(_, upload)| is_idle(upload));
        let longest = idle.min_by_key(|(_, upload)| upload.touched).map(|(digest, _)| *digest);
        self.uploads.remove(&longest.ok_or(UploadError::TooMany)?);
        Ok(())
    }

    /// Takes the piece that begins at `offset`.
    pub(crate) fn put(&mut self, digest: Digest, offset: u64, piece: &[u8]) -> Result<UploadProgress, UploadError> {
        let path = self.upload_path(&digest);
        let Some(upload) = self.uploads.get_mut(&digest) else {
            return Err(UploadError::NotBegun(digest));
        };
        // A piece that comes twice, or without the one before it, would shift all that follow. The error says where to go on.
        if offset != upload.offset {
            return Err(UploadError::Place {
                digest,
                expected: upload.offset,
                found: offset,
            });
        }
        let end = offset.saturating_add(piece.len() as u64);
        if end > upload.size {
            return Err(UploadError::TooLong(digest));
        }
        if let Err(source) = files::write(&mut upload.file, &path, piece) {
            // How much of it was written isn't known: the next attempt looks.
            self.uploads.remove(&digest);
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
                // Others need the room more than a part of a component that may never be whole.
                drop(files::remove(&path));
            }
            return Err(UploadError::File { path, source });
        }
        upload.hasher.update(piece);
        upload.offset = end;
        upload.touched = SystemTime::now();
        if end < upload.size {
            return Ok(UploadProgress {
                offset: end,
                complete: false,
            });
        }
        self.finish(digest)
    }

    /// Checks an upload that has all its bytes and gives it its name.
    fn finish(&mut self, digest: Digest) -> Result<UploadProgress, UploadError> {
        let part = self.upload_path(&digest);
        let Some(upload) = self.uploads.remove(&digest) else {
            return Err(UploadError::NotBegun(digest));
        };
        let found = Digest::from_bytes(upload.hasher.finalize().into());
        if found != digest {
            // Otherwise the next attempt would go on with bytes that are known to be wrong.
            files::remove(&part).map_err(|source| self.failed(&part, source))?;
            return Err(UploadError::Mismatch {
                announced: digest,
                found,
            });
        }
        let place = self.folder.join(format!("{}.wasm", digest.to_hex()));
        if let Err(source) = files::sync(&upload.file, &part) {
            // The system may have dropped what it could not write, and say the next time that all is well.
            drop(files::remove(&part));
            return Err(self.failed(&place, source));
        }
        files::rename_unsynced(&part, &place).map_err(|source| self.failed(&place, source))?;
        // Before the sync: if that fails, whoever asks for this component next makes up for it.
        self.is_unsynced = true;
        self.sync_names()?;
        Ok(UploadProgress {
            offset: upload.size,
            complete: true,
        })
    }

    /// Makes sure that what is said to be complete is so after the machine has lost power.
    fn sync_names(&mut self) -> Result<(), UploadError> {
        if self.is_unsynced {
            files::sync_folder(&self.folder).map_err(|source| self.failed(&self.folder, source))?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    /// The file of an upload, with what is there of it already.
    fn open_upload(&self, digest: &Digest, size: u64, now: SystemTime) -> Result<PartialUpload, UploadError> {
        let path = self.upload_path(digest);
        let failed = |source| self.failed(&path, source);
        let mut file = files::open_to_append(&path).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut offset = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = files::read_some(&mut file, &path, &mut buffer).map_err(failed)?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            offset += read as u64;
        }
        // More is there than was announced, so what is there is something else.
        if offset > size {
            files::resize(&file, &path, 0).map_err(failed)?;
            (hasher, offset) = (Sha256::new(), 0);
        }
        Ok(PartialUpload {
            file,
            size,
            offset,
            hasher,
            touched: now,
        })
    }

    /// Gives up uploads that nobody goes on with.
    fn give_up_stale(&mut self, now: SystemTime) -> Result<(), UploadError> {
        // A time in the future means that the clock was set back, which is no reason to give anything up.
        let is_stale = |touched: SystemTime| now.duration_since(touched).is_ok_and(|age| age > STALE);
        self.uploads.retain(|_, upload| !is_stale(upload.touched));
        for stored in self.stored()? {
            let goes_on = stored.digest.is_some_and(|digest| self.uploads.contains_key(&digest));
            if stored.is_upload && !goes_on && is_stale(stored.modified) {
                self.remove(&stored)?;
            }
        }
        Ok(())
    }

    /// Gives up what is used least until there is room for an upload.
    fn make_room(&self, size: u64, of: &Digest) -> Result<(), UploadError> {
        let limit = self.limits.total_bytes;
        let mut stored = self.stored()?;
        stored.retain(|stored| stored.digest.as_ref() != Some(of));
        stored.sort_by_key(|stored| stored.modified);
        // What an upload has announced counts, not what has arrived of it.
        let bytes = |stored: &Stored| {
            let upload = stored.digest.and_then(|digest| self.uploads.get(&digest));
            upload.map_or(stored.bytes, |upload| upload.size)
        };
        let mut total: u64 = stored.iter().map(bytes).sum();
        for each in &stored {
            if total.saturating_add(size) <= limit {
                return Ok(());
            }
            let is_needed = each
                .digest
                .is_some_and(|digest| self.used.contains(&digest) || self.uploads.contains_key(&digest));
            if !is_needed {
                self.remove(each)?;
                total -= bytes(each);
            }
        }
        if total.saturating_add(size) <= limit {
            return Ok(());
        }
        Err(UploadError::Full { limit })
    }

    fn stored(&self) -> Result<Vec<Stored>, UploadError> {
        let failed = |source| self.failed(&self.folder, source);
        let mut stored = Vec::new();
        files::point(FileStep::Open, &self.folder).map_err(failed)?;
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_upload = match path.extension().and_then(|extension| extension.to_str()) {
                Some("part") => true,
                Some("wasm") => false,
                _ => continue,
            };
            let metadata = fs::metadata(&path).map_err(failed)?;
            stored.push(Stored {
                digest: path
                    .file_stem()
                    .and_then(|stem| format!("sha256:{}", stem.to_string_lossy()).parse().ok()),
                is_upload,
                bytes: metadata.len(),
                modified: metadata.modified().map_err(failed)?,
                path,
            });
        }
        Ok(stored)
    }

    fn remove(&self, stored: &Stored) -> Result<(), UploadError> {
        tracing::info!(path = %stored.path.display(), "an uploaded component is given up");
        files::remove(&stored.path).map_err(|source| self.failed(&stored.path, source))
    }

    fn upload_path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.part", digest.to_hex()))
    }

    fn failed(&self, path: &Path, source: io::Error) -> UploadError {
        let path = path.to_owned();
        UploadError::File { path, source }
    }
}
