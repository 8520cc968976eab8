//! The SQL of each statement of [`placement`](ractor_host_placement::statement), which says there what it means.
//!
//! Each is one text that is carried out in a transaction of its own: there is no `begin`, no name that the server would have to
//! remember, and no setting that outlives it. Each answers with one row, which begins with the store's generation. A standby can't compute that, and so
//! never answers anything.

mod beside;
mod due;
mod nodes;
mod shards;
mod states;
mod stored;
mod view;

use std::num::NonZeroU64;
use std::time::Duration;

use ractor_host_entities::steady_ms;
use ractor_host_placement::statement::{Answer, Outcome, Statement};
use ractor_host_placement::words::{Epoch, Generation, Incarnation, Standing};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::connection::{Parameter, Query};
use crate::error::StoreError;

pub(crate) use beside::forget_replies;
pub(crate) use due::{due, found as found_due};
pub(crate) use states::{write as write_states, written};
pub(crate) use stored::{read as read_stored, stored};

/// The first columns of each answer: PostgreSQL's system identifier, and its timeline as eight hexadecimal digits.
macro_rules! generation {
    () => {
        "(select system_identifier from pg_control_system()) as system, \
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline"
    };
}

/// A condition that is true, and limits the time for which this transaction waits for a lock. It is a subquery without a reference to
/// the outer one, so that it is evaluated first, before any row is locked.
macro_rules! waits {
    ($parameter:literal) => {
        concat!(
            "(select set_config('lock_timeout', ",
            $parameter,
            ", true)) is not null"
        )
    };
}

/// By how much the store's clock is ahead of a node's, in milliseconds, if that shows what this parameter says. Ten seconds are no difference, but
/// the way of a statement.
macro_rules! ahead {
    ($parameter:literal) => {
        concat!(
            "(select case when abs(difference) < 10000 then 0 else difference end from (
                select (extract(epoch from clock_timestamp()) * 1000)::bigint - ",
            $parameter,
            "::bigint as difference) of_clocks)"
        )
    };
}

pub(crate) use {ahead, generation, waits};

/// The statement as a query that gives up the wait for a lock after this time.
pub(crate) fn query(statement: &Statement, lock_timeout: Duration) -> Result<Query, StoreError> {
    let wait = lock_timeout.as_millis().max(1).to_string();
    Ok(match statement {
        Statement::Join { member, lease } => nodes::join(member, *lease)?,
        Statement::Renew {
            incarnation,
            lease,
            since,
            fading_below,
        } => view::renew(*incarnation, *lease, *since, *fading_below, wait),
        Statement::SetStanding { incarnation, standing } => nodes::set_standing(*incarnation, *standing, wait),
        Statement::End { incarnation } => nodes::end(*incarnation, wait),
        Statement::Acquire { incarnation, shards } => shards::acquire(*incarnation, shards),
        Statement::Reclaim { incarnation, shards } => shards::reclaim(*incarnation, shards, wait)?,
        Statement::Release { incarnation, shards } => shards::release(*incarnation, shards, wait)?,
        Statement::ReadOwned { incarnation } => shards::read_owned(*incarnation),
        Statement::ReadAll => view::read_all(),
        Statement::ReadDue { incarnation } => due::due_now(*incarnation),
        Statement::WriteState { incarnation, writes } => {
            let rows: Vec<_> = writes.iter().map(Into::into).collect();
            states::write(*incarnation, &rows, wait, steady_ms())?
        }
        Statement::ReadState {
            incarnation,
            shard,
            epoch,
            entity,
        } => states::read(*incarnation, *shard, *epoch, &entity.key)?,
    })
}

/// What the answer to a statement says.
pub(crate) fn answer(statement: &Statement, rows: &[Row]) -> Result<Answer, StoreError> {
    let row = only(rows)?;
    let outcome = match statement {
        Statement::Join { .. } | Statement::SetStanding { .. } => Outcome::Done,
        Statement::Renew { .. } => view::renewed(row)?,
        Statement::End { .. } => Outcome::Ended {
            is_ended: column(row, "did")?,
        },
        Statement::Acquire { .. } | Statement::Reclaim { .. } => Outcome::Acquired(shards::rows(row)?),
        Statement::Release { .. } => Outcome::Released,
        Statement::ReadOwned { .. } => Outcome::Owned {
            is_listed: column(row, "is_listed")?,
            shards: shards::rows(row)?,
        },
        Statement::ReadAll => Outcome::All(view::changes(row)?),
        Statement::ReadDue { .. } => Outcome::Due(due::due_reminders(row)?),
        Statement::WriteState { writes, .. } => {
            let rows: Vec<_> = writes.iter().map(Into::into).collect();
            Outcome::Written(states::written(row, &rows)?)
        }
        Statement::ReadState { .. } => states::state(row)?,
    };
    Ok(Answer {
        generation: generation_of(row)?,
        outcome,
    })
}

/// The one row of an answer.
pub(crate) fn only(rows: &[Row]) -> Result<&Row, StoreError> {
    rows.first().ok_or_else(|| damaged("an answer has no row"))
}

/// The generation that an answer begins with.
pub(crate) fn generation_of(row: &Row) -> Result<Generation, StoreError> {
    let system: i64 = column(row, "system")?;
    let timeline: &str = column(row, "timeline")?;
    Ok(Generation {
        system: system.cast_unsigned(),
        timeline: u32::from_str_radix(timeline, 16).map_err(|_| damaged("a timeline isn't eight digits"))?,
    })
}

pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(damaged)
}

pub(crate) fn damaged(why: impl ToString) -> StoreError {
    StoreError::Damaged(why.to_string())
}

pub(crate) fn parameter(value: impl ToSql + Send + Sync + 'static, kind: Type) -> Parameter {
    (Box::new(value), kind)
}

/// PostgreSQL has no unsigned numbers: the same 64 bits.
fn signed(incarnation: Incarnation) -> i64 {
    incarnation.0.get().cast_signed()
}

fn incarnation(stored: i64) -> Result<Incarnation, StoreError> {
    let number = NonZeroU64::new(stored.cast_unsigned());
    number.map(Incarnation).ok_or_else(|| damaged("an incarnation is 0"))
}

/// Epochs and versions are compared in the store, where numbers have a sign.
fn ordered(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| damaged(format_args!("{number} is more than an epoch or a version may be")))
}

fn epoch(stored: i64) -> Result<Epoch, StoreError> {
    u64::try_from(stored).map(Epoch).map_err(damaged)
}

fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn stored_standing(standing: Standing) -> i16 {
    match standing {
        Standing::Live => 0,
        Standing::Draining => 1,
        Standing::Ended => 2,
    }
}

fn standing(stored: i16) -> Result<Standing, StoreError> {
    match stored {
        0 => Ok(Standing::Live),
        1 => Ok(Standing::Draining),
        2 => Ok(Standing::Ended),
        other => Err(damaged(format_args!("a node has the standing {other}"))),
    }
}
