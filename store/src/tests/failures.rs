//! What is known of a statement when connections and servers fail.

use std::time::Duration;

use postgres_server::Server;
use ractor_host_placement::statement::{Outcome, Statement, StoreFault};
use ractor_host_placement::words::EntityType;
use tokio::time::Instant;

use super::conformance::{incarnation, join, shard};
use super::harness::{Database, LEASE, connect, patiently, store};
use crate::error::Fault;
use crate::{Store, StoreError};

const HOUR: Duration = Duration::from_secs(3_600);

fn acquire(number: u64, shards: &[u32]) -> Statement {
    Statement::Acquire {
        incarnation: incarnation(number),
        shards: shards.iter().copied().map(shard).collect(),
    }
}

async fn with_shards(database: &Database) {
    let of = EntityType::new("e").unwrap();
    database.store.fix_type(&of, 8.try_into().unwrap()).await.unwrap();
}

/// Asks until the store answers.
async fn answered(store: &Store, statement: &Statement) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match store.ask(statement).await {
            Ok(answer) => return answer.outcome,
            Err(fault) => assert!(Instant::now() < deadline, "{fault}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_to_be_had_is_a_failure_and_said_so() {
    let Some(database) = Database::prepared().await else {
        return;
    };
    database.store.ask(&join(1, HOUR)).await.unwrap();
    let other = database.session().await;
    other
        .batch_execute("begin; update ractor_host.node set name = 'locked'")
        .await
        .unwrap();
    let end = Statement::SetStanding {
        incarnation: incarnation(1),
        standing: ractor_host_placement::words::Standing::Ended,
    };
    let fault = database.store.ask(&end).await.unwrap_err();
    // The last attempt may be on its way when there is no more time.
    match fault.fault {
        StoreFault::Failed => assert!(matches!(fault.error, StoreError::Contended(_)), "{fault:?}"),
        StoreFault::Unknown => assert!(matches!(fault.error, StoreError::Timeout(_)), "{fault:?}"),
    }
    // A lock that is given back in time is no failure.
    let asked = tokio::spawn({
        let store = database.store.clone();
        async move { store.ask(&end).await }
    });
    other.batch_execute("commit").await.unwrap();
    asked.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_under_a_statement_leaves_it_unknown() {
    let Some(database) = Database::prepared().await else {
        return;
    };
    with_shards(&database).await;
    database.store.ask(&join(1, HOUR)).await.unwrap();
    database.store.ask(&acquire(1, &[0])).await.unwrap();
    let other = database.session().await;
    other
        .batch_execute("begin; select from ractor_host.shard for update")
        .await
        .unwrap();
    let release = Statement::Release {
        incarnation: incarnation(1),
        shards: vec![(shard(0), ractor_host_placement::words::Epoch(1))],
    };
    let asked = tokio::spawn({
        let (store, release) = (database.store.clone(), release.clone());
        async move { store.ask(&release).await }
    });
    let waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    let watcher = database.session().await;
    patiently("the release to wait", async || {
        !watcher.query(waiting, &[]).await.unwrap().is_empty()
    })
    .await;
    let text = format!("select pg_terminate_backend(pid) from ({waiting}) waits");
    watcher.query(&text, &[]).await.unwrap();
    let fault = asked.await.unwrap().unwrap_err();
    assert_eq!(fault.fault, StoreFault::Unknown, "{fault:?}");
    // The next statement has another connection.
    other.batch_execute("rollback").await.unwrap();
    assert_eq!(answered(&database.store, &release).await, Outcome::Released);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_gets_no_more_statements_than_there_are_connections() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    with_shards(&database).await;
    database.store.ask(&join(1, HOUR)).await.unwrap();
    server.pause();
    let begun = Instant::now();
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let store = database.store.clone();
            tokio::spawn(async move { store.ask(&acquire(1, &[0])).await })
        })
        .collect();
    let mut unknown = 0;
    for one in asked {
        let fault = one.await.unwrap().unwrap_err();
        unknown += usize::from(fault.fault == StoreFault::Unknown);
    }
    // The one that is connected already; others wait for their connection, and were never sent.
    assert!((1..=3).contains(&unknown), "{unknown}");
    assert!(begun.elapsed() < LEASE * 10);
    server.resume();
    // What was given up is carried out once, late, and the store goes on.
    let owned = Statement::ReadOwned {
        incarnation: incarnation(1),
    };
    let watcher = connect(&database.url).await;
    patiently("the late statement", async || {
        let row = watcher
            .query_one("select epoch from ractor_host.shard where shard = 0", &[])
            .await;
        row.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    let Outcome::Owned { shards, .. } = answered(&database.store, &owned).await else {
        panic!("not read");
    };
    assert_eq!(shards.len(), 1);
    assert_eq!(shards[0].epoch.0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_or_restarted_keeps_what_it_confirmed() {
    let Some(mut server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    with_shards(&database).await;
    database.store.ask(&join(1, HOUR)).await.unwrap();
    for (epoch, is_killed) in [(1, true), (2, false)] {
        let answer = database.store.ask(&acquire(1, &[0])).await.unwrap();
        let generation = answer.generation;
        assert!(
            matches!(&answer.outcome, Outcome::Acquired(rows) if rows[0].epoch.0 == epoch),
            "{answer:?}"
        );
        if is_killed {
            server.kill();
        } else {
            server.stop();
        }
        let fault = fault_of(&database.store).await;
        assert!(fault.to_string().contains("connection"), "{fault}");
        // While it is away connections are tried after pauses, and statements in these pauses have failed.
        let fault = database.store.ask(&Statement::ReadAll).await.unwrap_err();
        assert_eq!(fault.fault, StoreFault::Failed, "{fault:?}");
        server.run();
        let release = Statement::Release {
            incarnation: incarnation(1),
            shards: vec![(shard(0), ractor_host_placement::words::Epoch(epoch))],
        };
        assert_eq!(answered(&database.store, &release).await, Outcome::Released);
        let again = database.store.ask(&Statement::ReadAll).await.unwrap();
        assert_eq!(again.generation, generation);
    }
}

/// The fault of the first statement that isn't answered: a process of a server that was killed may still answer one.
async fn fault_of(store: &Store) -> Fault {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Err(fault) = store.ask(&Statement::ReadAll).await {
            return fault;
        }
        assert!(Instant::now() < deadline, "the server answers still");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_a_failure() {
    // A port that nobody listens at.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let store = store(&format!("postgres://postgres:s3cret@127.0.0.1:{port}/app"));
    let fault = store.ask(&Statement::ReadAll).await.unwrap_err();
    assert_eq!(fault.fault, StoreFault::Failed);
    let said = fault.to_string();
    assert!(said.contains("no connection") && !said.contains("s3cret"), "{said}");
    let fault = store.ask(&Statement::ReadAll).await.unwrap_err();
    assert!(matches!(fault.error, StoreError::Paused { .. }), "{fault:?}");
}
