//! States of entities, behind the fence, with what is beside them.

use std::collections::{BTreeMap, BTreeSet};

use ractor_host_placement::statement::{Outcome, StoredState, WriteOutcome};
use ractor_host_placement::words::{Entity, EntityKey, Epoch, Incarnation, ShardId};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::beside;
use super::shards::{ids, list, shard_id, stored_type};
use super::{ahead, column, damaged, epoch, generation, ordered, parameter, signed, waits};
use crate::connection::{Parameter, Query};
use crate::error::StoreError;
use crate::state::{Content, StateRow};

/// Whether a shard is this node's at the epoch of a write, and whether a write is newer than what is there.
#[cfg(not(feature = "broken-fence"))]
macro_rules! condition {
    (owned) => {
        "s.owner = $1 and s.epoch = w.epoch"
    };
    (newer) => {
        "(old.epoch, old.version) < (excluded.epoch, excluded.version)"
    };
}

/// Of a build that is broken on purpose: everybody is believed.
#[cfg(feature = "broken-fence")]
macro_rules! condition {
    (owned) => {
        "$1::bigint is not null"
    };
    (newer) => {
        "true"
    };
}

/// Locks the shards against a change of their owner, then writes what belongs to those that are still this node's at these epochs. A
/// write that isn't newer than what is there comes late, and changes nothing. What goes with a state goes with the row that was written,
/// or not at all. A code that is null says that the state stays as it is.
const WRITE: &str = concat!(
    "with fence as materialized (
        select s.type_id, s.shard, w.epoch from ractor_host.shard s
        join unnest($2::smallint[], $3::int[], $4::bigint[]) as w (type_id, shard, epoch)
            on s.type_id = w.type_id and s.shard = w.shard
        where ",
    condition!(owned),
    " and ",
    waits!("$5"),
    " order by s.type_id, s.shard
        for share of s),
    put as (
        insert into ractor_host.state as old (type_id, key, shard, epoch, version, code, state_version, taken, bytes)
        select w.type_id, w.key, w.shard, w.epoch, w.version, w.code, w.state_version, w.taken, w.bytes
        from unnest($6::smallint[], $7::bytea[], $8::int[], $9::bigint[], $10::bigint[], $11::text[], $12::int[], $13::bigint[], $14::bytea[])
            as w (type_id, key, shard, epoch, version, code, state_version, taken, bytes)
        join fence f on f.type_id = w.type_id and f.shard = w.shard and f.epoch = w.epoch
        order by w.type_id, w.key
        on conflict (type_id, key) do update set shard = excluded.shard, epoch = excluded.epoch, version = excluded.version,
            code = coalesce(excluded.code, old.code),
            state_version = case when excluded.code is null then old.state_version else excluded.state_version end,
            taken = case when excluded.code is null then old.taken else excluded.taken end,
            bytes = case when excluded.code is null then old.bytes else excluded.bytes end
        where ",
    condition!(newer),
    " returning type_id, key, shard)",
    beside::write!(),
    " select ",
    generation!(),
    ", f.* from (select array_agg(type_id) as shard_types, array_agg(shard) as shards, array_agg(epoch) as epochs from fence) f"
);

/// The query that writes these, by a node whose clock shows `now_ms`. Of several rows of one entity the newest is written.
pub(crate) fn write(me: Incarnation, rows: &[StateRow<'_>], wait: String, now_ms: u64) -> Result<Query, StoreError> {
    let mut newest: BTreeMap<&Entity, &StateRow<'_>> = BTreeMap::new();
    for row in rows {
        let place = newest.entry(row.entity).or_insert(row);
        if (row.fence.epoch, row.version) >= (place.fence.epoch, place.version) {
            *place = row;
        }
    }
    let rows: Vec<_> = newest.into_values().collect();
    let fenced: BTreeSet<(ShardId, Epoch)> = rows.iter().map(|row| (row.fence.shard, row.fence.epoch)).collect();
    let mut parameters = vec![parameter(signed(me), Type::INT8)];
    parameters.extend(ids(fenced.iter().map(|(shard, _)| shard)));
    let epochs = fenced.iter().map(|(_, epoch)| ordered(epoch.0));
    parameters.push(parameter(epochs.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY));
    parameters.push(parameter(wait, Type::TEXT));
    parameters.extend(states(&rows)?);
    parameters.extend(beside::parameters(&rows, now_ms)?);
    Ok(Query {
        text: WRITE,
        parameters,
    })
}

fn states(rows: &[&StateRow<'_>]) -> Result<[Parameter; 9], StoreError> {
    let [types, shards] = ids(rows.iter().map(|row| &row.fence.shard));
    let keys: Vec<Vec<u8>> = rows.iter().map(|row| row.entity.key.bytes().to_vec()).collect();
    let epochs = rows.iter().map(|row| ordered(row.fence.epoch.0));
    let versions = rows.iter().map(|row| ordered(row.version));
    let (mut codes, mut state_versions, mut times, mut states) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (code, version, time, state) = match row.content {
            Content::Put {
                code,
                state_version,
                taken,
                bytes,
            } => (Some(code), state_version, taken, Some(bytes)),
            Content::Keep => (None, 0, 0, None),
            Content::Delete => (Some(""), 0, 0, None),
        };
        codes.push(code.map(str::to_owned));
        // The same 32 bits.
        state_versions.push(version.cast_signed());
        times.push(time);
        states.push(state.map(<[u8]>::to_vec));
    }
    Ok([
        types,
        parameter(keys, Type::BYTEA_ARRAY),
        shards,
        parameter(epochs.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY),
        parameter(versions.collect::<Result<Vec<_>, _>>()?, Type::INT8_ARRAY),
        parameter(codes, Type::TEXT_ARRAY),
        parameter(state_versions, Type::INT4_ARRAY),
        parameter(times, Type::INT8_ARRAY),
        parameter(states, Type::BYTEA_ARRAY),
    ])
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
        if passed.contains(&(row.fence.shard, row.fence.epoch)) {
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
            parameter(signed(me), Type::INT8),
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
