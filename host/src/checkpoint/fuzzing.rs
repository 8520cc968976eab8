//! What the fuzz targets `records` and `database` call: checkpoints as they are on the disk, and the file that has them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Database, record};
use crate::guest::{Checkpoint, CheckpointStore as _, Digest, Entry};

/// Whose checkpoints there are.
const ACTOR: &str = "counter";

/// The number of the record that is looked at.
const NUMBER: u64 = 3;

/// The number of checkpoints in the file that is damaged.
const KEPT: u32 = 3;

/// Bytes in the place of a checkpoint: as they are, and with a checksum that is right.
pub(crate) fn record(bytes: &[u8]) {
    look_at(bytes);
    look_at(&record::with_checksum(ACTOR, NUMBER, bytes));
}

fn look_at(bytes: &[u8]) {
    let Some(checkpoint) = record::read(ACTOR, NUMBER, bytes) else {
        return;
    };
    let mut again = vec![0; record::length(&checkpoint)];
    assert!(record::write(ACTOR, NUMBER, &checkpoint, &mut again).is_some());
    assert_eq!(again, bytes, "there is one way to write a checkpoint");
    assert!(
        record::read("another", NUMBER, bytes).is_none(),
        "another actor's checkpoint was read"
    );
    assert!(
        record::read(ACTOR, NUMBER + 1, bytes).is_none(),
        "a checkpoint was read under another number"
    );
}

/// The bytes of a sound file, for [`damaged_file`].
///
/// # Errors
/// The folder can't be used.
pub(crate) fn sound_file(folder: &Path) -> std::io::Result<Vec<u8>> {
    let path = folder.join("sound.redb");
    let database = Database::open(path.clone()).map_err(std::io::Error::other)?;
    for number in 0..KEPT {
        database.put(&[entry(number)]).map_err(std::io::Error::other)?;
    }
    drop(database);
    fs::read(path)
}

fn entry(number: u32) -> Entry {
    let checkpoint = Checkpoint {
        module: "counter".to_owned(),
        digest: Digest::of(b"code"),
        state_version: number,
        taken: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        state: format!("the state with the number {number}").into_bytes(),
    };
    Entry {
        actor: ACTOR.to_owned(),
        checkpoint: Arc::new(checkpoint),
        keep: KEPT,
        hold: Vec::new(),
    }
}

/// A file with damage: what is read of it was written, and something can be written afterwards. `folder` is emptied.
///
/// # Errors
/// The folder can't be used.
pub(crate) fn damaged_file(folder: &Path, file: &[u8]) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir(folder)?;
    let path = folder.join("checkpoints.redb");
    fs::write(&path, file)?;
    let database = Database::open(path).map_err(std::io::Error::other)?;
    // What can't be read is an error; what can is whole.
    if let Ok(Some(kept)) = database.latest(ACTOR, None) {
        let was_written = (0..KEPT).any(|number| *entry(number).checkpoint == kept.checkpoint);
        assert!(was_written, "this was never written: {:?}", kept.checkpoint);
    }
    let next = entry(KEPT);
    // A file whose damage shows only now is closed, and put aside when it is opened again.
    let written = (0..3).any(|_| database.put(std::slice::from_ref(&next)).is_ok());
    assert!(written, "nothing can be written any more");
    let kept = database.latest(ACTOR, None).map_err(std::io::Error::other)?;
    assert!(
        kept.is_some_and(|kept| kept.checkpoint == *next.checkpoint),
        "what was written last is not what is read"
    );
    Ok(())
}
