//! Renewals, and what is read with them: who is there and who owns what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ractor_host_placement::statement::Outcome;
use ractor_host_placement::words::{Incarnation, Labels, Member, Revision, TypeId, ViewChanges};
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::shards::{list, shard_arrays};
use super::{column, damaged, generation, incarnation, microseconds, parameter, signed, standing, waits};
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
    ", shards.*, fading.* from (",
    shard_arrays!("ractor_host.shard where changed >= $3::text::xid8"),
    ") shards, (
        select array_agg(incarnation) as fading, array_agg((extract(epoch from lease_until - now()) * 1000000)::bigint) as fading_left
        from ractor_host.node
        where standing < 2 and incarnation <> $1 and lease_until < now() + $4 * interval '1 microsecond') fading"
);

pub(super) fn renew(me: Incarnation, lease: Duration, since: Revision, fading_below: Duration, wait: String) -> Query {
    Query {
        text: RENEW,
        parameters: vec![
            parameter(signed(me), Type::INT8),
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
    })
}
