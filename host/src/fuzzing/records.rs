//! Files that a node reads again after a restart, as a bad disk or somebody else might leave them.

use std::fs;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::input::Input;
use crate::{checkpoint, host};

static FOLDER: LazyLock<Option<TempDir>> = LazyLock::new(|| tempfile::tempdir().ok());

/// A checkpoint database that nothing is wrong with.
static SOUND: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| {
    let folder = FOLDER.as_ref()?;
    checkpoint::fuzzing::sound_file(folder.path()).ok()
});

/// A checkpoint of the database, or the record of what is deployed.
pub fn records(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    if kind % 8 > 0 {
        return checkpoint::fuzzing::record(bytes);
    }
    let Some(folder) = FOLDER.as_ref().map(|folder| folder.path().join("deployed")) else {
        return;
    };
    let done = fs::create_dir_all(&folder).and_then(|()| host::fuzzing::deployment_record(&folder, bytes));
    assert!(done.is_ok(), "{done:?}");
}

/// The database with a few bytes changed, or cut short. Not for a fuzzer that takes each panic for a fault: redb panics on some
/// files, which is caught.
pub fn database(bytes: &[u8]) {
    let (Some(folder), Some(sound)) = (&*FOLDER, &*SOUND) else {
        return;
    };
    let mut input = Input::new(bytes);
    let mut file = sound.clone();
    while !input.is_empty() {
        let page = usize::from(input.byte()) << 12 | usize::from(input.byte()) << 4 | usize::from(input.byte() % 16);
        let at = page % file.len().max(1);
        match input.byte() % 8 {
            0 => file.truncate(at),
            1 => file.truncate(at >> 4 << 4),
            _ => {
                for (byte, wrong) in file.iter_mut().skip(at).zip(input.bytes()) {
                    *byte = *wrong;
                }
            }
        }
    }
    let done = checkpoint::fuzzing::damaged_file(&folder.path().join("damaged"), &file);
    assert!(done.is_ok(), "{done:?}");
}
