//! How much compiled code the cache keeps, and which goes first.
//!
//! Nodes that share a folder have no other ground in common than its files, so all that is known is there: the time of a file is
//! when its code was last taken, and whoever runs code holds a shared lock on its entry, which ends with the process however that
//! ends. What goes first is what another version or set-up of the engine made, then what was taken longest ago; what is locked
//! stays. One node at a time makes room and fills it, under a lock on the folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::files::{self, FileStep};

/// What an entry's file name ends with.
const ENTRY: &str = "code";

/// The same of the file that is locked while a component is compiled.
const CLAIM: &str = "lock";

/// Age beyond which the file of a claim that nobody holds is what a crash has left. One that is younger may be about to be locked.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// The longest time for another node to make room and fill it. Then it is frozen, or very slow, and not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The interval at which the lock on the folder is asked for.
const INTERVAL: Duration = Duration::from_millis(20);

/// The longest wait for another node that looks whether an entry is in use, for which it locks it. Then it is frozen.
const LOOK: Duration = Duration::from_secs(2);

/// The interval at which an entry is asked for that another node looks at.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// The room of one cache, for one engine.
pub(super) struct Room {
    directory: PathBuf,
    /// What the names of this engine's entries end with.
    ours: String,
    /// Bytes of all entries together, of every engine.
    limit: u64,
}

/// Keeps an entry from being given up, until dropped.
pub(crate) struct InUse {
    /// Locked, shared.
    _entry: File,
}

/// Keeps other nodes from making room, until dropped.
pub(super) struct RoomTurn {
    /// Locked; none if that took too long, or the file system has no locks.
    _folder: Option<File>,
}

struct CacheEntry {
    path: PathBuf,
    bytes: u64,
    is_ours: bool,
    /// When it was made or last taken.
    taken: SystemTime,
}

/// Why there is no room.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRoom {
    #[error("its {bytes} bytes and those in use exceed the cache's limit of {limit} bytes (cache_bytes)")]
    Full { bytes: u64, limit: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Room {
    pub(super) fn new(directory: &Path, ours: String, limit: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            ours,
            limit,
        }
    }

    /// The largest entry that there can be, in bytes.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Gives up entries until there is room for one of this many bytes at `path`, whose place it takes. The room is there as long as
    /// the turn is held.
    ///
    /// # Errors
    /// What is in use leaves less, or the folder can't be read or written.
    pub(super) fn make(&self, path: &Path, bytes: u64) -> Result<RoomTurn, NoRoom> {
        // Before the folder is looked at, so that no two nodes count on the same room.
        let turn = self.turn();
        if bytes > self.limit {
            return Err(self.full(bytes));
        }
        let mut entries = self.entries()?;
        entries.retain(|entry| entry.path != path);
        if self.shrink(entries, self.limit - bytes) {
            Ok(turn)
        } else {
            Err(self.full(bytes))
        }
    }

    /// Gives up what the limit, which may have become smaller, leaves no room for, and what crashes have left.
    pub(super) fn tidy(&self) -> io::Result<()> {
        let _turn = self.turn();
        let entries = self.entries()?;
        self.shrink(entries, self.limit);
        self.forget_claims(SystemTime::now())
    }

    /// Notes that the entry was taken, and keeps it from being given up. None if it is gone, or there are no locks.
    pub(super) fn hold(&self, path: &Path) -> Option<InUse> {
        let deadline = Instant::now() + LOOK;
        loop {
            let entry = File::open(path).ok()?;
            // Where the time can't be set, that of the writing counts.
            drop(entry.set_modified(SystemTime::now()));
            match entry.try_lock_shared() {
                Ok(()) => return Some(InUse { _entry: entry }),
                // Another node looks whether the entry is in use, and may have found that it isn't. So the next attempt opens it anew.
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOOK_INTERVAL),
                Err(_) => return None,
            }
        }
    }

    fn full(&self, bytes: u64) -> NoRoom {
        NoRoom::Full {
            bytes,
            limit: self.limit,
        }
    }

    fn turn(&self) -> RoomTurn {
        let deadline = Instant::now() + PATIENCE;
        let Ok(folder) = File::open(&self.directory) else {
            return RoomTurn { _folder: None };
        };
        loop {
            match folder.try_lock() {
                Ok(()) => return RoomTurn { _folder: Some(folder) },
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(INTERVAL),
                Err(error) => {
                    tracing::debug!(path = %self.directory.display(), %error, "no lock to make room under");
                    return RoomTurn { _folder: None };
                }
            }
        }
    }

    /// Gives up entries until they have at most this many bytes. False if those in use have more.
    fn shrink(&self, mut entries: Vec<CacheEntry>, limit: u64) -> bool {
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        // `false` sorts first: this engine can't run what others made, and their next run makes it again.
        entries.sort_by_key(|entry| (entry.is_ours, entry.taken));
        let (mut given_up, before) = (0_u32, total);
        for entry in &entries {
            if total <= limit {
                break;
            }
            // What can't be removed goes on taking its room, so the next entry has to go in its place.
            if !is_held(&entry.path) && files::remove(&entry.path).is_ok() {
                total -= entry.bytes;
                given_up += 1;
            }
        }
        if given_up > 0 {
            tracing::info!(
                path = %self.directory.display(), entries = given_up, bytes = before - total,
                "compiled code that was not used for the longest time is given up, to keep to `cache_bytes`"
            );
        }
        total <= limit
    }

    fn entries(&self) -> io::Result<Vec<CacheEntry>> {
        let mut entries = Vec::new();
        for (path, metadata) in self.files(ENTRY)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            entries.push(CacheEntry {
                bytes: metadata.len(),
                is_ours: name.ends_with(&self.ours),
                taken: metadata.modified()?,
                path,
            });
        }
        Ok(entries)
    }

    fn forget_claims(&self, now: SystemTime) -> io::Result<()> {
        for (path, metadata) in self.files(CLAIM)? {
            // A time that is ahead of the clock proves no age, and the file stays.
            let is_old = now
                .duration_since(metadata.modified()?)
                .is_ok_and(|age| age > FORGOTTEN);
            if is_old && !is_held(&path) {
                files::remove(&path)?;
            }
        }
        Ok(())
    }

    /// The files whose names end like this. One that another node removes meanwhile is none.
    fn files(&self, extension: &str) -> io::Result<Vec<(PathBuf, fs::Metadata)>> {
        files::point(FileStep::Open, &self.directory)?;
        let mut found = Vec::new();
        for file in fs::read_dir(&self.directory)? {
            let path = file?.path();
            if path.extension().is_some_and(|its| its == extension)
                && let Ok(metadata) = fs::metadata(&path)
                && metadata.is_file()
            {
                found.push((path, metadata));
            }
        }
        Ok(found)
    }
}

/// True if somebody holds a lock on the file. Without locks nobody does.
fn is_held(path: &Path) -> bool {
    // The file is closed before this returns, and a lock that was got goes with it.
    let lock = |file: File| file.try_lock();
    matches!(File::open(path).map(lock), Ok(Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "-aaaa.code";

    /// An entry of this many bytes that was taken this many minutes ago.
    fn entry(folder: &Path, name: &str, bytes: usize, minutes: u64) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, vec![0; bytes]).unwrap();
        let taken = SystemTime::now() - Duration::from_secs(60 * minutes);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(taken)
            .unwrap();
        path
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A node that makes room locks each entry for a moment. Otherwise code that runs might count as unused for as long as it does.
    #[test]
    fn an_entry_is_held_although_another_node_is_just_looking_whether_it_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = entry(folder.path(), "running-aaaa.code", 100, 30);
        let room = Room::new(folder.path(), OURS.to_owned(), 100);
        let looking = File::open(&path).unwrap();
        looking.try_lock().unwrap();
        thread::scope(|scope| {
            let held = scope.spawn(|| room.hold(&path));
            // By the time of the entry the other thread has come to its lock.
            let was_taken = || fs::metadata(&path).unwrap().modified().unwrap().elapsed();
            while was_taken().is_ok_and(|ago| ago > Duration::from_secs(60)) {
                thread::yield_now();
            }
            drop(looking);
            let held = held.join().unwrap();
            assert!(held.is_some());
            assert!(
                room.make(&folder.path().join("x-aaaa.code"), 100).is_err(),
                "it is in use"
            );
        });
    }

    #[test]
    fn code_of_other_engines_goes_first_and_then_what_was_taken_longest_ago() {
        let folder = tempfile::tempdir().unwrap();
        entry(folder.path(), "old-aaaa.code", 100, 30);
        entry(folder.path(), "new-aaaa.code", 100, 10);
        entry(folder.path(), "foreign-bbbb.code", 100, 1);
        entry(folder.path(), "note.txt", 1000, 100);
        let room = |limit| Room::new(folder.path(), OURS.to_owned(), limit);
        let new = folder.path().join("x-aaaa.code");
        drop(room(400).make(&new, 100).unwrap());
        assert_eq!(names(folder.path()).len(), 4, "there is room");
        drop(room(300).make(&new, 100).unwrap());
        assert_eq!(names(folder.path()), ["new-aaaa.code", "note.txt", "old-aaaa.code"]);
        room(150).tidy().unwrap();
        assert_eq!(names(folder.path()), ["new-aaaa.code", "note.txt"]);
        drop(room(100).make(&folder.path().join("new-aaaa.code"), 100).unwrap());
        assert!(matches!(
            room(100).make(&new, 101),
            Err(NoRoom::Full { bytes: 101, limit: 100 })
        ));
        assert_eq!(names(folder.path()), ["new-aaaa.code", "note.txt"]);
    }

    #[test]
    fn code_that_a_node_runs_stays_and_is_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let running = entry(folder.path(), "running-aaaa.code", 100, 90);
        entry(folder.path(), "idle-aaaa.code", 100, 10);
        let room = Room::new(folder.path(), OURS.to_owned(), 200);
        let held = room.hold(&running).unwrap();
        let also = room.hold(&running).unwrap();
        let age = fs::metadata(&running).unwrap().modified().unwrap().elapsed().unwrap();
        assert!(age < Duration::from_secs(60), "{age:?}");
        let new = folder.path().join("new-aaaa.code");
        drop(room.make(&new, 100).unwrap());
        assert_eq!(names(folder.path()), ["running-aaaa.code"]);
        drop(held);
        assert!(
            matches!(room.make(&new, 150), Err(NoRoom::Full { .. })),
            "another holds it still"
        );
        drop(also);
        drop(room.make(&new, 150).unwrap());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn what_a_crash_has_left_of_a_claim_is_removed_when_nobody_can_want_it() {
        let folder = tempfile::tempdir().unwrap();
        entry(folder.path(), "young.lock", 0, 60);
        entry(folder.path(), "old.lock", 0, 25 * 60);
        let held = File::open(entry(folder.path(), "held.lock", 0, 25 * 60)).unwrap();
        held.lock().unwrap();
        Room::new(folder.path(), OURS.to_owned(), 1).tidy().unwrap();
        assert_eq!(names(folder.path()), ["held.lock", "young.lock"]);
    }
}
