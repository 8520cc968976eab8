//! States of actors that the node doesn't start any more: how long they stay, and how many.
//!
//! Who takes an actor out of node.toml may put it back, so its states stay for a while. But names come and go, and their states
//! would stay for ever.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use redb::{ReadableTable as _, TableError};

use super::database::{CHECKPOINTS, Database, HELD};
use super::record;
use crate::database::DatabaseFailure;

/// The time for which the states of an actor stay that no entry of node.toml names any more, counted from the newest.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// Bytes of the states of all such actors together. Beyond it those go first that were taken longest ago.
const MOST_BYTES: u64 = 1 << 30;

/// What there is of one actor.
#[derive(Debug, Default)]
struct Left {
    numbers: Vec<u64>,
    bytes: u64,
    newest: Option<SystemTime>,
}

impl Database {
    /// Gives up the states of actors that don't `live`: after thirty days, and beyond a gibibyte the oldest at once. Returns the
    /// actors whose states were given up.
    ///
    /// # Errors
    /// The store could not be read or written. What it could not give up is still there.
    pub fn forget_gone(
        &self,
        lives: impl Fn(&str) -> bool,
        now: SystemTime,
    ) -> Result<Vec<String>, crate::guest::StoreError> {
        let forget = || self.with(|file| forget(file.database(), &lives, now));
        forget().map_err(super::database::store_error)
    }
}

fn forget(
    database: &redb::Database,
    lives: &impl Fn(&str) -> bool,
    now: SystemTime,
) -> Result<Vec<String>, DatabaseFailure> {
    let gone = choose(left(database, lives)?, now, MOST_BYTES);
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    // The node calls this before it has a writer, so nothing has changed since the table was read.
    let transaction = database.begin_write()?;
    {
        let mut checkpoints = transaction.open_table(CHECKPOINTS)?;
        let mut held = transaction.open_table(HELD)?;
        for (actor, left) in &gone {
            for number in &left.numbers {
                checkpoints.remove((actor.as_str(), *number))?;
                held.remove((actor.as_str(), *number))?;
            }
        }
    }
    transaction.commit()?;
    Ok(gone.into_iter().map(|(actor, _)| actor).collect())
}

/// What there is of actors that don't live.
fn left(database: &redb::Database, lives: &impl Fn(&str) -> bool) -> Result<BTreeMap<String, Left>, DatabaseFailure> {
    let transaction = redb::ReadableDatabase::begin_read(database)?;
    let table = match transaction.open_table(CHECKPOINTS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all: BTreeMap<String, Left> = BTreeMap::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        let (actor, number) = key.value();
        if lives(actor) {
            continue;
        }
        let left = all.entry(actor.to_owned()).or_default();
        left.numbers.push(number);
        left.bytes += value.value().len() as u64;
        left.newest = left.newest.max(record::taken(value.value()));
    }
    Ok(all)
}

/// Those to be given up. What is damaged counts as old.
fn choose(left: BTreeMap<String, Left>, now: SystemTime, most_bytes: u64) -> Vec<(String, Left)> {
    let mut newest_first: Vec<_> = left.into_iter().collect();
    newest_first.sort_by_key(|(_, left)| std::cmp::Reverse(left.newest));
    let is_old = |left: &Left| {
        // A state from the future means that the clock was set back. It counts as new, because what is given up is lost.
        let age = left.newest.map(|newest| now.duration_since(newest).unwrap_or_default());
        age.is_none_or(|age| age > REMEMBERED)
    };
    let mut kept = 0;
    // Those behind the first that goes are older still, so all of them go with it.
    let first_gone = newest_first.iter().try_fold(0_usize, |at, (_, left)| {
        kept += left.bytes;
        if is_old(left) || kept > most_bytes {
            ControlFlow::Break(at)
        } else {
            ControlFlow::Continue(at + 1)
        }
    });
    match first_gone {
        ControlFlow::Break(at) => newest_first.split_off(at),
        ControlFlow::Continue(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::guest::{Checkpoint, CheckpointStore as _, Digest, Entry};

    const DAY: Duration = Duration::from_hours(24);

    fn entry(actor: &str, taken: SystemTime) -> Entry {
        let checkpoint = Checkpoint {
            module: "counter".to_owned(),
            digest: Digest::of(b"code"),
            state_version: 1,
            taken,
            state: b"state".to_vec(),
        };
        Entry {
            actor: actor.to_owned(),
            checkpoint: Arc::new(checkpoint),
            keep: 3,
            hold: vec![0],
        }
    }

    #[test]
    fn states_of_actors_that_are_gone_are_forgotten_after_thirty_days_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Database::open(folder.path().join("checkpoints.redb")).unwrap();
        let now = SystemTime::now();
        assert_eq!(store.forget_gone(|_| false, now).unwrap(), Vec::<String>::new());
        for (actor, days) in [("lives", 90), ("gone", 31), ("gone-2", 90), ("gone-2", 29)] {
            store.put(&[entry(actor, now - DAY * days)]).unwrap();
        }
        assert_eq!(store.forget_gone(|actor| actor == "lives", now).unwrap(), ["gone"]);
        assert_eq!(store.latest("gone", None).unwrap(), None);
        assert!(store.latest("lives", None).unwrap().is_some());
        assert_eq!(store.latest("gone-2", None).unwrap().map(|kept| kept.number), Some(1));
        assert_eq!(
            store.forget_gone(|_| true, now + DAY * 1000).unwrap(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn beyond_the_bytes_the_oldest_go() {
        let now = SystemTime::now();
        let of = |days, bytes| Left {
            numbers: vec![0],
            bytes,
            newest: Some(now - DAY * days),
        };
        let left = || {
            BTreeMap::from(
                [("a", of(3, 10)), ("b", of(1, 10)), ("c", of(2, 10))].map(|(name, left)| (name.to_owned(), left)),
            )
        };
        let gone = |most| -> Vec<String> { choose(left(), now, most).into_iter().map(|(name, _)| name).collect() };
        assert_eq!(gone(30), Vec::<String>::new());
        assert_eq!(gone(29), ["a"]);
        assert_eq!(gone(10), ["c", "a"]);
    }
}
