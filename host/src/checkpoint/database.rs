//! The embedded database of checkpoints.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use redb::{DatabaseError, ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition, TableError};

use super::record;
use crate::guest::{CheckpointStore, Entry, Kept, StoreError};

/// By the actor's name and the checkpoint's number.
const CHECKPOINTS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("checkpoints");

/// What the database keeps of its file in memory, in bytes. Checkpoints are written often and hardly ever read.
const CACHE_BYTES: usize = 8 << 20;

/// A [`CheckpointStore`] in one file.
pub struct Database {
    path: PathBuf,
    database: redb::Database,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder can't be made or used.
    #[error("checkpoints can't be kept in {}: {source}; `state_dir` in [runtime] chooses another folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "another process keeps its checkpoints in {}; every node needs a `state_dir` of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// It can't be opened, and not for being damaged.
    #[error("the checkpoints in {} can't be opened: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<redb::DatabaseError>,
    },
}

/// How an attempt to open the file ended.
enum Opened {
    Database(Box<redb::Database>),
    Damaged(String),
}

impl Database {
    /// Opens the file, making it and its folder if need be. A file that is damaged is put aside, under a name that says so,
    /// and an empty one takes its place.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: PathBuf) -> Result<Self, OpenError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let unusable = |source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        };
        create_private(folder).map_err(unusable)?;
        let database = match attempt(&path)? {
            Opened::Database(database) => database,
            Opened::Damaged(reason) => {
                let aside = aside(&path);
                tracing::error!(
                    path = %path.display(), aside = %aside.display(), reason,
                    "the checkpoints are damaged and put aside: actors start without them"
                );
                fs::rename(&path, &aside).map_err(unusable)?;
                match attempt(&path)? {
                    Opened::Database(database) => database,
                    Opened::Damaged(reason) => return Err(unusable(io::Error::other(reason))),
                }
            }
        };
        Ok(Self {
            path,
            database: *database,
        })
    }

    fn put_all(&self, entries: &[Entry]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(CHECKPOINTS)?;
            for Entry {
                actor,
                checkpoint,
                keep,
            } in entries
            {
                let actor = actor.as_str();
                let last = numbers(&table, actor)?.next_back().transpose()?;
                let number = last.map_or(0, |last| last.saturating_add(1));
                let mut place = table.insert_reserve((actor, number), record::length(checkpoint))?;
                if record::write(actor, number, checkpoint, place.as_mut()).is_none() {
                    return Err(redb::Error::Corrupted(format!("no record can be made for {actor}")));
                }
                drop(place);
                remove_older(&mut table, actor, *keep)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn read(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(CHECKPOINTS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for entry in table.range((actor, 0)..(actor, before.unwrap_or(u64::MAX)))?.rev() {
            let (key, value) = entry?;
            let (_, number) = key.value();
            if let Some(checkpoint) = record::read(actor, number, value.value()) {
                return Ok(Some(Kept { number, checkpoint }));
            }
            tracing::warn!(actor, number, "a checkpoint is damaged; the one before it is taken");
        }
        Ok(None)
    }

    fn remove(&self, actor: &str, keep: u32) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        remove_older(&mut transaction.open_table(CHECKPOINTS)?, actor, keep)?;
        transaction.commit()?;
        Ok(())
    }
}

impl CheckpointStore for Database {
    fn put(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.put_all(entries).map_err(store_error)
    }

    fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        self.read(actor, before).map_err(store_error)
    }

    fn prune(&self, actor: &str, keep: u32) -> Result<(), StoreError> {
        self.remove(actor, keep).map_err(store_error)
    }
}

fn store_error(error: redb::Error) -> StoreError {
    StoreError(error.into())
}

type Table<'t> = redb::Table<'t, (&'static str, u64), &'static [u8]>;

/// The numbers of an actor's checkpoints, upwards.
fn numbers<'t>(
    table: &'t Table<'_>,
    actor: &str,
) -> Result<impl DoubleEndedIterator<Item = Result<u64, StorageError>> + 't, StorageError> {
    let range = table.range((actor, 0)..=(actor, u64::MAX))?;
    Ok(range.map(|entry| entry.map(|(key, _)| key.value().1)))
}

fn remove_older(table: &mut Table<'_>, actor: &str, keep: u32) -> Result<(), redb::Error> {
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let older: Vec<u64> = numbers(table, actor)?.rev().skip(keep).collect::<Result<_, _>>()?;
    for number in older {
        table.remove((actor, number))?;
    }
    Ok(())
}

/// The checksums of all pages are checked, not only after a crash: a file is damaged in other ways too.
fn attempt(path: &Path) -> Result<Opened, OpenError> {
    let mut builder = redb::Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    let open = std::panic::AssertUnwindSafe(|| builder.create(path));
    let opened = match std::panic::catch_unwind(open) {
        Ok(opened) => opened,
        Err(_) => return Ok(Opened::Damaged("the database panicked over it".to_owned())),
    };
    match opened {
        Ok(database) => {
            restrict(path).map_err(|source| OpenError::Folder {
                path: path.to_owned(),
                source,
            })?;
            Ok(Opened::Database(Box::new(database)))
        }
        Err(DatabaseError::DatabaseAlreadyOpen) => Err(OpenError::InUse(path.to_owned())),
        Err(DatabaseError::Storage(StorageError::Corrupted(reason))) => Ok(Opened::Damaged(reason)),
        // What redb says of a file that isn't one of its own, or was cut short.
        Err(DatabaseError::Storage(StorageError::Io(error)))
            if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
        {
            Ok(Opened::Damaged(error.to_string()))
        }
        Err(reason) => Err(OpenError::Unusable {
            path: path.to_owned(),
            reason: Box::new(reason),
        }),
    }
}

/// A name for a damaged file that no other has.
fn aside(path: &Path) -> PathBuf {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".damaged-{}", since.unwrap_or_default().as_millis()));
    path.with_file_name(name)
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What actors know is nobody else's business.
#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::guest::{Checkpoint, Digest};

    fn entry(actor: &str, state: &[u8], keep: u32) -> Entry {
        Entry {
            actor: actor.to_owned(),
            checkpoint: Arc::new(Checkpoint {
                module: "counter".to_owned(),
                digest: Digest::of(b"code"),
                state_version: 1,
                taken: SystemTime::UNIX_EPOCH,
                state: state.to_vec(),
            }),
            keep,
        }
    }

    fn states(store: &Database, actor: &str) -> Vec<Vec<u8>> {
        let mut before = None;
        let mut states = Vec::new();
        while let Some(kept) = store.latest(actor, before).unwrap() {
            before = Some(kept.number);
            states.push(kept.checkpoint.state);
        }
        states
    }

    #[test]
    fn the_newest_are_kept_for_each_actor_and_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state").join("checkpoints.redb");
        let store = Database::open(path.clone()).unwrap();
        assert_eq!(store.latest("a", None).unwrap(), None);
        for state in [b"1", b"2", b"3", b"4"] {
            store.put(&[entry("a", state, 3), entry("b", state, 1)]).unwrap();
        }
        store.put(&[entry("a", b"", 3)]).unwrap();
        assert!(matches!(Database::open(path.clone()), Err(OpenError::InUse(_))));
        drop(store);
        let store = Database::open(path).unwrap();
        assert_eq!(states(&store, "a"), [&b""[..], b"4", b"3"]);
        assert_eq!(states(&store, "b"), [b"4"]);
        assert!(states(&store, "").is_empty());
        store.prune("a", 1).unwrap();
        assert_eq!(states(&store, "a"), [b""]);
    }

    /// Whatever happens to the file, what is loaded from it was put there.
    #[test]
    fn a_damaged_file_never_gives_what_was_not_put() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.redb");
        let sound: Vec<Vec<u8>> = (0u8..3).map(|fill| vec![fill; 20_000]).collect();
        let store = Database::open(path.clone()).unwrap();
        for state in &sound {
            store.put(&[entry("a", state, 3)]).unwrap();
        }
        drop(store);
        let good = fs::read(&path).unwrap();
        let mut damaged = 0;
        for step in 0..60 {
            let mut bytes = good.clone();
            let place = good.len() * step / 60;
            if step % 2 == 0 {
                bytes.truncate(place);
            } else {
                let end = (place + 100).min(bytes.len());
                bytes[place..end].iter_mut().for_each(|byte| *byte ^= 0x55);
            }
            fs::write(&path, &bytes).unwrap();
            let store = Database::open(path.clone()).unwrap();
            let found = states(&store, "a");
            assert!(found.iter().all(|state| sound.contains(state)), "damaged at {place}");
            damaged += usize::from(found.len() < 3);
            store.put(&[entry("a", b"anew", 3)]).unwrap();
            assert_eq!(states(&store, "a")[0], b"anew", "it can be used again");
        }
        assert!(damaged > 20, "the damage was found: {damaged}");
    }

    #[test]
    fn a_file_that_is_no_database_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.redb");
        fs::write(&path, b"something else").unwrap();
        let store = Database::open(path).unwrap();
        store.put(&[entry("a", b"1", 3)]).unwrap();
        let names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        let aside = names.iter().find(|name| name.to_string_lossy().contains("damaged-"));
        assert_eq!(fs::read(folder.path().join(aside.unwrap())).unwrap(), b"something else");
    }
}
