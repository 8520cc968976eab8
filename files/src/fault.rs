//! A disk that fails when a test tells it to: at one step or for a while, with an error of the system.

#![cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        reason = "a test that is wrong about a file fails by panicking"
    )
)]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::FileStep;

/// What disks say: no space left, an error of the device, a read-only file system, and too many open files.
pub const ERRORS: [i32; 4] = [28, 5, 30, 24];

static DISKS: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

/// All that is below one folder. Beyond the life of this nothing fails there.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    plan: Mutex<FaultPlan>,
    unsynced: Mutex<Vec<Written>>,
}

/// A write that may be forgotten when the power goes.
#[derive(Debug)]
struct Written {
    path: PathBuf,
    offset: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// What is left of a write that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPowerLoss {
    /// None of it: the file is as it was.
    Nothing,
    /// The first half.
    Half,
    /// All of it.
    All,
}

#[derive(Debug, Default)]
struct FaultPlan {
    /// Steps since it was last told to fail.
    steps: usize,
    /// Those that fail, by number.
    failing: std::ops::Range<usize>,
    error: i32,
    failed: usize,
}

impl Disk {
    /// What is below this folder fails from now on when it is told to.
    pub fn under(folder: &Path) -> Arc<Self> {
        let disk = Arc::new(Self {
            folder: folder.to_owned(),
            plan: Mutex::default(),
            unsynced: Mutex::default(),
        });
        let mut disks = DISKS.lock();
        disks.retain(|disk| disk.strong_count() > 0);
        disks.push(Arc::downgrade(&disk));
        disk
    }

    fn plan(&self) -> parking_lot::MutexGuard<'_, FaultPlan> {
        self.plan.lock()
    }

    /// From the `at`th step from now, `count` steps fail with this error. Steps count from zero again.
    pub fn fail(&self, at: usize, count: usize, error: i32) {
        *self.plan() = FaultPlan {
            failing: at..at.saturating_add(count),
            error,
            ..FaultPlan::default()
        };
    }

    /// Nothing fails any more. Steps count from zero again.
    pub fn heal(&self) {
        *self.plan() = FaultPlan::default();
    }

    /// The power goes: `image` is what the file at `path` seems to be, and becomes what is left of it. `left` is asked for each write
    /// that was not synced, in their order.
    pub fn lose_power(&self, path: &Path, image: &mut [u8], mut left: impl FnMut() -> AfterPowerLoss) {
        let mut unsynced = self.unsynced.lock();
        let writes: Vec<Written> = unsynced.extract_if(.., |write| write.path == path).collect();
        for write in writes.iter().rev() {
            put(image, write.offset, &write.before);
        }
        for write in &writes {
            let part = match left() {
                AfterPowerLoss::Nothing => 0,
                AfterPowerLoss::Half => write.after.len() / 2,
                AfterPowerLoss::All => write.after.len(),
            };
            put(image, write.offset, &write.after[..part]);
        }
    }

    /// How many steps there were since it was last told anything.
    pub fn steps(&self) -> usize {
        self.plan().steps
    }

    /// How many of them failed.
    pub fn failed(&self) -> usize {
        self.plan().failed
    }
}

fn put(image: &mut [u8], offset: usize, bytes: &[u8]) {
    let end = image.len().min(offset + bytes.len());
    if offset < end {
        image[offset..end].copy_from_slice(&bytes[..end - offset]);
    }
}

fn disk_of(path: &Path) -> Option<Arc<Disk>> {
    let disks = DISKS.lock();
    let mut disks = disks.iter().filter_map(Weak::upgrade);
    disks.find(|disk| path.starts_with(&disk.folder))
}

/// A file is about to be written to, where `before` is now. Until it is [`synced`], the disk may forget that.
pub fn writes(path: &Path, offset: u64, before: Vec<u8>, after: &[u8]) {
    if let Some(disk) = disk_of(path) {
        let write = Written {
            path: path.to_owned(),
            offset: usize::try_from(offset).unwrap_or(usize::MAX),
            before,
            after: after.to_vec(),
        };
        disk.unsynced.lock().push(write);
    }
}

/// What was written to this file outlives the power.
pub fn synced(path: &Path) {
    if let Some(disk) = disk_of(path) {
        let mut unsynced = disk.unsynced.lock();
        unsynced.retain(|write| write.path != path);
    }
}

/// Fails if the disk is told to fail here.
pub fn point(_: FileStep, path: &Path) -> io::Result<()> {
    let Some(disk) = disk_of(path) else { return Ok(()) };
    let mut plan = disk.plan();
    let number = plan.steps;
    plan.steps += 1;
    if plan.failing.contains(&number) {
        plan.failed += 1;
        return Err(io::Error::from_raw_os_error(plan.error));
    }
    Ok(())
}
