//! What there is to know of a store before a cluster depends on it, and when something is wrong.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ractor_host_placement::words::Generation;
use tokio::time::{Instant, timeout};
use tokio_postgres::Row;

use crate::connection::Session;
use crate::error::StoreError;
use crate::statements::{column, generation, generation_of};
use crate::store::Store;
use crate::{schema, statements};

/// The number of times that the way there and back is measured.
const ROUNDS: usize = 5;

/// The way to the server and back, with nothing to do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The middle one of a few.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
}

/// What a store is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The version of the server: `15.4`.
    pub server: String,
    /// Its history.
    pub generation: Generation,
    /// The isolation of transactions that don't say which.
    pub isolation: String,
    /// `synchronous_commit`.
    pub synchronous_commit: String,
    /// Standbys that a commit waits for, and those that follow later. None where the user may not see that.
    pub standbys: Option<(u32, u32)>,
    /// How far the server's clock is from this machine's, at most as exactly as the latency; positive if it is ahead.
    pub clock_ahead_ms: i64,
    /// The way there and back.
    pub latency: Latency,
    /// The version of the tables; none if there aren't any.
    pub tables: Option<i32>,
    /// The rights that the user lacks: `update on node`.
    pub missing_rights: Vec<String>,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
}

impl Health {
    /// True if what was confirmed survives the loss of the server: a commit waits for a standby.
    pub fn survives_failover(&self) -> Option<bool> {
        self.standbys.map(|(synchronous, _)| synchronous > 0)
    }
}

const FACTS: &str = concat!(
    "select ",
    generation!(),
    ", (extract(epoch from clock_timestamp()) * 1000)::bigint as clock, split_part(current_setting('server_version'), ' ', 1) as server,
        current_setting('transaction_isolation') as isolation, current_setting('synchronous_commit') as synchronous_commit,
        (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as is_encrypted,
        pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_standbys,
        (select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum'))::int as synchronous,
        (select count(*) from pg_stat_replication where sync_state not in ('sync', 'quorum'))::int as others"
);

/// Each right that a node needs and this user lacks.
const RIGHTS: &str = "select coalesce(array_agg(r.need || ' on ' || t.name order by t.name, r.need), '{}') as missing
    from (values ('store', array['select']), ('node', array['select', 'insert', 'update', 'delete']),
            ('type', array['select', 'insert']), ('shard', array['select', 'insert', 'update']),
            ('state', array['select', 'insert', 'update', 'delete']), ('reminder', array['select', 'insert', 'update', 'delete']),
            ('answered', array['select', 'insert', 'delete'])) t (name, needs),
        unnest(t.needs) r (need)
    where not has_table_privilege('ractor_host.' || t.name, r.need)";

impl Store {
    /// Looks at the server and the tables, and changes nothing.
    ///
    /// # Errors
    /// The server can't be reached, or won't do: the error says what to do about it.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let limit = self.timing().lease;
        timeout(limit, self.look())
            .await
            .map_err(|_| StoreError::Timeout(limit))?
    }

    async fn look(&self) -> Result<Health, StoreError> {
        let session = self.session().await?;
        session.facts().await?.check()?;
        let latency = latency(&session).await?;
        let before = SystemTime::now();
        let row = one(&session, FACTS).await?;
        let half = before.elapsed().unwrap_or_default() / 2;
        let here = before.duration_since(UNIX_EPOCH).unwrap_or_default() + half;
        let here = i64::try_from(here.as_millis()).unwrap_or(i64::MAX);
        let tables = schema::version(&session.client).await?;
        let missing_rights = match tables {
            Some(_) => column(&one(&session, RIGHTS).await?, "missing")?,
            None => Vec::new(),
        };
        let count = |name| column::<i32>(&row, name).map(i32::cast_unsigned);
        let sees_standbys: bool = column(&row, "sees_standbys")?;
        Ok(Health {
            server: column(&row, "server")?,
            generation: generation_of(&row)?,
            isolation: column(&row, "isolation")?,
            synchronous_commit: column(&row, "synchronous_commit")?,
            standbys: if sees_standbys {
                Some((count("synchronous")?, count("others")?))
            } else {
                None
            },
            clock_ahead_ms: column::<i64>(&row, "clock")?.saturating_sub(here),
            latency,
            tables: tables.map(|(version, _)| version),
            missing_rights,
            is_encrypted: column::<Option<bool>>(&row, "is_encrypted")?.unwrap_or(false),
        })
    }
}

async fn one(session: &Session, text: &str) -> Result<Row, StoreError> {
    let rows = session.client.query_typed(text, &[]).await;
    let rows = rows.map_err(|error| StoreError::of(&error))?;
    rows.into_iter()
        .next()
        .ok_or_else(|| statements::damaged("an answer has no row"))
}

async fn latency(session: &Session) -> Result<Latency, StoreError> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        one(session, "select 1").await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(Latency {
        median: times.get(ROUNDS / 2).copied().unwrap_or_default(),
        longest: times.last().copied().unwrap_or_default(),
    })
}
