//! Renewals, and what is read with them: who is there and who owns what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ractor_host_placement::statement::{DueReminder, FiringKey, Outcome};
use ractor_host_placement::words::{Entity, Incarnation, Labels, Member, Revision, TypeId, ViewChanges};
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::shards::{list, shard_arrays, shard_id};
use super::{column, damaged, epoch, generation, incarnation, microseconds, parameter, standing, stored, waits};
use crate::connection::Query;
use crate::error::StoreError;

/// The mark of the snapshot: the oldest transaction that was open. Then the nodes.
macro_rules! revision_and_members {
    ($nodes:literal) => {
        concat!(
            "pg_snapshot_xmin(pg_current_snapshot())::text as revision,
            (select json_agg(json_build_object('incarnation', incarnation, 'name', name, 'address', address, 'weight', weight,
                'labels', labels, 'types', types, 'standing', standing))::text from ",
            $nodes,
            ") as members"
        )
    };
}

/// One statement, so that the renewal and what is read belong to one moment. A renewal changes nothing that is indexed.
const RENEW: &str = concat!(
    "with renewed as (
        update ractor_host.node set lease_until = greatest(lease_until, now() + $2 * interval '1 microsecond')
        where incarnation = $1 and standing < 2 and ",
    waits!("$5"),
    " returning 1)
    select ",
    generation!(),
    ", exists (select from renewed) as did, ",
    revision_and_members!("ractor_host.node where changed >= $3::text::xid8"),
    ", shards.*, fading.*, due.* from (",
    shard_arrays!("ractor_host.shard where changed >= $3::text::xid8"),
    ") shards, (
        select array_agg(incarnation) as fading, array_agg((extract(epoch from lease_until - now()) * 1000000)::bigint) as fading_left
        from ractor_host.node
        where standing < 2 and incarnation <> $1 and lease_until < now() + $4 * interval '1 microsecond') fading, (
        select array_agg(d.name) as due_types, array_agg(d.key) as due_keys, array_agg(d.type_id) as due_type_ids,
            array_agg(d.shard) as due_shards, array_agg(d.epoch) as due_epochs, array_agg(d.number) as due_numbers,
            array_agg(d.due) as due_times
        from (
            select t.name, r.key, r.type_id, r.shard, s.epoch, r.number, r.due
            from ractor_host.reminder r
            join ractor_host.shard s on s.type_id = r.type_id and s.shard = r.shard and s.owner = $1
            join ractor_host.type t on t.type_id = r.type_id
            where r.due <= (extract(epoch from now()) * 1000000)::bigint
            order by r.due limit 1000) d) due"
);

pub(super) fn renew(me: Incarnation, lease: Duration, since: Revision, fading_below: Duration, wait: String) -> Query {
    Query {
        text: RENEW,
        parameters: vec![
            parameter(stored(me), Type::INT8),
            parameter(microseconds(lease), Type::INT8),
            parameter(since.0.to_string(), Type::TEXT),
            parameter(microseconds(fading_below), Type::INT8),
            parameter(wait, Type::TEXT),
        ],
    }
}

const READ_ALL: &str = concat!(
    "select ",
    generation!(),
    ", ",
    revision_and_members!("ractor_host.node"),
    ", shards.* from (",
    shard_arrays!("ractor_host.shard"),
    ") shards"
);

pub(super) fn read_all() -> Query {
    Query {
        text: READ_ALL,
        parameters: Vec::new(),
    }
}

/// A node, as the store writes it.
#[derive(Deserialize)]
struct MemberRow {
    incarnation: i64,
    name: String,
    address: String,
    weight: u32,
    labels: BTreeMap<String, String>,
    types: BTreeSet<u16>,
    standing: i16,
}

impl MemberRow {
    fn member(self) -> Result<Member, StoreError> {
        let labels = self.labels.into_iter();
        let labels: Labels = labels.map(|(name, value)| (name.into(), value.into())).collect();
        Ok(Member {
            incarnation: incarnation(self.incarnation)?,
            name: self.name.into(),
            address: self.address.into(),
            weight: self.weight,
            labels: Arc::new(labels),
            types: Arc::new(self.types.into_iter().map(TypeId).collect()),
            standing: standing(self.standing)?,
        })
    }
}

pub(super) fn changes(row: &Row) -> Result<ViewChanges, StoreError> {
    let members: Option<&str> = column(row, "members")?;
    let members: Vec<MemberRow> = serde_json::from_str(members.unwrap_or("[]")).map_err(damaged)?;
    let revision: &str = column(row, "revision")?;
    Ok(ViewChanges {
        revision: Revision(revision.parse().map_err(damaged)?),
        members: members.into_iter().map(MemberRow::member).collect::<Result<_, _>>()?,
        shards: super::shards::rows(row)?,
        fading: Vec::new(),
    })
}

pub(super) fn renewed(row: &Row) -> Result<Outcome, StoreError> {
    let fading: Vec<i64> = list(row, "fading")?;
    let left: Vec<i64> = list(row, "fading_left")?;
    let fading = fading.into_iter().zip(left).map(|(node, left)| {
        // One that has run out has nothing left.
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        Ok((incarnation(node)?, left))
    });
    Ok(Outcome::Renewed {
        is_renewed: column(row, "did")?,
        changes: ViewChanges {
            fading: fading.collect::<Result<_, _>>()?,
            ..changes(row)?
        },
        due: due(row)?,
    })
}

fn due(row: &Row) -> Result<Vec<DueReminder>, StoreError> {
    let types: Vec<&str> = list(row, "due_types")?;
    let keys: Vec<&[u8]> = list(row, "due_keys")?;
    let type_ids: Vec<i16> = list(row, "due_type_ids")?;
    let shards: Vec<i32> = list(row, "due_shards")?;
    let epochs: Vec<i64> = list(row, "due_epochs")?;
    let numbers: Vec<i32> = list(row, "due_numbers")?;
    let times: Vec<i64> = list(row, "due_times")?;
    let entities = types.into_iter().zip(keys);
    let places = type_ids.into_iter().zip(shards).zip(epochs);
    let firings = numbers.into_iter().zip(times);
    let all = entities.zip(places).zip(firings);
    all.map(|(((name, key), ((type_id, shard), at)), (number, time))| {
        Ok(DueReminder {
            entity: Entity::new(name, key).map_err(damaged)?,
            shard: shard_id(type_id, shard)?,
            epoch: epoch(at)?,
            firing: FiringKey {
                reminder: u32::try_from(number).map_err(damaged)?,
                due: u64::try_from(time).map_err(damaged)?,
            },
        })
    })
    .collect()
}
