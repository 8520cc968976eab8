//! Statements about the rows of shards. All of them lock in key order, so that no two wait for each other.

use ractor_host_placement::words::{Epoch, Incarnation, ShardId, ShardRow, TypeId};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{column, damaged, epoch, generation, incarnation, ordered, parameter, signed, waits};
use crate::connection::{Parameter, Query};
use crate::error::StoreError;

/// Rows of shards as one row of arrays, which are null where there are none.
macro_rules! shard_arrays {
    ($rows:literal) => {
        concat!(
            "select array_agg(type_id) as shard_types, array_agg(shard) as shards, array_agg(epoch) as epochs, array_agg(owner) as owners from ",
            $rows
        )
    };
}

pub(super) use shard_arrays;

/// Whether an owner has ended is looked at in the snapshot: an end is never undone, so that what was so then is so now.
const ACQUIRE: &str = concat!(
    "with wanted as materialized (
        select s.type_id, s.shard from ractor_host.shard s
        join unnest($2::smallint[], $3::int[]) as w (type_id, shard) on s.type_id = w.type_id and s.shard = w.shard
        where (s.owner is null or exists (
                select from ractor_host.node n where n.incarnation = s.owner and n.standing = 2))
            and exists (select from ractor_host.node n where n.incarnation = $1 and n.standing < 2)
        order by s.type_id, s.shard
        for no key update of s skip locked),
    taken as (
        update ractor_host.shard s set owner = $1, epoch = s.epoch + 1, changed = pg_current_xact_id()
        from wanted w where s.type_id = w.type_id and s.shard = w.shard
        returning s.type_id, s.shard, s.epoch, s.owner)
    select ",
    generation!(),
    ", t.* from (",
    shard_arrays!("taken"),
    ") t"
);

pub(super) fn acquire(me: Incarnation, shards: &[ShardId]) -> Query {
    let mut parameters = vec![parameter(signed(me), Type::INT8)];
    parameters.extend(ids(shards.iter()));
    Query {
        text: ACQUIRE,
        parameters,
    }
}

/// The shards that this node has at these epochs, locked.
macro_rules! held {
    () => {
        concat!(
            "with held as materialized (
                select s.type_id, s.shard from ractor_host.shard s
                join unnest($2::smallint[], $3::int[], $4::bigint[]) as w (type_id, shard, epoch)
                    on s.type_id = w.type_id and s.shard = w.shard
                where s.owner = $1 and s.epoch = w.epoch and ",
            waits!("$5"),
            " order by s.type_id, s.shard
                for no key update of s),"
        )
    };
}

const RECLAIM: &str = concat!(
    held!(),
    " taken as (
        update ractor_host.shard s set epoch = s.epoch + 1, changed = pg_current_xact_id()
        from held h where s.type_id = h.type_id and s.shard = h.shard
        returning s.type_id, s.shard, s.epoch, s.owner)
    select ",
    generation!(),
    ", t.* from (",
    shard_arrays!("taken"),
    ") t"
);

const RELEASE: &str = concat!(
    held!(),
    " released as (
        update ractor_host.shard s set owner = null, changed = pg_current_xact_id()
        from held h where s.type_id = h.type_id and s.shard = h.shard)
    select ",
    generation!()
);

pub(super) fn reclaim(me: Incarnation, shards: &[(ShardId, Epoch)], wait: String) -> Result<Query, StoreError> {
    of_held(RECLAIM, me, shards, wait)
}

pub(super) fn release(me: Incarnation, shards: &[(ShardId, Epoch)], wait: String) -> Result<Query, StoreError> {
    of_held(RELEASE, me, shards, wait)
}

fn of_held(
    text: &'static str,
    me: Incarnation,
    shards: &[(ShardId, Epoch)],
    wait: String,
) -> Result<Query, StoreError> {
    let epochs: Vec<i64> = shards
        .iter()
        .map(|(_, epoch)| ordered(epoch.0))
        .collect::<Result<_, _>>()?;
    let mut parameters = vec![parameter(signed(me), Type::INT8)];
    parameters.extend(ids(shards.iter().map(|(shard, _)| shard)));
    parameters.push(parameter(epochs, Type::INT8_ARRAY));
    parameters.push(parameter(wait, Type::TEXT));
    Ok(Query { text, parameters })
}

const READ_OWNED: &str = concat!(
    "select ",
    generation!(),
    ", exists (select from ractor_host.node where incarnation = $1 and standing < 2) as is_listed, t.* from (",
    shard_arrays!("ractor_host.shard where owner = $1"),
    ") t"
);

pub(super) fn read_owned(me: Incarnation) -> Query {
    Query {
        text: READ_OWNED,
        parameters: vec![parameter(signed(me), Type::INT8)],
    }
}

/// Types and numbers of shards as two arrays.
pub(super) fn ids<'a>(shards: impl Iterator<Item = &'a ShardId>) -> [Parameter; 2] {
    // A number of a type or shard that doesn't fit is none that the store has: it finds no row.
    let pair = |shard: &ShardId| (stored_type(shard.type_id), i32::try_from(shard.shard).unwrap_or(-1));
    let (types, shards): (Vec<i16>, Vec<i32>) = shards.map(pair).unzip();
    [parameter(types, Type::INT2_ARRAY), parameter(shards, Type::INT4_ARRAY)]
}

pub(super) fn stored_type(of: TypeId) -> i16 {
    i16::try_from(of.0).unwrap_or(-1)
}

pub(super) fn shard_id(type_id: i16, shard: i32) -> Result<ShardId, StoreError> {
    Ok(ShardId {
        type_id: TypeId(u16::try_from(type_id).map_err(damaged)?),
        shard: u32::try_from(shard).map_err(damaged)?,
    })
}

/// The rows of shards in an answer.
pub(super) fn rows(row: &Row) -> Result<Vec<ShardRow>, StoreError> {
    let types: Vec<i16> = list(row, "shard_types")?;
    let shards: Vec<i32> = list(row, "shards")?;
    let epochs: Vec<i64> = list(row, "epochs")?;
    let owners: Vec<Option<i64>> = list(row, "owners")?;
    let all = types.into_iter().zip(shards).zip(epochs.into_iter().zip(owners));
    all.map(|((type_id, shard), (at, owner))| {
        Ok(ShardRow {
            shard: shard_id(type_id, shard)?,
            epoch: epoch(at)?,
            owner: owner.map(incarnation).transpose()?,
        })
    })
    .collect()
}

/// An array of an answer, which is null if it has nothing.
pub(super) fn list<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, name: &str) -> Result<Vec<T>, StoreError> {
    Ok(column::<Option<Vec<T>>>(row, name)?.unwrap_or_default())
}
