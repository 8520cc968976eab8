//! All that there is of an entity, in one snapshot.

use ractor_host_entities::{Fence, GivenUp, KeptReply, Stored, StoredReminder, StoredState};
use ractor_host_placement::words::{Entity, Incarnation};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::shards::{list, stored_type};
use super::{ahead, column, damaged, generation, ordered, parameter, signed};
use crate::connection::Query;
use crate::error::StoreError;
use crate::state;

/// Without a fence ($4 is null) whoever owns the entity.
const READ: &str = concat!(
    "select ",
    generation!(),
    ", $6::bigint is null or exists (
        select from ractor_host.shard where type_id = $4 and shard = $5 and owner = $3 and epoch = $6) as is_owner,
        s.code, s.state_version, s.taken, s.bytes, r.*, a.*
    from (select 1) one
    left join ractor_host.type t on t.name = $1
    left join ractor_host.state s on s.type_id = t.type_id and s.key = $2 and s.bytes is not null
    left join lateral (
        select array_agg(id) as ids, array_agg(due) as dues, array_agg(period) as periods, array_agg(variant) as variants,
            array_agg(args) as args, array_agg(given_up_due) as given_up_dues, array_agg(given_up_at) as given_up_ats
        from ractor_host.reminder where type_id = t.type_id and key = $2) r on true
    left join lateral (
        select array_agg(scope) as scopes, array_agg(call_key) as call_keys, array_agg(digest) as digests,
            array_agg(outcome) as outcomes, array_agg(reply) as replies, array_agg(greatest(at - ",
    ahead!("$7"),
    ", 0)) as ats
        from ractor_host.answered where type_id = t.type_id and key = $2) a on true"
);

/// The query that reads it, by a node whose clock shows `now_ms`.
pub(crate) fn read(me: Incarnation, entity: &Entity, fence: Option<Fence>, now_ms: u64) -> Result<Query, StoreError> {
    let shard = fence.map(|fence| fence.shard);
    Ok(Query {
        text: READ,
        parameters: vec![
            parameter(entity.entity_type.name().to_owned(), Type::TEXT),
            parameter(entity.key.bytes().to_vec(), Type::BYTEA),
            parameter(signed(me), Type::INT8),
            parameter(shard.map(|shard| stored_type(shard.type_id)), Type::INT2),
            parameter(shard.map(|shard| i32::try_from(shard.shard).unwrap_or(-1)), Type::INT4),
            parameter(fence.map(|fence| ordered(fence.epoch.0)).transpose()?, Type::INT8),
            parameter(ordered(now_ms)?, Type::INT8),
        ],
    })
}

/// What was read; none if the fence isn't true.
pub(crate) fn stored(row: &Row) -> Result<Option<Stored>, StoreError> {
    if !column::<bool>(row, "is_owner")? {
        return Ok(None);
    }
    Ok(Some(Stored {
        state: state_of(row)?,
        reminders: reminders(row)?,
        replies: replies(row)?,
    }))
}

fn state_of(row: &Row) -> Result<Option<StoredState>, StoreError> {
    let Some(bytes) = column(row, "bytes")? else {
        return Ok(None);
    };
    Ok(Some(StoredState {
        code: column(row, "code")?,
        state_version: column::<i32>(row, "state_version")?.cast_unsigned(),
        taken: state::time(column(row, "taken")?),
        bytes,
    }))
}

fn reminders(row: &Row) -> Result<Vec<StoredReminder>, StoreError> {
    let mut ids = list::<Vec<u8>>(row, "ids")?.into_iter();
    let mut dues = list::<Option<i64>>(row, "dues")?.into_iter();
    let mut periods = list::<Option<i64>>(row, "periods")?.into_iter();
    let mut variants = list::<Vec<u8>>(row, "variants")?.into_iter();
    let mut args = list::<Vec<u8>>(row, "args")?.into_iter();
    let mut given_up_dues = list::<Option<i64>>(row, "given_up_dues")?.into_iter();
    let mut given_up_ats = list::<Option<i64>>(row, "given_up_ats")?.into_iter();
    let one = |id| {
        let given_up = match (next(&mut given_up_dues)?, next(&mut given_up_ats)?) {
            (Some(due), Some(at)) => Some(GivenUp {
                due_ms: number(due)?,
                at_ms: number(at)?,
            }),
            _ => None,
        };
        Ok(StoredReminder {
            id: text(id)?,
            due_ms: next(&mut dues)?.map(number).transpose()?,
            period_ms: next(&mut periods)?.map(number).transpose()?,
            variant: text(next(&mut variants)?)?,
            args: next(&mut args)?,
            given_up,
        })
    };
    ids.by_ref().map(one).collect()
}

fn replies(row: &Row) -> Result<Vec<KeptReply>, StoreError> {
    let mut scopes = list::<Vec<u8>>(row, "scopes")?.into_iter();
    let mut keys = list::<Vec<u8>>(row, "call_keys")?.into_iter();
    let mut digests = list::<Vec<u8>>(row, "digests")?.into_iter();
    let mut outcomes = list::<i16>(row, "outcomes")?.into_iter();
    let mut replies = list::<Vec<u8>>(row, "replies")?.into_iter();
    let mut ats = list::<i64>(row, "ats")?.into_iter();
    let one = |scope| {
        let reply = next(&mut replies)?;
        Ok(KeptReply {
            scope: text(scope)?,
            key: text(next(&mut keys)?)?,
            digest: next(&mut digests)?
                .try_into()
                .map_err(|_| damaged("a digest isn't 32 bytes"))?,
            outcome: match next(&mut outcomes)? {
                0 => Ok(reply),
                _ => Err(text(reply)?),
            },
            at_ms: number(next(&mut ats)?)?,
        })
    };
    scopes.by_ref().map(one).collect()
}

/// The next value of an array that is as long as the others.
fn next<T>(values: &mut impl Iterator<Item = T>) -> Result<T, StoreError> {
    values
        .next()
        .ok_or_else(|| damaged("two arrays of an answer differ in length"))
}

pub(super) fn number(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(damaged)
}

pub(super) fn text(stored: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(stored).map_err(damaged)
}
