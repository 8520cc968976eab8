//! The disk of a computer: a folder that outlives processes, and forgets what was not synced when the power goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checkpoint::Database;
use crate::files::fault::{AfterPowerLoss, Disk};
use ractor_host_cluster::internals::random::Random;

/// See the module.
pub(super) struct Storage {
    _folder: tempfile::TempDir,
    path: PathBuf,
    pub(super) disk: Arc<Disk>,
}

impl Storage {
    pub(super) fn new() -> Self {
        // A run syncs thousands of times, and no real disk has to take that.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let folder = folder.unwrap();
        let path = folder.path().join("state").join("checkpoints.redb");
        let disk = Disk::under(folder.path());
        Self {
            _folder: folder,
            path,
            disk,
        }
    }

    /// The database of the next process, if it can be opened.
    pub(super) fn open(&self) -> Option<Arc<Database>> {
        Database::open(self.path.clone()).ok().map(Arc::new)
    }

    /// The process that had the database open is gone, and wrote nothing more.
    pub(super) fn abandon(&self, database: Arc<Database>, power: Option<&mut Random>) {
        let mut image = fs::read(&self.path).unwrap();
        self.disk.heal();
        // redb would close it in order.
        drop(database);
        if let Some(random) = power {
            self.disk.lose_power(&self.path, &mut image, || {
                random.pick(&[AfterPowerLoss::Nothing, AfterPowerLoss::Half, AfterPowerLoss::All])
            });
        }
        fs::write(&self.path, image).unwrap();
    }
}
