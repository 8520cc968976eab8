//! A server for all tests of this process, and a database for each.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use postgres_server::{Pooler, Server};
use tokio_postgres::{Client, NoTls};

use crate::{Address, Store, StoreTiming};

/// The lease of these tests.
pub(super) const LEASE: Duration = Duration::from_secs(6);

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own.
pub(super) struct Database {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) store: Store,
}

impl Database {
    /// An empty one, at the server of all tests. None, where there is no PostgreSQL, which is said.
    pub(super) async fn empty() -> Option<Self> {
        let server = SERVER.get_or_init(Server::start).as_ref()?;
        Some(Self::at(server).await)
    }

    /// An empty one at this server.
    pub(super) async fn at(server: &Server) -> Self {
        let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&server.url("postgres", "postgres")).await;
        admin.batch_execute(&format!("create database {name}")).await.unwrap();
        let url = server.url("postgres", &name);
        let store = store(&url);
        Self { name, url, store }
    }

    /// The same, which this pooler stands before.
    pub(super) async fn behind(pooler: &Pooler, server: &Server) -> Self {
        let direct = Self::at(server).await;
        let url = pooler.url("postgres", &direct.name);
        Self {
            store: store(&url),
            url,
            ..direct
        }
    }

    /// One with the tables.
    pub(super) async fn prepared() -> Option<Self> {
        let database = Self::empty().await?;
        database.store.prepare().await.unwrap();
        Some(database)
    }

    /// A session of another program.
    pub(super) async fn session(&self) -> Client {
        connect(&self.url).await
    }
}

pub(super) fn store(url: &str) -> Store {
    Store::new(Address::parse(url).unwrap(), StoreTiming { lease: LEASE })
}

pub(super) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Looks again and again until it is so.
pub(super) async fn patiently(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
