//! The state of an entity, and what is beside it, as bytes: a checksum over all that follows it, then the fields.

use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::entities::{Entity, GivenUp, KeptReply, StoredReminder, StoredState};

/// What the first byte after the checksum says. Another layout gets another number.
const LAYOUT: u8 = 1;

const CHECKSUM: usize = 32;

/// What a record is of.
#[derive(Debug, Clone, Copy)]
enum Of<'a> {
    State,
    Reminder(&'a str),
    Reply(&'a str, &'a str),
}

/// Why bytes are no record of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRecord {
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
    let mut record = begin(4 + 8 + 2 + code.len() + bytes.len());
    record.extend_from_slice(&state_version.to_be_bytes());
    record.extend_from_slice(&u64::try_from(millis).unwrap_or(u64::MAX).to_be_bytes());
    record.extend_from_slice(&code_length.to_be_bytes());
    record.extend_from_slice(code.as_bytes());
    record.extend_from_slice(bytes);
    seal(entity, Of::State, record)
}

/// The state, if these are the very bytes that were written for this entity.
pub(super) fn read(entity: &Entity, record: &[u8]) -> Result<StoredState, NoRecord> {
    fields_of(open(entity, Of::State, record)?).ok_or(NoRecord::Damaged)
}

/// The record of a reminder; none if its variant is too long for one.
pub(super) fn write_reminder(entity: &Entity, reminder: &StoredReminder) -> Option<Vec<u8>> {
    let StoredReminder {
        id,
        due_ms,
        period_ms,
        variant,
        args,
        given_up,
    } = reminder;
    let numbers = [
        *due_ms,
        *period_ms,
        given_up.map(|firing| firing.due_ms),
        given_up.map(|firing| firing.at_ms),
    ];
    let mut record = begin(1 + 8 * numbers.len() + 4 + variant.len() + args.len());
    let flags = numbers.iter().enumerate();
    record.push(flags.fold(0, |flags, (at, number)| flags | u8::from(number.is_some()) << at));
    for number in numbers {
        record.extend_from_slice(&number.unwrap_or_default().to_be_bytes());
    }
    record.extend_from_slice(&u32::try_from(variant.len()).ok()?.to_be_bytes());
    record.extend_from_slice(variant.as_bytes());
    record.extend_from_slice(args);
    seal(entity, Of::Reminder(id), record)
}

/// The reminder of this id, if these are the very bytes that were written for it.
pub(super) fn read_reminder(entity: &Entity, id: &str, record: &[u8]) -> Result<StoredReminder, NoRecord> {
    let fields = open(entity, Of::Reminder(id), record)?;
    reminder_of(id, fields).ok_or(NoRecord::Damaged)
}

fn reminder_of(id: &str, fields: &[u8]) -> Option<StoredReminder> {
    let (flags, mut rest) = fields.split_first()?;
    let mut number = |at: u8| -> Option<Option<u64>> {
        let (bytes, behind) = rest.split_first_chunk()?;
        rest = behind;
        Some((flags >> at & 1 == 1).then_some(u64::from_be_bytes(*bytes)))
    };
    let (due_ms, period_ms) = (number(0)?, number(1)?);
    let given_up = number(2)?.zip(number(3)?);
    let (variant_length, rest) = rest.split_first_chunk()?;
    let (variant, args) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*variant_length)).ok()?)?;
    Some(StoredReminder {
        id: id.to_owned(),
        due_ms,
        period_ms,
        variant: std::str::from_utf8(variant).ok()?.to_owned(),
        args: args.to_vec(),
        given_up: given_up.map(|(due_ms, at_ms)| GivenUp { due_ms, at_ms }),
    })
}

/// The record of a kept reply.
pub(super) fn write_reply(entity: &Entity, kept: &KeptReply) -> Option<Vec<u8>> {
    let (is_reply, bytes) = match &kept.outcome {
        Ok(reply) => (1, reply.as_slice()),
        Err(reason) => (0, reason.as_bytes()),
    };
    let mut record = begin(kept.digest.len() + 8 + 1 + bytes.len());
    record.extend_from_slice(&kept.digest);
    record.extend_from_slice(&kept.at_ms.to_be_bytes());
    record.push(is_reply);
    record.extend_from_slice(bytes);
    seal(entity, Of::Reply(&kept.scope, &kept.key), record)
}

/// The reply that is kept for this scope and key, if these are the very bytes that were written for it.
pub(super) fn read_reply(entity: &Entity, (scope, key): (&str, &str), record: &[u8]) -> Result<KeptReply, NoRecord> {
    let fields = open(entity, Of::Reply(scope, key), record)?;
    reply_of((scope, key), fields).ok_or(NoRecord::Damaged)
}

fn reply_of((scope, key): (&str, &str), fields: &[u8]) -> Option<KeptReply> {
    let (digest, rest) = fields.split_first_chunk()?;
    let (at_ms, rest) = rest.split_first_chunk()?;
    let (is_reply, bytes) = rest.split_first()?;
    Some(KeptReply {
        scope: scope.to_owned(),
        key: key.to_owned(),
        digest: *digest,
        outcome: match is_reply {
            1 => Ok(bytes.to_vec()),
            _ => Err(std::str::from_utf8(bytes).ok()?.to_owned()),
        },
        at_ms: u64::from_be_bytes(*at_ms),
    })
}

/// The beginning of a record, without its checksum, with room for this many bytes of fields.
fn begin(bytes: usize) -> Vec<u8> {
    let mut record = Vec::with_capacity(CHECKSUM + 1 + bytes);
    record.extend_from_slice(&[0; CHECKSUM]);
    record.push(LAYOUT);
    record
}

fn seal(entity: &Entity, of: Of<'_>, mut record: Vec<u8>) -> Option<Vec<u8>> {
    let (checksum, body) = record.split_at_mut_checked(CHECKSUM)?;
    checksum.copy_from_slice(&sum(entity, of, body));
    Some(record)
}

/// The fields, if these are the very bytes that were written.
fn open<'r>(entity: &Entity, of: Of<'_>, record: &'r [u8]) -> Result<&'r [u8], NoRecord> {
    let (checksum, body) = record.split_at_checked(CHECKSUM).ok_or(NoRecord::Damaged)?;
    let (layout, fields) = body.split_first().ok_or(NoRecord::Damaged)?;
    // Every layout has the checksum first, or a later version's record would pass for damage.
    if checksum != sum(entity, of, body) {
        return Err(NoRecord::Damaged);
    }
    if *layout != LAYOUT {
        return Err(NoRecord::Layout(*layout));
    }
    Ok(fields)
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

/// Over what the record is of, too, so that no record passes for another's.
fn sum(entity: &Entity, of: Of<'_>, body: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = Sha256::new();
    let mut add = |part: &[u8]| {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    };
    add(entity.entity_type.name().as_bytes());
    add(entity.key.bytes());
    match of {
        Of::State => {}
        Of::Reminder(id) => ["reminder", id].iter().for_each(|part| add(part.as_bytes())),
        Of::Reply(scope, key) => ["reply", scope, key].iter().for_each(|part| add(part.as_bytes())),
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
                Err(NoRecord::Damaged),
                "another entity's"
            );
        }
        for index in 0..record.len() {
            let mut changed = record.clone();
            changed[index] ^= 1;
            assert_eq!(read(&entity, &changed), Err(NoRecord::Damaged), "byte {index} changed");
            assert_eq!(
                read(&entity, &record[..index]),
                Err(NoRecord::Damaged),
                "cut at {index}"
            );
        }
    }

    #[test]
    fn a_later_layout_is_told_from_damage() {
        let entity = Entity::new("cart", "4711").unwrap();
        let body = [9, 1, 2, 3];
        let record = [&sum(&entity, Of::State, &body)[..], &body].concat();
        assert_eq!(read(&entity, &record), Err(NoRecord::Layout(9)));
    }

    #[test]
    fn code_whose_name_is_too_long_has_no_record() {
        let mut state = state();
        state.code = "x".repeat(70_000);
        assert_eq!(write(&Entity::new("cart", "4711").unwrap(), &state), None);
    }

    /// The bytes of these layouts, as they are for ever.
    const GOLDEN_REMINDER: &str = "1d4eecac180a448a625b33ec94064ba93b7c6d71aa8ae1c8d09c278602e2817e010d000001a0c4506c7b00000000000000000000000000000001000000000000000200000006457870697265736f6f6e";
    const GOLDEN_REPLY: &str = "cf30b7593096ad4550c8d0e0c3a44ff0e557d587b706743d888218d8e545a675010707070707070707070707070707070707070707070707070707070707070707000001a0c4506c7b017468726565206170706c6573";

    #[test]
    fn what_is_beside_a_state_is_read_as_it_was_written_and_as_nothing_else() {
        let entity = Entity::new("cart", "4711").unwrap();
        let reminder = StoredReminder {
            id: "expire".to_owned(),
            due_ms: Some(1_790_000_000_123),
            period_ms: None,
            variant: "Expire".to_owned(),
            args: b"soon".to_vec(),
            given_up: Some(GivenUp { due_ms: 1, at_ms: 2 }),
        };
        let reply = KeptReply {
            scope: "admin".to_owned(),
            key: "order-1".to_owned(),
            digest: [7; 32],
            outcome: Ok(b"three apples".to_vec()),
            at_ms: 1_790_000_000_123,
        };
        let reminded = write_reminder(&entity, &reminder).unwrap();
        let replied = write_reply(&entity, &reply).unwrap();
        assert_eq!(hex::encode(&reminded), GOLDEN_REMINDER);
        assert_eq!(hex::encode(&replied), GOLDEN_REPLY);
        assert_eq!(read_reminder(&entity, "expire", &reminded), Ok(reminder.clone()));
        assert_eq!(read_reply(&entity, ("admin", "order-1"), &replied), Ok(reply.clone()));
        assert_eq!(read_reminder(&entity, "expired", &reminded), Err(NoRecord::Damaged));
        assert_eq!(
            read_reply(&entity, ("admi", "norder-1"), &replied),
            Err(NoRecord::Damaged)
        );
        assert_eq!(read(&entity, &reminded), Err(NoRecord::Damaged));
        for cut in 0..reminded.len() {
            assert_eq!(
                read_reminder(&entity, "expire", &reminded[..cut]),
                Err(NoRecord::Damaged)
            );
        }
        for (due_ms, period_ms, given_up) in [
            (None, None, None),
            (Some(0), Some(1), None),
            (Some(u64::MAX), None, None),
        ] {
            let other = StoredReminder {
                due_ms,
                period_ms,
                given_up,
                ..reminder.clone()
            };
            let record = write_reminder(&entity, &other).unwrap();
            assert_eq!(read_reminder(&entity, "expire", &record), Ok(other));
        }
        let failed = KeptReply {
            outcome: Err("no room".to_owned()),
            ..reply
        };
        let record = write_reply(&entity, &failed).unwrap();
        assert_eq!(read_reply(&entity, ("admin", "order-1"), &record), Ok(failed));
    }
}
