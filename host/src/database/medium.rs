//! The file below the database: redb's own, which remembers the first error that the system gave.
//!
//! redb says of a read that failed at the wrong moment that the database is damaged, or panics. A file is damaged only if every
//! byte of it could be read and is wrong.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::files::{self, FileStep};

/// The first error of the system: its number, or else its text.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<OnceLock<(Option<i32>, String)>>);

impl Trouble {
    /// The error, if there was one.
    pub(super) fn first(&self) -> Option<io::Error> {
        let (number, text) = self.0.get()?;
        Some(match number {
            Some(number) => io::Error::from_raw_os_error(*number),
            None => io::Error::other(text.clone()),
        })
    }

    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            // A file that was cut short: that is damage.
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            // The first one stays: redb refuses everything after an error, so what comes later only follows from it.
            self.0.get_or_init(|| (error.raw_os_error(), error.to_string()));
        }
        done
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Medium {
    file: FileBackend,
    trouble: Trouble,
    path: PathBuf,
}

impl Medium {
    /// The file at `path`, which is open to read and to write.
    pub(super) fn new(file: File, path: PathBuf, trouble: Trouble) -> Result<Self, redb::DatabaseError> {
        let file = FileBackend::new(file)?;
        Ok(Self { file, trouble, path })
    }

    fn step(&self, step: FileStep) -> io::Result<()> {
        self.trouble.note(files::point(step, &self.path))
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        self.trouble.note(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.step(FileStep::Read)?;
        self.trouble.note(self.file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step(FileStep::Resize)?;
        self.trouble.note(self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(FileStep::Sync)?;
        self.trouble.note(self.file.sync_data())?;
        #[cfg(test)]
        files::fault::synced(&self.path);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        {
            let mut before = vec![0; data.len()];
            // Beyond the end there is nothing yet.
            drop(self.file.read(offset, &mut before));
            files::fault::writes(&self.path, offset, before, data);
        }
        if let Err(error) = self.step(FileStep::Write) {
            // A torn write: a part of it is there.
            self.file
                .write(offset, data.get(..data.len() / 2).unwrap_or_default())?;
            return Err(error);
        }
        self.trouble.note(self.file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
