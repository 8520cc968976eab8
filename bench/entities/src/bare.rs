//! The stores by themselves: what they commit and how fast they read, with rows like those of entities and nothing of this project.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use redb::{Database, ReadableDatabase as _, TableDefinition};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

use crate::settings::{STATE, types, url};

/// By type and key, as the node's own.
const TABLE: TableDefinition<'_, (&str, &[u8]), &[u8]> = TableDefinition::new("states");

const MAKE: &str = "DROP TABLE IF EXISTS bare; \
    CREATE TABLE bare (type text NOT NULL, key bytea NOT NULL, state bytea NOT NULL, PRIMARY KEY (type, key))";
const PUT: &str = "INSERT INTO bare SELECT $1, key, $3 FROM unnest($2) AS key \
    ON CONFLICT (type, key) DO UPDATE SET state = EXCLUDED.state";
const GET: &str = "SELECT state FROM bare WHERE type = $1 AND key = $2";

/// One of them.
pub(crate) enum Bare {
    Redb(Arc<Database>),
    Postgres(Client),
}

impl Bare {
    /// An empty one: in a file of this folder, or in a table of the server at this port.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) async fn new(folder: &Path, store: Option<u16>) -> anyhow::Result<Self> {
        let Some(port) = store else {
            return Ok(Self::Redb(Arc::new(Database::create(folder.join("bare.redb"))?)));
        };
        let (client, connection) = tokio_postgres::connect(&url(port), NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(MAKE).await?;
        Ok(Self::Postgres(client))
    }

    /// Writes the states of this many entities, in one commit.
    ///
    /// # Errors
    /// They are not written.
    pub(crate) async fn write(&self, first: u64, count: u64) -> anyhow::Result<()> {
        let state = vec![7; STATE as usize];
        let keys: Vec<Vec<u8>> = (first..first + count).map(key).collect();
        match self {
            Self::Redb(database) => {
                let database = database.clone();
                // As the node does: it waits for the disk elsewhere than where actors run.
                tokio::task::spawn_blocking(move || put(&database, &keys, &state)).await?
            }
            Self::Postgres(client) => {
                let types = [
                    (&types::DURABLE as _, Type::TEXT),
                    (&keys as _, Type::BYTEA_ARRAY),
                    (&state as _, Type::BYTEA),
                ];
                // Without a name, as over a pooler.
                client.query_typed(PUT, &types).await?;
                Ok(())
            }
        }
    }

    /// Commits `batch` states each, one commit after the other: states a second.
    ///
    /// # Errors
    /// As [`Bare::write`].
    pub(crate) async fn rate(&self, batch: u64, duration: Duration) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut written = 0_u32;
        let step = u32::try_from(batch)?;
        while begun.elapsed() < duration {
            self.write(0, batch).await?;
            written += step;
        }
        Ok(f64::from(written) / begun.elapsed().as_secs_f64())
    }

    /// Reads the state of one entity.
    ///
    /// # Errors
    /// It isn't there, or can't be read.
    pub(crate) async fn read(&self, number: u64) -> anyhow::Result<()> {
        let key = key(number);
        match self {
            Self::Redb(database) => {
                let database = database.clone();
                tokio::task::spawn_blocking(move || get(&database, &key)).await?
            }
            Self::Postgres(client) => {
                let types = [(&types::DURABLE as _, Type::TEXT), (&key as _, Type::BYTEA)];
                let rows = client.query_typed(GET, &types).await?;
                rows.first().map(drop).context("no such row")
            }
        }
    }
}

fn key(number: u64) -> Vec<u8> {
    format!("k{number}").into_bytes()
}

fn put(database: &Database, keys: &[Vec<u8>], state: &[u8]) -> anyhow::Result<()> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        for key in keys {
            table.insert((types::DURABLE, key.as_slice()), state)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn get(database: &Database, key: &[u8]) -> anyhow::Result<()> {
    let table = database.begin_read()?.open_table(TABLE)?;
    let row = table.get((types::DURABLE, key))?.context("no such row")?;
    // Taken out of the file, as a node has to.
    drop(row.value().to_vec());
    Ok(())
}
