//! What is said of servers and tables that won't do, in one line that says what to do.

use std::time::Duration;

use postgres_server::Server;
use ractor_host_placement::statement::{Statement, StoreFault};
use ractor_host_placement::words::EntityType;

use super::conformance::join;
use super::harness::{Database, patiently, store};
use crate::{StoreError, schema};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_first_start_makes_the_tables_and_the_next_finds_them() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let error = database.store.hash().await.unwrap_err();
    assert!(matches!(error, StoreError::NotSetUp), "{error}");
    let prepared = database.store.prepare().await.unwrap();
    assert_eq!((prepared.before, prepared.now), (0, schema::VERSION));
    let again = database.store.prepare().await.unwrap();
    assert_eq!(again.before, again.now);
    let hash = format!("{:?}", database.store.hash().await.unwrap());
    assert_eq!(hash, format!("{:?}", store(&database.url).hash().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_that_start_at_once_make_the_tables_and_types_once() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let nodes: Vec<_> = (0..8)
        .map(|number| {
            let store = store(&database.url);
            tokio::spawn(async move {
                store.prepare().await.unwrap();
                let names = if number % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
                for name in names {
                    let of = EntityType::new(name).unwrap();
                    store.fix_type(&of, 32.try_into().unwrap()).await.unwrap();
                }
                (
                    format!("{:?}", store.hash().await.unwrap()),
                    store.types().await.unwrap(),
                )
            })
        })
        .collect();
    let mut seen = Vec::new();
    for node in nodes {
        seen.push(node.await.unwrap());
    }
    assert_eq!(seen[0].1.len(), 2);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    let session = database.session().await;
    let row = session
        .query_one("select count(*) from ractor_host.shard", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 64);
}

#[tokio::test]
async fn older_tables_and_newer_ones_are_told_apart_and_nothing_is_changed() {
    let Some(database) = Database::prepared().await else {
        return;
    };
    let session = database.session().await;
    let set = async |version: i32, usable_from: i32| {
        let text = format!("update ractor_host.store set version = {version}, usable_from = {usable_from}");
        session.batch_execute(&text).await.unwrap();
    };
    set(schema::VERSION + 1, schema::VERSION + 1).await;
    let store_of_now = store(&database.url);
    for error in [
        store_of_now.hash().await.unwrap_err(),
        store_of_now.prepare().await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("use a newer ractor-host"), "{error}");
    }
    set(schema::VERSION + 1, schema::VERSION).await;
    store(&database.url).hash().await.unwrap();
    let prepared = store(&database.url).prepare().await.unwrap();
    assert_eq!(prepared.now, schema::VERSION + 1);
    set(0, 0).await;
    let error = store(&database.url).hash().await.unwrap_err();
    assert!(error.to_string().contains("ractor-host store init"), "{error}");
}

#[tokio::test]
async fn a_type_has_as_many_shards_as_at_its_first_start() {
    let Some(database) = Database::prepared().await else {
        return;
    };
    let of = EntityType::new("cart").unwrap();
    database.store.fix_type(&of, 16.try_into().unwrap()).await.unwrap();
    let error = database.store.fix_type(&of, 32.try_into().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("16 shards in the store"), "{error}");
}

#[tokio::test]
async fn a_user_who_may_not_is_told_which_right_is_missing() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let session = database.session().await;
    let user = format!("u{}", database.name);
    session
        .batch_execute(&format!("create role {user} login"))
        .await
        .unwrap();
    let theirs = store(&database.url.replace("postgres@", &format!("{user}@")));
    let error = theirs.prepare().await.unwrap_err();
    assert!(matches!(error, StoreError::Rights(_)), "{error}");
    assert!(error.to_string().contains("permission denied for database"), "{error}");
    // A schema that an administrator made for them is enough.
    session
        .batch_execute(&format!("create schema ractor_host authorization {user}"))
        .await
        .unwrap();
    theirs.prepare().await.unwrap();
    theirs.ask(&join(1, HOUR)).await.unwrap();
    // So are rights to tables that somebody else made.
    let other = format!("o{}", database.name);
    session
        .batch_execute(&format!("create role {other} login"))
        .await
        .unwrap();
    let others = || store(&database.url.replace("postgres@", &format!("{other}@")));
    let fault = others().ask(&Statement::ReadAll).await.unwrap_err();
    assert!(
        fault.to_string().contains("permission denied for schema ractor_host"),
        "{fault}"
    );
    let grants = format!(
        "grant usage on schema ractor_host to {other};
         grant select, insert, update, delete on all tables in schema ractor_host to {other}"
    );
    session.batch_execute(&grants).await.unwrap();
    others().ask(&Statement::ReadAll).await.unwrap();
    others().prepare().await.unwrap();
}

#[tokio::test]
async fn who_is_not_let_in_and_what_is_not_there_are_said() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let nowhere = store(&database.url.replace(&database.name, "nowhere"));
    let error = nowhere.prepare().await.unwrap_err();
    assert!(matches!(&error, StoreError::NoDatabase(_)), "{error}");
    let nobody = store(&database.url.replace("postgres@", "nobody_at_all@"));
    let error = nobody.prepare().await.unwrap_err();
    assert!(matches!(&error, StoreError::Login(_)), "{error}");
}

#[tokio::test]
async fn a_user_whose_sessions_may_lose_what_they_confirm_is_refused() {
    let Some(database) = Database::prepared().await else {
        return;
    };
    let session = database.session().await;
    let cases = [
        ("synchronous_commit = off", "synchronous_commit = off"),
        ("synchronous_commit = local", "synchronous_commit = local"),
        ("default_transaction_read_only = on", "takes no writes"),
    ];
    for (at, (setting, says)) in cases.iter().enumerate() {
        let user = format!("s{at}{}", database.name);
        let make = format!("create role {user} login superuser; alter role {user} set {setting}");
        session.batch_execute(&make).await.unwrap();
        let fault = store(&database.url.replace("postgres@", &format!("{user}@")))
            .ask(&Statement::ReadAll)
            .await
            .unwrap_err();
        assert_eq!(fault.fault, StoreFault::Failed);
        assert!(fault.to_string().contains(says), "{fault}");
    }
}

#[tokio::test]
async fn a_server_without_fsync_is_refused() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    server.configure("fsync = off\n");
    server.reload();
    patiently("the server to read its configuration", async || {
        let fresh = store(&database.url).ask(&Statement::ReadAll).await;
        fresh.is_err_and(|fault| matches!(fault.error, StoreError::NoFsync))
    })
    .await;
}

/// The generation that each answer begins with can't be computed by a standby: what it says may be old.
#[tokio::test]
async fn a_standby_answers_nothing() {
    let Some(mut server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    let first = database.store.ask(&Statement::ReadAll).await.unwrap().generation;
    server.stop();
    server.become_standby();
    server.run();
    patiently("the standby to answer", async || {
        let error = store(&database.url).ask(&Statement::ReadAll).await.unwrap_err().error;
        matches!(error, StoreError::Standby)
    })
    .await;
    // A session that was there before it became a standby, if there could be one.
    let session = database.session().await;
    let query = crate::statements::query(&Statement::ReadAll, HOUR).unwrap();
    let error = session.query_typed(query.text, &[]).await.unwrap_err();
    assert!(matches!(StoreError::of(&error), StoreError::Standby), "{error:?}");
    // Promoted, it is another generation.
    session.query_one("select pg_promote()", &[]).await.unwrap();
    patiently("the promoted server to answer", async || {
        let answer = store(&database.url).ask(&Statement::ReadAll).await;
        answer.is_ok_and(|answer| {
            answer.generation.system == first.system && answer.generation.timeline == first.timeline + 1
        })
    })
    .await;
}

#[tokio::test]
async fn the_health_of_a_store_says_what_a_cluster_depends_on() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let health = database.store.health().await.unwrap();
    assert_eq!(health.tables, None);
    database.store.prepare().await.unwrap();
    let health = database.store.health().await.unwrap();
    assert_eq!(health.tables, Some(schema::VERSION));
    assert_eq!(
        (health.isolation.as_str(), health.synchronous_commit.as_str()),
        ("read committed", "on")
    );
    assert_eq!(health.survives_failover(), Some(false));
    assert!(health.missing_rights.is_empty() && !health.is_encrypted, "{health:?}");
    // The same clock.
    assert!(
        health.clock_ahead_ms.abs() < 1_000 + health.latency.longest.as_millis() as i64,
        "{health:?}"
    );
    let session = database.session().await;
    let user = format!("h{}", database.name);
    let make = format!(
        "create role {user} login; grant usage on schema ractor_host to {user};
         grant select on all tables in schema ractor_host to {user}"
    );
    session.batch_execute(&make).await.unwrap();
    let theirs = store(&database.url.replace("postgres@", &format!("{user}@")));
    let health = theirs.health().await.unwrap();
    assert!(
        health.missing_rights.contains(&"update on node".to_owned()),
        "{health:?}"
    );
    assert_eq!(health.survives_failover(), None);
}
