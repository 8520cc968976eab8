//! Reminders that are due, of entities whose shards this node has.

use std::ops::RangeInclusive;

use ractor_host_entities::{DuePlace, SLOTS, StoredDue};
use ractor_host_placement::statement::{DueReminder, FiringKey};
use ractor_host_placement::words::{Entity, Incarnation};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::shards::{list, shard_id};
use super::stored::{number, text};
use super::{damaged, epoch, generation, only, parameter, signed};
use crate::connection::Query;
use crate::error::StoreError;

/// The most reminders that the statement of the model reads.
const MOST: i64 = 1_000;

/// Of each slot the first ones, by an index that has them in this order; of these the first ones.
const DUE: &str = concat!(
    "select ",
    generation!(),
    ", d.* from (
        select array_agg(t.name order by r.due, r.type_id, r.key, r.id) as types,
            array_agg(r.key order by r.due, r.type_id, r.key, r.id) as keys,
            array_agg(r.id order by r.due, r.type_id, r.key, r.id) as ids,
            array_agg(r.due order by r.due, r.type_id, r.key, r.id) as dues,
            array_agg(r.period order by r.due, r.type_id, r.key, r.id) as periods,
            array_agg(r.type_id order by r.due, r.type_id, r.key, r.id) as type_ids,
            array_agg(r.shard order by r.due, r.type_id, r.key, r.id) as shards,
            array_agg(r.epoch order by r.due, r.type_id, r.key, r.id) as epochs
        from (
            select of_slot.* from generate_series($2::smallint::int, $3::smallint::int) as g (slot)
            cross join lateral (
                select r.type_id, r.key, r.id, r.due, r.period, r.shard, s.epoch from ractor_host.reminder r
                join ractor_host.shard s on s.type_id = r.type_id and s.shard = r.shard and s.owner = $1
                where r.slot = g.slot and r.due is not null
                    and r.due <= coalesce($8, (extract(epoch from now()) * 1000)::bigint)
                    and (r.due, r.type_id, r.key, r.id)
                        > ($4, coalesce((select type_id from ractor_host.type where name = $5), -1::smallint), $6, $7)
                order by r.due, r.type_id, r.key, r.id limit $9) of_slot
            order by of_slot.due, of_slot.type_id, of_slot.key, of_slot.id limit $9) r
        join ractor_host.type t on t.type_id = r.type_id) d"
);

/// The query that reads those after this place, no later than then, of entities in these slots.
pub(crate) fn due(
    me: Incarnation,
    slots: RangeInclusive<u8>,
    after: &DuePlace,
    until_ms: Option<u64>,
    most: i64,
) -> Query {
    let (name, key, id) = match &after.reminder {
        Some((entity, id)) => (
            Some(entity.entity_type.name().to_owned()),
            entity.key.bytes().to_vec(),
            id.clone().into_bytes(),
        ),
        None => (None, Vec::new(), Vec::new()),
    };
    let milliseconds = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    Query {
        text: DUE,
        parameters: vec![
            parameter(signed(me), Type::INT8),
            parameter(i16::from(*slots.start()), Type::INT2),
            parameter(i16::from(*slots.end()), Type::INT2),
            parameter(milliseconds(after.due_ms), Type::INT8),
            parameter(name, Type::TEXT),
            parameter(key, Type::BYTEA),
            parameter(id, Type::BYTEA),
            parameter(until_ms.map(milliseconds), Type::INT8),
            parameter(most, Type::INT8),
        ],
    }
}

/// The statement of the model: all of them, by the server's clock.
pub(super) fn due_now(me: Incarnation) -> Query {
    let first = DuePlace {
        due_ms: 0,
        reminder: None,
    };
    due(me, 0..=SLOTS - 1, &first, None, MOST)
}

/// What was found, in order.
pub(crate) fn found(rows: &[Row]) -> Result<Vec<StoredDue>, StoreError> {
    let row = only(rows)?;
    let periods: Vec<Option<i64>> = list(row, "periods")?;
    let found = firings(row)?.into_iter().zip(periods);
    let one = |((entity, id, due_ms), period): (Firing, Option<i64>)| {
        Ok(StoredDue {
            entity,
            id,
            due_ms,
            period_ms: period.map(number).transpose()?,
        })
    };
    found.map(one).collect()
}

/// The same, where ids are numbers.
pub(super) fn due_reminders(row: &Row) -> Result<Vec<DueReminder>, StoreError> {
    let types: Vec<i16> = list(row, "type_ids")?;
    let shards: Vec<i32> = list(row, "shards")?;
    let epochs: Vec<i64> = list(row, "epochs")?;
    let places = types.into_iter().zip(shards).zip(epochs);
    let found = firings(row)?.into_iter().zip(places);
    found
        .map(|((entity, id, due_ms), ((type_id, shard), at))| {
            Ok(DueReminder {
                entity,
                shard: shard_id(type_id, shard)?,
                epoch: epoch(at)?,
                firing: FiringKey {
                    reminder: id.parse().map_err(damaged)?,
                    due: due_ms.saturating_mul(1_000),
                },
            })
        })
        .collect()
}

/// An entity, the id of its reminder, and when that is due, in milliseconds since 1970.
type Firing = (Entity, String, u64);

fn firings(row: &Row) -> Result<Vec<Firing>, StoreError> {
    let types: Vec<&str> = list(row, "types")?;
    let keys: Vec<&[u8]> = list(row, "keys")?;
    let ids: Vec<Vec<u8>> = list(row, "ids")?;
    let dues: Vec<i64> = list(row, "dues")?;
    let all = types.into_iter().zip(keys).zip(ids).zip(dues);
    all.map(|(((name, key), id), due)| Ok((Entity::new(name, key).map_err(damaged)?, text(id)?, number(due)?)))
        .collect()
}
