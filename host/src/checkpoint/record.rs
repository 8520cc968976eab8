//! One checkpoint as bytes: a checksum over all that follows it, then the fields.

use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::guest::{Checkpoint, Digest};

/// What the first byte of every record says. Another layout gets another number.
const LAYOUT: u8 = 1;

const CHECKSUM: usize = 32;

/// What comes before the module's name: the checksum, the layout, and the fields of a fixed length.
const HEADER: usize = CHECKSUM + 1 + 32 + 4 + 8 + 2;

/// How many bytes a checkpoint takes.
pub(super) fn length(checkpoint: &Checkpoint) -> usize {
    HEADER + checkpoint.module.len() + checkpoint.state.len()
}

/// Writes a checkpoint into a place of exactly its length. None if the place has another one, or the module's name is too
/// long for a record.
pub(super) fn write(actor: &str, number: u64, checkpoint: &Checkpoint, place: &mut [u8]) -> Option<()> {
    let Checkpoint {
        module,
        digest,
        state_version,
        taken,
        state,
    } = checkpoint;
    let name_length = u16::try_from(module.len()).ok()?;
    let millis = taken
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let header = [
        &[LAYOUT][..],
        digest.as_bytes(),
        &state_version.to_be_bytes(),
        &u64::try_from(millis).unwrap_or(u64::MAX).to_be_bytes(),
        &name_length.to_be_bytes(),
        module.as_bytes(),
    ]
    .concat();
    let (checksum, body) = place.split_at_mut_checked(CHECKSUM)?;
    let (head, bytes) = body.split_at_mut_checked(header.len())?;
    if bytes.len() != state.len() {
        return None;
    }
    head.copy_from_slice(&header);
    bytes.copy_from_slice(state);
    checksum.copy_from_slice(&sum(actor, number, body));
    Some(())
}

/// The checkpoint, if these are the very bytes that were written for this actor under this number.
pub(super) fn read(actor: &str, number: u64, bytes: &[u8]) -> Option<Checkpoint> {
    let (checksum, body) = bytes.split_at_checked(CHECKSUM)?;
    if checksum != sum(actor, number, body) {
        return None;
    }
    let (layout, rest) = body.split_first()?;
    if *layout != LAYOUT {
        return None;
    }
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let (state_version, rest) = rest.split_first_chunk()?;
    let (millis, rest) = rest.split_first_chunk()?;
    let (name_length, rest) = rest.split_first_chunk()?;
    let (module, state) = rest.split_at_checked(usize::from(u16::from_be_bytes(*name_length)))?;
    Some(Checkpoint {
        module: std::str::from_utf8(module).ok()?.to_owned(),
        digest: Digest::from_bytes(*digest),
        state_version: u32::from_be_bytes(*state_version),
        taken: SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::from_be_bytes(*millis)))?,
        state: state.to_vec(),
    })
}

/// When the checkpoint was taken, by its own account: it is not checked.
pub(super) fn taken(bytes: &[u8]) -> Option<SystemTime> {
    let millis = bytes.get(CHECKSUM + 1 + 32 + 4..)?.first_chunk()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::from_be_bytes(*millis)))
}

/// This, as what follows the checksum of a record.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn with_checksum(actor: &str, number: u64, body: &[u8]) -> Vec<u8> {
    [&sum(actor, number, body)[..], body].concat()
}

/// Over the key too, so that no record passes for another actor's or an older one's.
fn sum(actor: &str, number: u64, body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update((actor.len() as u64).to_be_bytes());
    hasher.update(actor);
    hasher.update(number.to_be_bytes());
    hasher.update(body);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let checkpoint = Checkpoint {
            module: "counter".to_owned(),
            digest: Digest::of(b"code"),
            state_version: 7,
            taken: SystemTime::UNIX_EPOCH + Duration::from_millis(1_750_000_000_123),
            state: b"some state".to_vec(),
        };
        let mut bytes = vec![0; length(&checkpoint)];
        write("a", 3, &checkpoint, &mut bytes).unwrap();
        assert_eq!(read("a", 3, &bytes), Some(checkpoint.clone()));
        assert_eq!(taken(&bytes), Some(checkpoint.taken));
        assert_eq!(read("b", 3, &bytes), None, "another actor's");
        assert_eq!(read("a", 4, &bytes), None, "another number's");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(read("a", 3, &changed), None, "byte {index} changed");
            assert_eq!(read("a", 3, &bytes[..index]), None, "cut at {index}");
        }
        assert_eq!(write("a", 3, &checkpoint, &mut [0; 5]), None);
    }
}
