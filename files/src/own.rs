//! The files that a node keeps: readable by their owner alone, and whole whenever the machine, the disk or the process fails.
//!
//! Everything that the node keeps beside its database goes through here: the compile cache, uploaded components and the record of
//! what is deployed. So one place knows how a file is replaced, and tests can make each step fail (`fault`).

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::{FileStep, point};

/// The beginning of the names of files that are being written. [`sweep`] removes those that a killed process left.
const TEMPORARY: &str = ".ractor-host-";

/// The age from which a file that was being written counts as left behind.
const ABANDONED: Duration = Duration::from_hours(1);

/// The time between two looks at a lock that another process has.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// True for an error that says nothing about the file or the folder: the disk is full, fails or is read-only, or the process has
/// too many files open.
pub fn is_trouble(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    /// EIO, ENFILE and EMFILE, for which there is no kind.
    const WITHOUT_A_KIND: [i32; 3] = [5, 23, 24];
    let has_no_kind = error
        .raw_os_error()
        .is_some_and(|number| WITHOUT_A_KIND.contains(&number));
    matches!(error.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull) || (cfg!(unix) && has_no_kind)
}

/// Makes a folder and those above it, for this user alone. One that exists stays as it is.
///
/// # Errors
/// It can't be made.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    point(FileStep::Open, folder)?;
    // Found before anything is made: the name of each new folder has to be synced in the one above.
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.exists()).collect();
    create_private(folder)?;
    for made in missing {
        match sync_folder(&folder_of(made)) {
            // A process that may pass through a folder need not be allowed to open it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
    }
    Ok(())
}

/// Puts a file with these bytes, one part after the other, in the place of whatever has this path. After a failure, of the process
/// and of the machine too, the path leads to the old file or to the new one, and nothing else is left.
///
/// # Errors
/// The new file could not be written, or it is not certain that it outlives the machine's power.
pub fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let folder = folder_of(path);
    // In the same folder, because a rename is atomic only within one file system.
    let mut new = temporary(&folder)?;
    for part in parts {
        write(new.as_file_mut(), path, part)?;
    }
    // The bytes before the name, and the name last: a power cut leaves the old file or the whole new one.
    sync(new.as_file(), path)?;
    point(FileStep::Rename, path)?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(&folder)
}

/// Makes a file with these bytes. One that is there stays as it is.
///
/// # Errors
/// There is a file of this name, or it could not be written, or it is not certain that it outlives the machine's power.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = temporary(&folder_of(path))?;
    write(new.as_file_mut(), path, bytes)?;
    keep_new(new, path)
}

/// Gives a [temporary] file that was written this name for good. A file that has the name stays as it is.
///
/// # Errors
/// There is a file of this name, or it is not certain that the new one outlives the machine's power.
pub fn keep_new(new: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    // Before it gets its name: a file that has one is whole, whatever fails.
    sync(new.as_file(), path)?;
    point(FileStep::Rename, path)?;
    new.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(&folder_of(path))
}

/// Finds out whether [`replace`] could put as many bytes there, without touching what is there.
///
/// # Errors
/// It could not.
pub fn rehearse(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = temporary(&folder_of(path))?;
    write(new.as_file_mut(), path, bytes)?;
    // Some file systems find room for the bytes only now, and say only now that there is none.
    sync(new.as_file(), path)
}

/// A file of a name that no other has, which is removed when it is dropped.
///
/// # Errors
/// It can't be made.
pub fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    point(FileStep::Open, folder)?;
    // Made with mode 0600.
    tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)
}

/// Removes what processes that were killed left half written in this folder. What can't be removed stays: it is in nobody's way.
pub fn sweep(folder: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
        // A younger file may be one that another process is writing right now.
        if is_ours && age.is_some_and(|age| age > ABANDONED) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Gives a file that was written and [synced](sync) another name in its folder.
///
/// # Errors
/// It has its old name, or it is not certain that the new one outlives the machine's power.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    rename_unsynced(from, to)?;
    sync_folder(&folder_of(to))
}

/// The same without making it certain. The caller does that with [`sync_folder`].
///
/// # Errors
/// It has its old name.
pub fn rename_unsynced(from: &Path, to: &Path) -> io::Result<()> {
    point(FileStep::Rename, from)?;
    fs::rename(from, to)
}

/// A name in the same folder, which no other file has, for a file that is damaged.
pub fn aside(path: &Path) -> PathBuf {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    let named = |number: u128| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".damaged-{number}"));
        path.with_file_name(name)
    };
    // Two within one millisecond, or a clock that was set back.
    (since..)
        .map(named)
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| named(since))
}

/// Removes a file.
///
/// # Errors
/// It is still there.
pub fn remove(path: &Path) -> io::Result<()> {
    point(FileStep::Remove, path)?;
    fs::remove_file(path)
}

/// A file to read and to append to, which is made if it isn't there.
///
/// # Errors
/// It can't be opened.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    point(FileStep::Open, path)?;
    private_options().read(true).append(true).create(true).open(path)
}

/// A file that is there, to read.
///
/// # Errors
/// It can't be opened.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    point(FileStep::Open, path)?;
    File::open(path)
}

/// A file that is there, to read and to write anywhere in it.
///
/// # Errors
/// It can't be opened.
pub fn open_to_change(path: &Path) -> io::Result<File> {
    point(FileStep::Open, path)?;
    File::options().read(true).write(true).open(path)
}

/// Waits until no other process has a lock on this file or folder, and takes one, which ends with `file`. Blocks.
///
/// # Errors
/// Another process has it still after `patience`, or the file system has no locks.
pub fn lock(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let deadline = Instant::now() + patience;
    loop {
        // The lock of the system that waits knows no time limit, so this asks again and again.
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_INTERVAL),
            locked => return locked,
        }
    }
}

/// Writes all of these bytes. `path` is the file's, here and below.
///
/// # Errors
/// Some of them may have been written.
pub fn write(file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    #[cfg(test)]
    if let Err(error) = point(FileStep::Write, path) {
        // A torn write: a part of it is there.
        file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        return Err(error);
    }
    #[cfg(not(test))]
    point(FileStep::Write, path)?;
    file.write_all(bytes)
}

/// Reads from where the file is. Zero at its end.
///
/// # Errors
/// It can't be read.
pub fn read_some(file: &mut File, path: &Path, buffer: &mut [u8]) -> io::Result<usize> {
    point(FileStep::Read, path)?;
    file.read(buffer)
}

/// Reads from where the file is to its end.
///
/// # Errors
/// It can't be read.
pub fn read_to_end(file: &mut File, path: &Path) -> io::Result<Vec<u8>> {
    point(FileStep::Read, path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Cuts the file, or makes it longer.
///
/// # Errors
/// It has the length that it had.
pub fn resize(file: &File, path: &Path, length: u64) -> io::Result<()> {
    point(FileStep::Resize, path)?;
    file.set_len(length)
}

/// Waits until the file's bytes outlive the machine's power.
///
/// # Errors
/// They may not.
pub fn sync(file: &File, path: &Path) -> io::Result<()> {
    point(FileStep::Sync, path)?;
    file.sync_all()
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Waits until the names in a folder outlive the machine's power.
///
/// # Errors
/// They may not.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    point(FileStep::Sync, folder)?;
    match File::open(folder)?.sync_all() {
        // Some file systems say this of every folder, because they have no such thing.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The options with which private files are made.
#[cfg(unix)]
fn private_options() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.mode(0o600);
    options
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Takes everybody else's rights to a file away.
///
/// # Errors
/// They have them still.
#[cfg(unix)]
pub fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private_options() -> fs::OpenOptions {
    File::options()
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
pub fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Disk, ERRORS};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Each step fails in each way, once: what is there is the old file or the new one, and a next attempt succeeds.
    #[test]
    fn a_file_is_the_old_one_or_the_new_one_at_whatever_step_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let disk = Disk::under(folder.path());
        replace(&path, &[b"ol", b"d"]).unwrap();
        let steps = disk.steps();
        for error in ERRORS {
            for at in 0..steps {
                replace(&path, &[b"old"]).unwrap();
                disk.fail(at, 1, error);
                let failed = replace(&path, &[b"ne", b"w"]).unwrap_err();
                assert_eq!(failed.raw_os_error(), Some(error), "step {at}");
                let found = fs::read(&path).unwrap();
                assert!(found == b"old" || found == b"new", "step {at}: {found:?}");
                assert_eq!(names(folder.path()), ["file"], "nothing is left behind");
                replace(&path, &[b"ne", b"w"]).unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"new");
            }
        }
    }

    #[test]
    fn what_a_killed_process_left_is_swept_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, recent) = (folder.path().join("mine"), temporary(folder.path()).unwrap());
        fs::write(&mine, b"").unwrap();
        let (_, left) = temporary(folder.path()).unwrap().keep().unwrap();
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for path in [&mine, &left] {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
        }
        sweep(folder.path());
        assert!(mine.exists() && recent.path().exists());
        assert!(!left.exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a").join("b");
        create_folder(&inner).unwrap();
        replace(&inner.join("file"), &[b"x"]).unwrap();
        drop(open_to_append(&inner.join("other")).unwrap());
        for (path, expected) in [("a", 0o700), ("a/b", 0o700), ("a/b/file", 0o600), ("a/b/other", 0o600)] {
            let mode = fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, expected, "{path}");
        }
    }
}
