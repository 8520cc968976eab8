//! The state of an entity as bytes: a checksum over all that follows it, then the fields.

use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::entities::{Entity, StoredState};

/// What the first byte after the checksum says. Another layout gets another number.
const LAYOUT: u8 = 1;

const CHECKSUM: usize = 32;

/// Why bytes are no state of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoState {
    /// They are not what was written.
    Damaged,
    /// They were written by a version that knows another layout.
    Layout(u8),
}

/// The record of a state; none if the name of its code is too long for one.
pub(super) fn write(entity: &Entity, state: &StoredState) -> Option<Vec<u8>> {
    let StoredState {
        code,
        state_version,
        taken,
        bytes,
    } = state;
    let code_length = u16::try_from(code.len()).ok()?;
    let millis = taken
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let mut record = Vec::with_capacity(CHECKSUM + 1 + 4 + 8 + 2 + code.len() + bytes.len());
    record.extend_from_slice(&[0; CHECKSUM]);
    record.push(LAYOUT);
    record.extend_from_slice(&state_version.to_be_bytes());
    record.extend_from_slice(&u64::try_from(millis).unwrap_or(u64::MAX).to_be_bytes());
    record.extend_from_slice(&code_length.to_be_bytes());
    record.extend_from_slice(code.as_bytes());
    record.extend_from_slice(bytes);
    let (checksum, body) = record.split_at_mut_checked(CHECKSUM)?;
    checksum.copy_from_slice(&sum(entity, body));
    Some(record)
}

/// The state, if these are the very bytes that were written for this entity.
pub(super) fn read(entity: &Entity, record: &[u8]) -> Result<StoredState, NoState> {
    let (checksum, body) = record.split_at_checked(CHECKSUM).ok_or(NoState::Damaged)?;
    let (layout, fields) = body.split_first().ok_or(NoState::Damaged)?;
    // Every layout has the checksum first, or a later version's record would pass for damage.
    if checksum != sum(entity, body) {
        return Err(NoState::Damaged);
    }
    if *layout != LAYOUT {
        return Err(NoState::Layout(*layout));
    }
    fields_of(fields).ok_or(NoState::Damaged)
}

fn fields_of(fields: &[u8]) -> Option<StoredState> {
    let (state_version, rest) = fields.split_first_chunk()?;
    let (millis, rest) = rest.split_first_chunk()?;
    let (code_length, rest) = rest.split_first_chunk()?;
    let (code, bytes) = rest.split_at_checked(usize::from(u16::from_be_bytes(*code_length)))?;
    Some(StoredState {
        code: std::str::from_utf8(code).ok()?.to_owned(),
        state_version: u32::from_be_bytes(*state_version),
        taken: SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::from_be_bytes(*millis)))?,
        bytes: bytes.to_vec(),
    })
}

/// Over the type and the key too, so that no record passes for another entity's.
fn sum(entity: &Entity, body: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = Sha256::new();
    for part in [entity.entity_type.name().as_bytes(), entity.key.bytes()] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.update(body);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of this layout, as they are for ever.
    const GOLDEN: &str = "86e5aaa002a45ccb2d26a6532de406bc53abc8a3d5cf578e2956f10c9da4f7e50100000007000001a0c4506c7b0004636172747468726565206170706c6573";

    fn state() -> StoredState {
        StoredState {
            code: "cart".to_owned(),
            state_version: 7,
            taken: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123),
            bytes: b"three apples".to_vec(),
        }
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let entity = Entity::new("cart", "4711").unwrap();
        let record = write(&entity, &state()).unwrap();
        assert_eq!(hex::encode(&record), GOLDEN);
        assert_eq!(read(&entity, &record), Ok(state()));
        for other in [Entity::new("cart", "4712"), Entity::new("car", "t4711")] {
            assert_eq!(
                read(&other.unwrap(), &record),
                Err(NoState::Damaged),
                "another entity's"
            );
        }
        for index in 0..record.len() {
            let mut changed = record.clone();
            changed[index] ^= 1;
            assert_eq!(read(&entity, &changed), Err(NoState::Damaged), "byte {index} changed");
            assert_eq!(read(&entity, &record[..index]), Err(NoState::Damaged), "cut at {index}");
        }
    }

    #[test]
    fn a_later_layout_is_told_from_damage() {
        let entity = Entity::new("cart", "4711").unwrap();
        let body = [9, 1, 2, 3];
        let record = [&sum(&entity, &body)[..], &body].concat();
        assert_eq!(read(&entity, &record), Err(NoState::Layout(9)));
    }

    #[test]
    fn code_whose_name_is_too_long_has_no_record() {
        let mut state = state();
        state.code = "x".repeat(70_000);
        assert_eq!(write(&Entity::new("cart", "4711").unwrap(), &state), None);
    }
}
