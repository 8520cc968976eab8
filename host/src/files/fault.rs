//! A disk that fails when a test tells it to: at one step or for a while, with an error of the system.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Step;

/// What disks say: no space left, an error of the device, a read-only file system, and too many open files.
pub(crate) const ERRORS: [i32; 4] = [28, 5, 30, 24];

static DISKS: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

/// All that is below one folder. Beyond the life of this nothing fails there.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    /// Steps since it was last told to fail.
    steps: usize,
    /// Those that fail, by number.
    failing: std::ops::Range<usize>,
    error: i32,
    failed: usize,
}

impl Disk {
    /// What is below this folder fails from now on when it is told to.
    pub(crate) fn under(folder: &Path) -> Arc<Self> {
        let disk = Arc::new(Self {
            folder: folder.to_owned(),
            plan: Mutex::default(),
        });
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|disk| disk.strong_count() > 0);
        disks.push(Arc::downgrade(&disk));
        disk
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the `at`th step from now, `count` steps fail with this error. Steps count from zero again.
    pub(crate) fn fail(&self, at: usize, count: usize, error: i32) {
        *self.plan() = Plan {
            failing: at..at.saturating_add(count),
            error,
            ..Plan::default()
        };
    }

    /// Nothing fails any more. Steps count from zero again.
    pub(crate) fn heal(&self) {
        *self.plan() = Plan::default();
    }

    /// How many steps there were since it was last told anything.
    pub(crate) fn steps(&self) -> usize {
        self.plan().steps
    }

    /// How many of them failed.
    pub(crate) fn failed(&self) -> usize {
        self.plan().failed
    }
}

/// Fails if the disk is told to fail here.
pub(crate) fn point(_: Step, path: &Path) -> io::Result<()> {
    let disk = {
        let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut disks = disks.iter().filter_map(Weak::upgrade);
        disks.find(|disk| path.starts_with(&disk.folder))
    };
    let Some(disk) = disk else { return Ok(()) };
    let mut plan = disk.plan();
    let number = plan.steps;
    plan.steps += 1;
    if plan.failing.contains(&number) {
        plan.failed += 1;
        return Err(io::Error::from_raw_os_error(plan.error));
    }
    Ok(())
}
