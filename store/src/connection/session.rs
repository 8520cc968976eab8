//! One connection, and what is looked at before it is used.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row};

use super::Query;
use crate::address::{Address, Encryption};
use crate::error::{OLDEST_SERVER, StoreError};
use crate::{schema, tls};

/// What a server says of itself, and of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// 150004 for 15.4.
    pub(crate) version: i32,
    pub(crate) is_standby: bool,
    pub(crate) is_read_only: bool,
    pub(crate) fsync: String,
    pub(crate) synchronous_commit: String,
    pub(crate) isolation: String,
}

const FACTS: &str = "select current_setting('server_version_num')::int, pg_is_in_recovery(), \
    current_setting('transaction_read_only') = 'on', current_setting('fsync'), current_setting('synchronous_commit'), \
    current_setting('transaction_isolation')";

/// A connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
}

impl Session {
    /// Connects, without a look at the tables.
    pub(crate) async fn open(address: &Address, lease: Duration) -> Result<Self, StoreError> {
        let limit = lease / 3;
        let connecting = timeout(limit, Self::connect(address, lease)).await;
        let client = connecting
            .map_err(|_| StoreError::Connect(format!("{address} didn't answer within {} ms", limit.as_millis())))??;
        Ok(Self { client })
    }

    async fn connect(address: &Address, lease: Duration) -> Result<Client, StoreError> {
        let config = address.for_lease(lease);
        if address.encryption == Encryption::Never {
            let (client, connection) = config
                .connect(NoTls)
                .await
                .map_err(|error| StoreError::of_connecting(&error))?;
            tokio::spawn(until_closed(connection));
            return Ok(client);
        }
        let roots = address.roots.clone();
        // Files are read.
        let made = tokio::task::spawn_blocking(move || tls::connector(roots.as_deref())).await;
        let connector = made.map_err(|ended| StoreError::Roots(ended.to_string()))??;
        let (client, connection) = config
            .connect(connector)
            .await
            .map_err(|error| StoreError::of_connecting(&error))?;
        tokio::spawn(until_closed(connection));
        Ok(client)
    }

    /// Asks the server what it is.
    pub(crate) async fn facts(&self) -> Result<Facts, StoreError> {
        let row = self.client.query_typed(FACTS, &[]).await;
        let row = row.map_err(|error| StoreError::of(&error))?;
        let row = row.first().ok_or_else(|| StoreError::Damaged("no answer".to_owned()))?;
        read_facts(row).map_err(|error| StoreError::Damaged(error.to_string()))
    }

    /// Says whether this server and these tables will do: before anything else is asked of them.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        self.facts().await?.check()?;
        schema::check(schema::version(&self.client).await?)
    }

    pub(crate) async fn run(&self, query: &Query) -> Result<Vec<Row>, tokio_postgres::Error> {
        let parameters = query.parameters.iter();
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = parameters
            .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
            .collect();
        // Without a name: parsed, bound and carried out in one message, and committed at its end.
        self.client.query_typed(query.text, &parameters).await
    }
}

/// What makes the connection go on. Its end is seen by whoever waits for an answer.
async fn until_closed<C>(connection: C)
where
    C: Future<Output = Result<(), tokio_postgres::Error>>,
{
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to PostgreSQL has ended");
    }
}

fn read_facts(row: &Row) -> Result<Facts, tokio_postgres::Error> {
    Ok(Facts {
        version: row.try_get(0)?,
        is_standby: row.try_get(1)?,
        is_read_only: row.try_get(2)?,
        fsync: row.try_get(3)?,
        synchronous_commit: row.try_get(4)?,
        isolation: row.try_get(5)?,
    })
}

impl Facts {
    /// Whether what this server confirms is so, and stays so.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let version = self.version / 10_000;
        if version < OLDEST_SERVER {
            return Err(StoreError::OldServer(version));
        }
        if self.is_standby {
            return Err(StoreError::Standby);
        }
        if self.is_read_only {
            return Err(StoreError::ReadOnly);
        }
        if self.fsync != "on" {
            return Err(StoreError::NoFsync);
        }
        if !matches!(self.synchronous_commit.as_str(), "on" | "remote_apply") {
            return Err(StoreError::NoSynchronousCommit(self.synchronous_commit.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_may_lose_what_it_confirms_is_refused() {
        let good = Facts {
            version: 130_000,
            is_standby: false,
            is_read_only: false,
            fsync: "on".to_owned(),
            synchronous_commit: "on".to_owned(),
            isolation: "read committed".to_owned(),
        };
        assert!(good.check().is_ok());
        let cases = [
            (
                Facts {
                    version: 120_017,
                    ..good.clone()
                },
                "PostgreSQL 12 is too old",
            ),
            (
                Facts {
                    is_standby: true,
                    ..good.clone()
                },
                "is a standby",
            ),
            (
                Facts {
                    is_read_only: true,
                    ..good.clone()
                },
                "takes no writes",
            ),
            (
                Facts {
                    fsync: "off".to_owned(),
                    ..good.clone()
                },
                "fsync = off",
            ),
            (
                Facts {
                    synchronous_commit: "local".to_owned(),
                    ..good
                },
                "synchronous_commit = local",
            ),
        ];
        for (facts, says) in cases {
            let error = facts.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
