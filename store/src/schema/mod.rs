//! The tables, and how they come to their version: in one transaction, by whichever node is first, and without losing anything.

use rand::Rng;
use tokio_postgres::Client;

use crate::error::StoreError;

/// The version of the tables that this program writes.
pub(crate) const VERSION: i32 = 2;

/// What leads from each version to the next.
const STEPS: &[&str] = &[include_str!("1.sql"), include_str!("2.sql")];

/// What a program has to be, to use the tables as each version leaves them.
const USABLE_FROM: &[i32] = &[1, 2];

/// Waits while another node does the same. It ends with the transaction, so that it is the same through a pooler.
const ALONE: &str = "select pg_advisory_xact_lock(5283612906071912819);\n";

/// What became of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Their version before; 0 if there were none.
    pub before: i32,
    /// Their version now.
    pub now: i32,
}

/// The version of the tables, and the oldest program that may use them; none if there aren't any.
pub(crate) async fn version(client: &Client) -> Result<Option<(i32, i32)>, StoreError> {
    let asked = client
        .query_typed("select version, usable_from from ractor_host.store", &[])
        .await;
    match asked.map_err(|error| StoreError::of(&error)) {
        Ok(rows) => {
            let row = rows.first().ok_or(StoreError::NotSetUp)?;
            let column = |at| row.try_get(at).map_err(|error| StoreError::Damaged(error.to_string()));
            Ok(Some((column(0)?, column(1)?)))
        }
        Err(StoreError::NotSetUp) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says whether this program may use the tables.
pub(crate) fn check(found: Option<(i32, i32)>) -> Result<(), StoreError> {
    match found {
        None => Err(StoreError::NotSetUp),
        Some((version, _)) if version < VERSION => Err(StoreError::OlderSchema(version)),
        Some((version, usable_from)) if usable_from > VERSION => Err(StoreError::NewerSchema(version)),
        Some(_) => Ok(()),
    }
}

/// Makes the tables, or brings those that are there to this program's version.
pub(crate) async fn prepare(client: &Client) -> Result<Prepared, StoreError> {
    // Another node may do it between the look and the transaction; then this one looks again.
    for _ in 0..5 {
        let found = version(client).await?;
        let before = found.map_or(0, |(version, _)| version);
        if before >= VERSION {
            check(found)?;
            return Ok(Prepared { before, now: before });
        }
        match client.batch_execute(&script(before)).await {
            Ok(()) => return Ok(Prepared { before, now: VERSION }),
            Err(error) if is_other_first(&error) => {}
            Err(error) => return Err(StoreError::of(&error)),
        }
    }
    Err(StoreError::Contended(
        "other nodes change the tables at the same time".to_owned(),
    ))
}

/// One message, and so one transaction: all or nothing.
fn script(before: i32) -> String {
    let mut script = String::from(ALONE);
    if before == 0 {
        // The schema may have been made for a user who may not make one.
        script.push_str(
            "do $$ begin if not exists (select from pg_namespace where nspname = 'ractor_host') then create schema ractor_host; end if; end $$;\n",
        );
    } else {
        // 42P07 is what tells that somebody else was first.
        script.push_str(&format!(
            "do $$ begin if (select version from ractor_host.store) <> {before} then raise exception using errcode = '42P07'; end if; end $$;\n",
        ));
    }
    let done = usize::try_from(before).unwrap_or_default();
    for step in STEPS.iter().skip(done) {
        script.push_str(step);
    }
    let usable_from = USABLE_FROM.last().copied().unwrap_or(VERSION);
    if before == 0 {
        let mut secret = [0_u8; 16];
        rand::rng().fill_bytes(&mut secret);
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        script.push_str(&format!(
            "insert into ractor_host.store (version, usable_from, secret) values ({VERSION}, {usable_from}, '\\x{secret}');\n",
        ));
    } else {
        script.push_str(&format!(
            "update ractor_host.store set version = {VERSION}, usable_from = {usable_from};\n",
        ));
    }
    script
}

/// A table that is there by now.
fn is_other_first(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(code.code(), "42P07" | "42P06" | "23505"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_a_step_and_a_bound() {
        assert_eq!((STEPS.len(), USABLE_FROM.len()), (VERSION as usize, VERSION as usize));
    }

    #[test]
    fn older_and_newer_tables_are_told_apart() {
        assert!(matches!(check(None), Err(StoreError::NotSetUp)));
        assert!(matches!(check(Some((0, 0))), Err(StoreError::OlderSchema(0))));
        assert!(matches!(
            check(Some((VERSION + 1, VERSION + 1))),
            Err(StoreError::NewerSchema(_))
        ));
        // A newer version that says that this program may use it.
        assert!(check(Some((VERSION + 1, VERSION))).is_ok());
    }
}
