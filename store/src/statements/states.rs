//! States of entities, behind the fence.

use std::collections::{BTreeMap, BTreeSet};

use ractor_host_placement::statement::{Outcome, StateWrite, StoredState, WriteOutcome};
use ractor_host_placement::words::{Entity, EntityKey, Epoch, Incarnation, ShardId};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::shards::{ids, list, shard_id, stored_type};
use super::{column, damaged, epoch, generation, ordered, parameter, stored, waits};
use crate::connection::Query;
use crate::error::StoreError;
use crate::state::{Content, StateRow};

/// Locks the shards against a change of their owner, then writes what belongs to those that are still this node's at these epochs. A
/// write that comes late, behind a newer one, changes nothing. What goes with a state (its reminders, and the end of everything if it is
/// deleted) goes with the row that was written, or not at all.
const WRITE: &str = concat!(
    "with fence as materialized (
        select s.type_id, s.shard, s.epoch from ractor_host.shard s
        join unnest($2::smallint[], $3::int[], $4::bigint[]) as w (type_id, shard, epoch)
            on s.type_id = w.type_id and s.shard = w.shard
        where s.owner = $1 and s.epoch = w.epoch and ",
    waits!("$18"),
    " order by s.type_id, s.shard
        for share of s),
    put as (
        insert into ractor_host.state as old (type_id, key, shard, epoch, version, code, state_version, taken, bytes)
        select w.type_id, w.key, w.shard, w.epoch, w.version, w.code, w.state_version, w.taken, w.bytes
        from unnest($5::smallint[], $6::bytea[], $7::int[], $8::bigint[], $9::bigint[], $10::text[], $11::int[], $12::bigint[], $13::bytea[])
            as w (type_id, key, shard, epoch, version, code, state_version, taken, bytes)
        join fence f on f.type_id = w.type_id and f.shard = w.shard and f.epoch = w.epoch
        order by w.type_id, w.key
        on conflict (type_id, key) do update set shard = excluded.shard, epoch = excluded.epoch, version = excluded.version,
            code = excluded.code, state_version = excluded.state_version, taken = excluded.taken, bytes = excluded.bytes
        where (old.epoch, old.version) <= (excluded.epoch, excluded.version)
        returning type_id, key, bytes is null as is_deleted),
    handled as (
        select h.* from unnest($14::smallint[], $15::bytea[], $16::int[], $17::bigint[]) as h (type_id, key, number, due)
        join put p on p.type_id = h.type_id and p.key = h.key and not p.is_deleted),
    advanced as (
        update ractor_host.reminder r set failures = 0,
            due = r.due + r.period * (greatest((extract(epoch from clock_timestamp()) * 1000000)::bigint - r.due, 0) / r.period + 1)
        from handled h
        where r.type_id = h.type_id and r.key = h.key and r.number = h.number and r.due = h.due and r.period is not null),
    done as (
        delete from ractor_host.reminder r using handled h
        where r.type_id = h.type_id and r.key = h.key and r.number = h.number and r.due = h.due and r.period is null),
    forgotten as (
        delete from ractor_host.reminder r using put p where p.is_deleted and r.type_id = p.type_id and r.key = p.key),
    unanswered as (
        delete from ractor_host.answered a using put p where p.is_deleted and a.type_id = p.type_id and a.key = p.key)
    select ",
    generation!(),
    ", f.* from (select array_agg(type_id) as shard_types, array_agg(shard) as shards, array_agg(epoch) as epochs from fence) f"
);

impl<'a> From<&'a StateWrite> for StateRow<'a> {
    fn from(write: &'a StateWrite) -> Self {
        Self {
            entity: &write.entity,
            shard: write.shard,
            epoch: write.epoch,
            version: write.version,
            content: Some(Content {
                code: "",
                state_version: 0,
                taken: 0,
                bytes: &write.bytes,
            }),
            handled: &write.handled,
        }
    }
}

/// The query that writes these. Of several rows of one entity the newest is written.
pub(crate) fn write(me: Incarnation, rows: &[StateRow<'_>], wait: String) -> Result<Query, StoreError> {
    let mut newest: BTreeMap<&Entity, &StateRow<'_>> = BTreeMap::new();
    for row in rows {
        let place = newest.entry(row.entity).or_insert(row);
        if (row.epoch, row.version) >= (place.epoch, place.version) {
            *place = row;
        }
    }
    let rows: Vec<_> = newest.into_values().collect();
    let fenced: BTreeSet<(ShardId, Epoch)> = rows.iter().map(|row| (row.shard, row.epoch)).collect();
    let mut parameters = vec![parameter(stored(me), Type::INT8)];
    parameters.extend(ids(fenced.iter().map(|(shard, _)| shard)));
    let epochs = fenced.iter().map(|(_, epoch)| ordered(epoch.0));
    parameters.push(parameter(epochs.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY));

    let [types, shards] = ids(rows.iter().map(|row| &row.shard));
    let keys: Vec<Vec<u8>> = rows.iter().map(|row| row.entity.key.bytes().to_vec()).collect();
    let epochs = rows.iter().map(|row| ordered(row.epoch.0));
    let versions = rows.iter().map(|row| ordered(row.version));
    let content = |of: fn(&Content<'_>) -> i64| rows.iter().map(move |row| row.content.as_ref().map_or(0, of));
    let codes = rows
        .iter()
        .map(|row| row.content.as_ref().map_or("", |content| content.code).to_owned());
    let state_versions: Vec<i32> = rows
        .iter()
        // The same 32 bits.
        .map(|row| {
            row.content
                .as_ref()
                .map_or(0, |content| content.state_version)
                .cast_signed()
        })
        .collect();
    let bytes = rows
        .iter()
        .map(|row| row.content.as_ref().map(|content| content.bytes.to_vec()));
    parameters.extend([
        types,
        parameter(keys, Type::BYTEA_ARRAY),
        shards,
        parameter(epochs.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY),
        parameter(versions.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY),
        parameter(codes.collect::<Vec<_>>(), Type::TEXT_ARRAY),
        parameter(state_versions, Type::INT4_ARRAY),
        parameter(
            content(|content| content.taken.cast_signed()).collect::<Vec<_>>(),
            Type::INT8_ARRAY,
        ),
        parameter(bytes.collect::<Vec<_>>(), Type::BYTEA_ARRAY),
    ]);

    let handled = || {
        rows.iter()
            .flat_map(|row| row.handled.iter().map(move |firing| (row, firing)))
    };
    let types = handled().map(|(row, _)| stored_type(row.shard.type_id));
    let keys = handled().map(|(row, _)| row.entity.key.bytes().to_vec());
    let numbers = handled().map(|(_, firing)| i32::try_from(firing.reminder).map_err(damaged));
    let due = handled().map(|(_, firing)| i64::try_from(firing.due).map_err(damaged));
    parameters.extend([
        parameter(types.collect::<Vec<_>>(), Type::INT2_ARRAY),
        parameter(keys.collect::<Vec<_>>(), Type::BYTEA_ARRAY),
        parameter(numbers.collect::<Result<Vec<_>, _>>()?, Type::INT4_ARRAY),
        parameter(due.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY),
        parameter(wait, Type::TEXT),
    ]);
    Ok(Query {
        text: WRITE,
        parameters,
    })
}

/// What came of each of these.
pub(crate) fn written(row: &Row, rows: &[StateRow<'_>]) -> Result<Vec<WriteOutcome>, StoreError> {
    let types: Vec<i16> = list(row, "shard_types")?;
    let shards: Vec<i32> = list(row, "shards")?;
    let epochs: Vec<i64> = list(row, "epochs")?;
    let passed = types.into_iter().zip(shards).zip(epochs);
    let passed: BTreeSet<(ShardId, Epoch)> = passed
        .map(|((type_id, shard), at)| Ok((shard_id(type_id, shard)?, epoch(at)?)))
        .collect::<Result<_, StoreError>>()?;
    let outcome = |row: &StateRow<'_>| {
        if passed.contains(&(row.shard, row.epoch)) {
            WriteOutcome::Accepted
        } else {
            WriteOutcome::Refused
        }
    };
    Ok(rows.iter().map(outcome).collect())
}

const READ: &str = concat!(
    "select ",
    generation!(),
    ", exists (select from ractor_host.shard where type_id = $2 and shard = $3 and owner = $1 and epoch = $4) as is_owner,
        s.epoch, s.version, s.code, s.state_version, s.taken, s.bytes
    from (select 1) one left join ractor_host.state s on s.type_id = $2 and s.key = $5 and s.bytes is not null"
);

/// The query that reads the state of an entity, with the row of its shard.
pub(crate) fn read(me: Incarnation, shard: ShardId, epoch: Epoch, key: &EntityKey) -> Result<Query, StoreError> {
    Ok(Query {
        text: READ,
        parameters: vec![
            parameter(stored(me), Type::INT8),
            parameter(stored_type(shard.type_id), Type::INT2),
            parameter(i32::try_from(shard.shard).unwrap_or(-1), Type::INT4),
            parameter(ordered(epoch.0)?, Type::INT8),
            parameter(key.bytes().to_vec(), Type::BYTEA),
        ],
    })
}

pub(super) fn state(row: &Row) -> Result<Outcome, StoreError> {
    let at: Option<i64> = column(row, "epoch")?;
    let state = at.map(|at| {
        Ok(StoredState {
            epoch: epoch(at)?,
            version: u64::try_from(column::<i64>(row, "version")?).map_err(damaged)?,
            bytes: column(row, "bytes")?,
        })
    });
    Ok(Outcome::State {
        is_owner: column(row, "is_owner")?,
        state: state.transpose()?,
    })
}
