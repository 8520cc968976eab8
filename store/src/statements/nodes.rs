//! Statements about one node's row.

use std::time::Duration;

use ractor_host_placement::words::{Incarnation, Member, Standing};
use tokio_postgres::types::Type;

use super::{damaged, generation, microseconds, parameter, signed, stored_standing, waits};
use crate::connection::Query;
use crate::error::StoreError;

const JOIN: &str = concat!(
    "with joined as (
        insert into ractor_host.node (incarnation, name, address, weight, labels, types, standing, lease_until)
        values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, now() + $8 * interval '1 microsecond')
        on conflict do nothing)
    select ",
    generation!()
);

pub(super) fn join(member: &Member, lease: Duration) -> Result<Query, StoreError> {
    let labels = member.labels.iter();
    let labels: serde_json::Map<_, _> = labels
        .map(|(name, value)| (name.to_string(), value.to_string().into()))
        .collect();
    let types = member.types.iter();
    let types: Vec<i16> = types
        .map(|one| i16::try_from(one.0).map_err(damaged))
        .collect::<Result<_, _>>()?;
    Ok(Query {
        text: JOIN,
        parameters: vec![
            parameter(signed(member.incarnation), Type::INT8),
            parameter(member.name.to_string(), Type::TEXT),
            parameter(member.address.to_string(), Type::TEXT),
            parameter(i32::try_from(member.weight).unwrap_or(i32::MAX), Type::INT4),
            parameter(serde_json::Value::from(labels).to_string(), Type::TEXT),
            parameter(types, Type::INT2_ARRAY),
            parameter(stored_standing(member.standing), Type::INT2),
            parameter(microseconds(lease), Type::INT8),
        ],
    })
}

const SET_STANDING: &str = concat!(
    "with done as (
        update ractor_host.node set standing = $2, changed = pg_current_xact_id()
        where incarnation = $1 and standing < $2 and ",
    waits!("$3"),
    ")
    select ",
    generation!()
);

pub(super) fn set_standing(incarnation: Incarnation, standing: Standing, wait: String) -> Query {
    Query {
        text: SET_STANDING,
        parameters: vec![
            parameter(signed(incarnation), Type::INT8),
            parameter(stored_standing(standing), Type::INT2),
            parameter(wait, Type::TEXT),
        ],
    }
}

/// The condition is on the row that is updated: after a wait for a renewal's lock PostgreSQL looks at it again.
const END: &str = concat!(
    "with done as (
        update ractor_host.node set standing = 2, changed = pg_current_xact_id()
        where incarnation = $1 and standing < 2 and lease_until < clock_timestamp() and ",
    waits!("$2"),
    " returning 1)
    select ",
    generation!(),
    ", exists (select from done) as did"
);

pub(super) fn end(incarnation: Incarnation, wait: String) -> Query {
    Query {
        text: END,
        parameters: vec![parameter(signed(incarnation), Type::INT8), parameter(wait, Type::TEXT)],
    }
}
