//! The store: statements go in, answers come out.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor_host_entities::steady_ms;
use ractor_host_placement::statement::{Answer, Statement, WriteOutcome};
use ractor_host_placement::words::{EntityKey, EntityType, Incarnation, ShardHash, TypeId, TypeSpec};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::address::Address;
use crate::connection::{Pauses, Pool, Query, Session};
use crate::error::{Fault, StoreError};
use crate::schema::{self, Prepared};
use crate::state::StateRow;
use crate::statements;

/// Connections for what keeps the node in its cluster: never behind a write of states.
const CONTROL_CONNECTIONS: usize = 3;

/// Connections for states.
const STATE_CONNECTIONS: usize = 4;

/// The shortest pause before a statement that was undone because of others is sent again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

/// The times of a store, for leases of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreTiming {
    /// How long a lease is. Nothing takes longer than a third of it.
    pub lease: Duration,
}

impl StoreTiming {
    /// The longest wait for a statement.
    fn statement(self) -> Duration {
        self.lease / 3
    }

    /// The longest wait for a renewal.
    fn renewal(self) -> Duration {
        self.lease / 6
    }

    fn of(self, statement: &Statement) -> Duration {
        match statement {
            Statement::Renew { .. } => self.renewal(),
            _ => self.statement(),
        }
    }
}

/// A node as the store lists it, for whoever looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNode {
    /// Its name.
    pub name: String,
    /// Where others reach it.
    pub address: String,
    /// False if it gives away what it owns.
    pub is_live: bool,
    /// What is left of its lease; negative if that is over.
    pub lease_left_ms: i64,
}

/// A PostgreSQL as the store of a cluster. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    address: Arc<Address>,
    timing: StoreTiming,
    control: Pool,
    states: Pool,
    /// What the entities of this node tell the time by.
    clock: fn() -> u64,
}

impl Store {
    /// A store at this address. Nothing is connected before it is asked something.
    pub fn new(address: Address, timing: StoreTiming) -> Self {
        let pauses = Arc::new(Mutex::new(Pauses::for_lease(timing.lease)));
        Self {
            control: Pool::new(&address, timing.lease, CONTROL_CONNECTIONS, &pauses),
            states: Pool::new(&address, timing.lease, STATE_CONNECTIONS, &pauses),
            address: Arc::new(address),
            timing,
            clock: steady_ms,
        }
    }

    /// The store of a node whose clock shows another time.
    #[cfg(test)]
    pub(crate) fn with_clock(self, clock: fn() -> u64) -> Self {
        Self { clock, ..self }
    }

    /// The time by which the entities of this node keep replies.
    pub(crate) fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its times.
    pub fn timing(&self) -> StoreTiming {
        self.timing
    }

    /// Makes the tables, or brings them to this program's version. Nothing that is there is lost.
    ///
    /// # Errors
    /// The server can't be reached or won't do, or has tables of a newer program, or doesn't let this user make any.
    pub async fn prepare(&self) -> Result<Prepared, StoreError> {
        let session = Session::open(&self.address, self.timing.lease).await?;
        session.facts().await?.check()?;
        let prepared = schema::prepare(&session.client).await?;
        // What was found without the tables isn't so any more.
        self.control.begin_afresh();
        self.states.begin_afresh();
        Ok(prepared)
    }

    /// Sends a statement of the machines, and waits for what comes of it: a third of a lease, and half of that for a renewal.
    ///
    /// A statement that others had the better of (40001, 40P01, 55P03) is sent again in that time.
    ///
    /// # Errors
    /// It was not carried out, or nobody knows.
    pub async fn ask(&self, statement: &Statement) -> Result<Answer, Fault> {
        let limit = self.timing.of(statement);
        let pool = match statement {
            Statement::WriteState { .. } | Statement::ReadState { .. } | Statement::ReadDue { .. } => &self.states,
            _ => &self.control,
        };
        let query = || statements::query(statement, limit / 2);
        let rows = repeated(pool, Instant::now() + limit, query).await?;
        // It has been carried out, whatever this says.
        statements::answer(statement, &rows).map_err(Fault::unknown)
    }

    /// Writes states of many entities in one commit, each if the node still has its shard at its epoch.
    ///
    /// # Errors
    /// They were not written, or nobody knows. The same rows may be written again.
    pub(crate) async fn write(&self, me: Incarnation, rows: &[StateRow<'_>]) -> Result<Vec<WriteOutcome>, Fault> {
        let limit = self.timing.statement();
        let query = || statements::write_states(me, rows, wait(limit / 2), self.now_ms());
        let answer = repeated(&self.states, Instant::now() + limit, query).await?;
        let outcome = statements::only(&answer).and_then(|row| statements::written(row, rows));
        outcome.map_err(Fault::unknown)
    }

    /// The hash of keys to shards, whose secret is the store's.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn hash(&self) -> Result<ShardHash, StoreError> {
        let row = self.read("select secret from ractor_host.store", Vec::new()).await?;
        let secret: &[u8] = statements::column(statements::only(&row)?, "secret")?;
        Ok(ShardHash::new(secret.try_into().map_err(statements::damaged)?))
    }

    /// The number of a type, which gets its shards at its first start. Where it may live is not the store's affair.
    ///
    /// # Errors
    /// The store could not be asked, or has the type with another number of shards.
    pub async fn fix_type(&self, name: &EntityType, shards: NonZeroU32) -> Result<TypeSpec, StoreError> {
        // Another node may have been first: then this one looks again.
        for _ in 0..10 {
            let wanted = i32::try_from(shards.get()).map_err(statements::damaged)?;
            let parameters = vec![
                statements::parameter(name.name().to_owned(), Type::TEXT),
                statements::parameter(wanted, Type::INT4),
            ];
            let rows = self.read(FIX_TYPE, parameters).await?;
            let Some(row) = rows.first() else { continue };
            let found: i32 = statements::column(row, "shards")?;
            if found != wanted {
                return Err(StoreError::Shards {
                    name: name.name().to_owned(),
                    found: found.cast_unsigned(),
                    wanted: shards.get(),
                });
            }
            let type_id: i16 = statements::column(row, "type_id")?;
            return Ok(TypeSpec {
                type_id: TypeId(type_id.cast_unsigned()),
                shards: shards.get(),
                place: Default::default(),
            });
        }
        Err(StoreError::Contended(
            "other nodes add types at the same time".to_owned(),
        ))
    }

    /// All types that the store knows, by their names.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn types(&self) -> Result<Vec<(EntityType, TypeSpec)>, StoreError> {
        let rows = self
            .read(
                "select type_id, name, shards from ractor_host.type order by type_id",
                Vec::new(),
            )
            .await?;
        let one = |row: &Row| {
            let type_id: i16 = statements::column(row, "type_id")?;
            let shards: i32 = statements::column(row, "shards")?;
            let name = EntityType::new(statements::column(row, "name")?).map_err(statements::damaged)?;
            let spec = TypeSpec {
                type_id: TypeId(type_id.cast_unsigned()),
                shards: shards.cast_unsigned(),
                place: Default::default(),
            };
            Ok((name, spec))
        };
        rows.iter().map(one).collect()
    }

    /// A statement about entities, which may be sent again.
    pub(crate) async fn entities(&self, query: impl Fn() -> Result<Query, StoreError>) -> Result<Vec<Row>, Fault> {
        repeated(&self.states, Instant::now() + self.timing.statement(), query).await
    }

    /// The keys of a type that have states, in order, after this one, and no more than `most`.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn keys(
        &self,
        of: &EntityType,
        after: Option<&EntityKey>,
        most: usize,
    ) -> Result<Vec<EntityKey>, StoreError> {
        let after = after.map_or_else(Vec::new, |key| key.bytes().to_vec());
        let query = || {
            Ok(Query {
                text: KEYS,
                parameters: vec![
                    statements::parameter(of.name().to_owned(), Type::TEXT),
                    statements::parameter(after.clone(), Type::BYTEA),
                    statements::parameter(i64::try_from(most).unwrap_or(i64::MAX), Type::INT8),
                ],
            })
        };
        let rows = self.entities(query).await.map_err(|fault| fault.error)?;
        let one = |row: &Row| EntityKey::new(statements::column(row, "key")?).map_err(statements::damaged);
        rows.iter().map(one).collect()
    }

    /// The nodes that haven't ended, by name.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn nodes(&self) -> Result<Vec<ClusterNode>, StoreError> {
        let text = "select name, address, standing = 0 as is_live, (extract(epoch from lease_until - now()) * 1000)::bigint as lease_left
            from ractor_host.node where standing < 2 order by name, incarnation";
        let rows = self.read(text, Vec::new()).await?;
        let one = |row: &Row| {
            Ok(ClusterNode {
                name: statements::column(row, "name")?,
                address: statements::column(row, "address")?,
                is_live: statements::column(row, "is_live")?,
                lease_left_ms: statements::column(row, "lease_left")?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// Removes what nobody needs any more: ended nodes of yesterday that own nothing, and marks of deleted states that no late write can
    /// reach.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        self.read(TIDY, Vec::new()).await.map(drop)
    }

    async fn read(
        &self,
        text: &'static str,
        parameters: Vec<crate::connection::Parameter>,
    ) -> Result<Vec<Row>, StoreError> {
        let until = Instant::now() + self.timing.statement();
        let query = Query { text, parameters };
        self.control.run(query, until).await.map_err(|fault| fault.error)
    }

    /// A connection of its own, for looking at the server.
    pub(crate) async fn session(&self) -> Result<Session, StoreError> {
        let limit = self.timing.statement();
        let opened = timeout(limit, Session::open(&self.address, self.timing.lease)).await;
        opened.map_err(|_| StoreError::Timeout(limit))?
    }
}

/// The type, with its shards if it is new. No row: another transaction has added a type at the same time.
const FIX_TYPE: &str = "with known as (
        select type_id, shards from ractor_host.type where name = $1),
    added as (
        insert into ractor_host.type (type_id, name, shards)
        select (select coalesce(max(type_id), 0) + 1 from ractor_host.type), $1, $2 where not exists (select from known)
        on conflict do nothing returning type_id, shards),
    filled as (
        insert into ractor_host.shard (type_id, shard)
        select a.type_id, g from added a, generate_series(0, a.shards - 1) g)
    select type_id, shards from known union all select type_id, shards from added";

const KEYS: &str = "select key from ractor_host.state
    where type_id = (select type_id from ractor_host.type where name = $1) and key > $2 and bytes is not null order by key limit $3";

/// A late write reaches a mark only at the epoch of its shard: at a later one the fence refuses it.
const TIDY: &str = "with nodes as (
        delete from ractor_host.node n
        where standing = 2 and lease_until < now() - interval '1 day'
            and not exists (select from ractor_host.shard s where s.owner = n.incarnation))
    delete from ractor_host.state t using ractor_host.shard s
    where t.bytes is null and s.type_id = t.type_id and s.shard = t.shard and s.epoch > t.epoch";

fn wait(limit: Duration) -> String {
    limit.as_millis().max(1).to_string()
}

/// Sends what `query` makes, and again as long as it is undone because of others and there is time.
async fn repeated(
    pool: &Pool,
    until: Instant,
    query: impl Fn() -> Result<Query, StoreError>,
) -> Result<Vec<Row>, Fault> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let result = pool.run(query().map_err(Fault::failed)?, until).await;
        let is_again = result.as_ref().is_err_and(Fault::is_contended);
        // A part of it at random: two that met would otherwise meet again.
        let wait = pause.mul_f64(rand::random_range(0.5..1.5));
        if !is_again || Instant::now() + wait >= until {
            return result;
        }
        sleep(wait).await;
        pause *= 2;
    }
}
