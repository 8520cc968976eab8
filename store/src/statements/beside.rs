//! What is written beside states: reminders, and replies to calls that bore a key.

use ractor_host_entities::{KeptReply, ReplyChange, slot};
use tokio_postgres::types::Type;

use super::shards::stored_type;
use super::{ahead, ordered, parameter};
use crate::connection::{Parameter, Query};
use crate::error::StoreError;
use crate::state::{Content, ReminderRow, StateRow, place};

/// What goes with the rows of `put`, which was written before. The numbers of kinds are those of [`PUT`], [`REMOVE`] and so on. A due time is
/// compared in a way that no index serves: each row is found by its key.
macro_rules! write {
    () => {
        concat!(", deleted as (
            select d.type_id, d.key from unnest($15::smallint[], $16::bytea[]) as d (type_id, key)
            join put p on p.type_id = d.type_id and p.key = d.key),
        reminding as (
            select c.*, p.shard
            from unnest($17::smallint[], $18::bytea[], $19::bytea[], $20::smallint[], $21::smallint[], $22::bigint[], $23::bigint[],
                $24::bytea[], $25::bytea[], $26::bigint[], $27::bigint[], $28::bigint[])
                as c (type_id, key, id, kind, slot, due, period, variant, args, given_up_due, given_up_at, if_due)
            join put p on p.type_id = c.type_id and p.key = c.key),
        reminded as (
            insert into ractor_host.reminder
                (type_id, key, id, shard, slot, due, period, variant, args, given_up_due, given_up_at)
            select type_id, key, id, shard, slot, due, period, variant, args, given_up_due, given_up_at
            from reminding where kind = 0
            on conflict (type_id, key, id) do update set shard = excluded.shard, slot = excluded.slot, due = excluded.due,
                period = excluded.period, variant = excluded.variant, args = excluded.args,
                given_up_due = excluded.given_up_due, given_up_at = excluded.given_up_at),
        cancelled as (
            delete from ractor_host.reminder r using reminding c
            where c.kind = 1 and r.type_id = c.type_id and r.key = c.key and r.id = c.id),
        given_up as (
            update ractor_host.reminder r set due = c.due, given_up_due = c.given_up_due, given_up_at = c.given_up_at
            from reminding c
            where c.kind = 2 and r.type_id = c.type_id and r.key = c.key and r.id = c.id and r.due is not distinct from c.if_due),
        advanced as (
            update ractor_host.reminder r
            set due = r.due + r.period * (greatest((extract(epoch from clock_timestamp()) * 1000)::bigint - r.due, 0) / r.period + 1)
            from reminding c
            where c.kind = 3 and r.type_id = c.type_id and r.key = c.key and r.id = c.id and r.due is not distinct from c.if_due),
        forgotten as (
            delete from ractor_host.reminder r using deleted d
            where r.type_id = d.type_id and r.key = d.key and not exists (
                select from reminding c where c.type_id = r.type_id and c.key = r.key and c.id = r.id)),
        answering as (
            select c.*
            from unnest($29::smallint[], $30::bytea[], $31::bytea[], $32::bytea[], $33::bytea[], $34::smallint[], $35::bytea[], $36::bigint[])
                as c (type_id, key, scope, call_key, digest, outcome, reply, at)
            join put p on p.type_id = c.type_id and p.key = c.key),
        answered as (
            insert into ractor_host.answered (type_id, key, scope, call_key, digest, outcome, reply, at)
            select type_id, key, scope, call_key, digest, outcome, reply, at + ", ahead!("$37"), " from answering where reply is not null
            on conflict (type_id, key, scope, call_key) do update set digest = excluded.digest, outcome = excluded.outcome,
                reply = excluded.reply, at = excluded.at),
        withdrawn as (
            delete from ractor_host.answered a using answering c
            where c.reply is null and a.type_id = c.type_id and a.key = c.key and a.scope = c.scope and a.call_key = c.call_key),
        unanswered as (
            delete from ractor_host.answered a using deleted d
            where a.type_id = d.type_id and a.key = d.key and not exists (
                select from answering c
                where c.type_id = a.type_id and c.key = a.key and c.scope = a.scope and c.call_key = a.call_key))")
    };
}

pub(super) use write;

const PUT: i16 = 0;
const REMOVE: i16 = 1;
const GIVE_UP: i16 = 2;
const ADVANCE: i16 = 3;

/// The kept replies that are given up in one statement.
const FORGOTTEN: i64 = 1_000;

/// The parameters 15 to 37.
pub(super) fn parameters(rows: &[&StateRow<'_>], now_ms: u64) -> Result<Vec<Parameter>, StoreError> {
    let deleted = || rows.iter().filter(|row| row.content == Content::Delete);
    let mut parameters = vec![
        parameter(deleted().map(|row| type_of(row)).collect::<Vec<_>>(), Type::INT2_ARRAY),
        parameter(deleted().map(|row| key_of(row)).collect::<Vec<_>>(), Type::BYTEA_ARRAY),
    ];
    parameters.extend(reminders(rows)?);
    parameters.extend(replies(rows)?);
    parameters.push(parameter(ordered(now_ms)?, Type::INT8));
    Ok(parameters)
}

fn type_of(row: &StateRow<'_>) -> i16 {
    stored_type(row.fence.shard.type_id)
}

fn key_of(row: &StateRow<'_>) -> Vec<u8> {
    row.entity.key.bytes().to_vec()
}

/// One row of the array of reminders.
#[derive(Default)]
struct Changed {
    kind: i16,
    due: Option<u64>,
    period: Option<u64>,
    variant: Vec<u8>,
    args: Vec<u8>,
    given_up_due: Option<u64>,
    given_up_at: Option<u64>,
    if_due: Option<u64>,
}

impl From<&ReminderRow<'_>> for Changed {
    fn from(row: &ReminderRow<'_>) -> Self {
        match row {
            ReminderRow::Put(reminder) => Self {
                kind: PUT,
                due: reminder.due_ms,
                period: reminder.period_ms,
                variant: reminder.variant.clone().into_bytes(),
                args: reminder.args.clone(),
                given_up_due: reminder.given_up.map(|firing| firing.due_ms),
                given_up_at: reminder.given_up.map(|firing| firing.at_ms),
                if_due: None,
            },
            ReminderRow::Remove(_) => Self {
                kind: REMOVE,
                ..Self::default()
            },
            ReminderRow::GiveUp {
                if_due_ms,
                next_ms,
                given_up,
                ..
            } => Self {
                kind: GIVE_UP,
                due: *next_ms,
                given_up_due: Some(given_up.due_ms),
                given_up_at: Some(given_up.at_ms),
                if_due: Some(*if_due_ms),
                ..Self::default()
            },
            ReminderRow::Advance { if_due_ms, .. } => Self {
                kind: ADVANCE,
                if_due: Some(*if_due_ms),
                ..Self::default()
            },
        }
    }
}

fn reminders(rows: &[&StateRow<'_>]) -> Result<Vec<Parameter>, StoreError> {
    let all = || {
        rows.iter()
            .flat_map(|row| row.reminders.iter().map(move |reminder| (*row, reminder)))
    };
    let changed: Vec<Changed> = all().map(|(_, reminder)| reminder.into()).collect();
    // Most entities have none: the hash of the others is all that is to be computed.
    let slots = all().map(|(row, _)| i16::from(slot(row.entity)));
    let numbers = |of: fn(&Changed) -> Option<u64>| {
        let all = changed.iter().map(|one| of(one).map(ordered).transpose());
        Ok(parameter(
            all.collect::<Result<Vec<_>, StoreError>>()?,
            Type::INT8_ARRAY,
        ))
    };
    let bytes = |of: fn(&Changed) -> &Vec<u8>| {
        parameter(changed.iter().map(of).cloned().collect::<Vec<_>>(), Type::BYTEA_ARRAY)
    };
    Ok(vec![
        parameter(all().map(|(row, _)| type_of(row)).collect::<Vec<_>>(), Type::INT2_ARRAY),
        parameter(all().map(|(row, _)| key_of(row)).collect::<Vec<_>>(), Type::BYTEA_ARRAY),
        parameter(
            all().map(|(_, one)| one.id().as_bytes().to_vec()).collect::<Vec<_>>(),
            Type::BYTEA_ARRAY,
        ),
        parameter(changed.iter().map(|one| one.kind).collect::<Vec<_>>(), Type::INT2_ARRAY),
        parameter(slots.collect::<Vec<_>>(), Type::INT2_ARRAY),
        numbers(|one| one.due)?,
        numbers(|one| one.period)?,
        bytes(|one| &one.variant),
        bytes(|one| &one.args),
        numbers(|one| one.given_up_due)?,
        numbers(|one| one.given_up_at)?,
        numbers(|one| one.if_due)?,
    ])
}

fn replies(rows: &[&StateRow<'_>]) -> Result<Vec<Parameter>, StoreError> {
    let all = || {
        rows.iter()
            .flat_map(|row| row.replies.iter().map(move |reply| (*row, *reply)))
    };
    let bytes = |of: fn(&ReplyChange) -> &str| {
        let all = all().map(|(_, one)| of(one).as_bytes().to_vec());
        parameter(all.collect::<Vec<_>>(), Type::BYTEA_ARRAY)
    };
    let put = || {
        all().map(|(_, change)| match change {
            ReplyChange::Put(reply) => Some(reply),
            ReplyChange::Remove(..) => None,
        })
    };
    let reply = |kept: &KeptReply| match &kept.outcome {
        Ok(reply) => reply.clone(),
        Err(reason) => reason.clone().into_bytes(),
    };
    let times = put().map(|kept| kept.map(|kept| ordered(kept.at_ms)).transpose());
    Ok(vec![
        parameter(all().map(|(row, _)| type_of(row)).collect::<Vec<_>>(), Type::INT2_ARRAY),
        parameter(all().map(|(row, _)| key_of(row)).collect::<Vec<_>>(), Type::BYTEA_ARRAY),
        bytes(|change| place(change).0),
        bytes(|change| place(change).1),
        parameter(
            put()
                .map(|kept| kept.map(|kept| kept.digest.to_vec()))
                .collect::<Vec<_>>(),
            Type::BYTEA_ARRAY,
        ),
        parameter(
            put()
                .map(|kept| kept.map(|kept| i16::from(kept.outcome.is_err())))
                .collect::<Vec<_>>(),
            Type::INT2_ARRAY,
        ),
        parameter(put().map(|kept| kept.map(reply)).collect::<Vec<_>>(), Type::BYTEA_ARRAY),
        parameter(times.collect::<Result<Vec<_>, StoreError>>()?, Type::INT8_ARRAY),
    ])
}

/// Whatever is being written at the same time is left for the next time.
const FORGET: &str = concat!(
    "with old as materialized (
        select type_id, key, scope, call_key from ractor_host.answered where at < $1 + ",
    ahead!("$3"),
    " order by at limit $2 for update skip locked)
    delete from ractor_host.answered a using old o
    where a.type_id = o.type_id and a.key = o.key and a.scope = o.scope and a.call_key = o.call_key"
);

/// Gives up replies that were kept before this time, by the clock of a node that shows `now_ms`.
pub(crate) fn forget_replies(before_ms: u64, now_ms: u64) -> Query {
    Query {
        text: FORGET,
        parameters: vec![
            parameter(i64::try_from(before_ms).unwrap_or(i64::MAX), Type::INT8),
            parameter(FORGOTTEN, Type::INT8),
            parameter(i64::try_from(now_ms).unwrap_or(i64::MAX), Type::INT8),
        ],
    }
}
