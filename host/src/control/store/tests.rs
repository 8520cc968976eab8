//! What is uploaded, kept and given up, and what becomes of it on a disk that fails.

use super::*;
use crate::files::fault::{Disk, ERRORS};

const LIMITS: StoreLimits = StoreLimits {
    component_bytes: 100,
    total_bytes: 250,
};

fn open(folder: &Path) -> ComponentStore {
    ComponentStore::open(folder.join("components"), LIMITS).unwrap()
}

fn upload(store: &mut ComponentStore, bytes: &[u8]) -> Result<UploadProgress, UploadError> {
    let digest = Digest::of(bytes);
    let progress = store.begin(digest, bytes.len() as u64)?;
    if progress.complete {
        return Ok(progress);
    }
    let offset = usize::try_from(progress.offset).unwrap();
    store.put(digest, progress.offset, &bytes[offset..])
}

#[test]
fn an_upload_goes_on_where_it_stopped_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, digest) = (b"some component", Digest::of(b"some component"));
    let mut store = open(folder.path());
    let at = |offset, complete| UploadProgress { offset, complete };
    assert_eq!(store.begin(digest, 14).unwrap(), at(0, false));
    assert_eq!(store.put(digest, 0, &bytes[..5]).unwrap(), at(5, false));
    let again = store.put(digest, 0, &bytes[..5]).unwrap_err().to_string();
    assert!(again.contains("belongs to byte 0"), "{again}");
    assert_eq!(store.begin(digest, 14).unwrap(), at(5, false), "asked how far it is");
    let mut store = open(folder.path());
    assert!(matches!(
        store.put(digest, 5, &bytes[5..]),
        Err(UploadError::NotBegun(_))
    ));
    assert_eq!(store.begin(digest, 14).unwrap(), at(5, false), "after a restart");
    assert_eq!(store.path(&digest), None);
    assert_eq!(store.put(digest, 5, &bytes[5..]).unwrap(), at(14, true));
    assert_eq!(fs::read(store.path(&digest).unwrap()).unwrap(), bytes);
    assert_eq!(store.begin(digest, 14).unwrap(), at(14, true), "it is there");
}

#[test]
fn what_is_not_what_was_announced_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let digest = Digest::of(b"right");
    store.begin(digest, 5).unwrap();
    assert!(matches!(
        store.put(digest, 0, b"wrong"),
        Err(UploadError::Mismatch { .. })
    ));
    assert_eq!(store.begin(digest, 5).unwrap().offset, 0, "from the start");
    assert!(matches!(
        store.put(digest, 0, b"right and more"),
        Err(UploadError::TooLong(_))
    ));
    assert!(store.put(digest, 0, b"right").unwrap().complete);
    assert!(matches!(store.begin(Digest::of(b""), 0), Err(UploadError::Empty)));
    assert!(matches!(store.begin(digest, 101), Err(UploadError::TooLarge { .. })));
}

#[test]
fn uploads_and_their_bytes_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for number in 0..MOST_UPLOADS {
        store.begin(Digest::of(&[u8::try_from(number).unwrap()]), 1).unwrap();
    }
    assert!(matches!(
        store.begin(Digest::of(b"one more"), 8),
        Err(UploadError::TooMany)
    ));
    store
        .uploads
        .values_mut()
        .for_each(|upload| upload.touched = SystemTime::UNIX_EPOCH);
    upload(&mut store, b"one more").unwrap();
}

#[test]
fn uploads_whose_clients_have_gone_keep_nobody_out_and_go_on_where_they_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let begun: Vec<Vec<u8>> = (0..MOST_UPLOADS as u8).map(|number| vec![number; 10]).collect();
    for component in &begun {
        store.begin(Digest::of(component), 10).unwrap();
        store.put(Digest::of(component), 0, &component[..4]).unwrap();
    }
    for upload in store.uploads.values_mut() {
        upload.touched -= IDLE;
    }
    upload(&mut store, b"one more").unwrap();
    assert_eq!(store.uploads.len(), MOST_UPLOADS - 1);
    for component in &begun {
        let at = store.begin(Digest::of(component), 10).unwrap().offset;
        assert_eq!(at, 4);
        assert!(store.put(Digest::of(component), 4, &component[4..]).unwrap().complete);
    }
}

#[test]
fn components_that_nobody_uses_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let component = |fill: u8| vec![fill; 100];
    let digest = |fill| Digest::of(&component(fill));
    for fill in [1, 2] {
        upload(&mut store, &component(fill)).unwrap();
        let path = store.path(&digest(fill)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(fill));
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    store.set_used(BTreeSet::from([digest(1)]));
    upload(&mut store, &component(3)).unwrap();
    let there = [1, 2, 3].map(|fill| store.path(&digest(fill)).is_some());
    assert_eq!(there, [true, false, true], "the oldest that isn't used");
    store.set_used([1, 3].map(digest).into());
    assert!(matches!(
        upload(&mut store, &component(4)),
        Err(UploadError::Full { .. })
    ));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    upload(&mut store, b"component").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store.folder), 0o700);
    assert_eq!(mode(&store.path(&Digest::of(b"component")).unwrap()), 0o600);
}

/// Each step of an upload fails in each way. Whoever uploads begins again, as it does after every error, and what is said to
/// be complete is what was uploaded.
#[test]
fn an_upload_succeeds_after_whatever_step_failed() {
    let bytes: Vec<u8> = (0..90).collect();
    let digest = Digest::of(&bytes);
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let pieces = |store: &mut ComponentStore| -> Result<(), UploadError> {
        loop {
            let UploadProgress { offset, complete } = store.begin(digest, 90)?;
            if complete {
                return Ok(());
            }
            let at = usize::try_from(offset).unwrap();
            store.put(digest, offset, &bytes[at..(at + 30).min(90)])?;
        }
    };
    let steps = {
        let mut store = open(&folder.path().join("measured"));
        disk.heal();
        pieces(&mut store).unwrap();
        disk.steps()
    };
    for error in ERRORS {
        let mut harmless = 0;
        for at in 0..steps {
            let home = folder.path().join(format!("{error}-{at}"));
            let mut store = open(&home);
            disk.fail(at, 1, error);
            match pieces(&mut store) {
                // A component that is there, and can't be read now, is taken for sound.
                Ok(()) => harmless += 1,
                Err(UploadError::File { source, .. }) => assert_eq!(source.raw_os_error(), Some(error)),
                Err(failed) => unreachable!("error {error} at step {at}: {failed}"),
            }
            disk.heal();
            // After a restart, too.
            if at % 2 == 0 {
                store = open(&home);
            }
            pieces(&mut store).unwrap();
            assert_eq!(
                fs::read(store.path(&digest).unwrap()).unwrap(),
                bytes,
                "error {error} at step {at}"
            );
            let left = fs::read_dir(home.join("components")).unwrap().count();
            assert_eq!(left, 1, "error {error} at step {at}: nothing is left behind");
        }
        assert_eq!(harmless, 2, "opening it and reading it");
    }
}

/// What fills the disk gives the room back.
#[test]
fn an_upload_for_which_there_is_no_room_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let digest = Digest::of(b"some component");
    store.begin(digest, 14).unwrap();
    store.put(digest, 0, b"some").unwrap();
    let disk = Disk::under(folder.path());
    disk.fail(0, 1, ERRORS[0]);
    store.put(digest, 4, b" component").unwrap_err();
    assert_eq!(fs::read_dir(folder.path().join("components")).unwrap().count(), 0);
}

#[test]
fn a_damaged_component_is_put_aside_and_can_be_uploaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let bytes = b"some component";
    let digest = Digest::of(bytes);
    assert!(upload(&mut store, bytes).unwrap().complete);
    let path = store.path(&digest).unwrap();
    assert_eq!(store.sound_path(&digest), Some(path.clone()));
    std::fs::write(&path, b"some damage").unwrap();
    assert_eq!(store.sound_path(&digest), None);
    assert!(upload(&mut store, bytes).unwrap().complete);
    std::fs::write(&path, b"").unwrap();
    assert!(!store.begin(digest, 14).unwrap().complete, "it is asked for anew");
    assert!(upload(&mut store, bytes).unwrap().complete);
    assert_eq!(std::fs::read(path).unwrap(), bytes);
}
