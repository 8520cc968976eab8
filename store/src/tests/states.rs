//! States of many entities, deleted ones, and what is left of things.

use std::time::Duration;

use postgres_server::Server;
use ractor_host_entities::Fence;
use ractor_host_placement::statement::{Outcome, Statement, StoreFault, WriteOutcome};
use ractor_host_placement::words::{Entity, EntityKey, EntityType, Epoch};

use super::conformance::{entity, incarnation, join, renew, shard};
use super::harness::{Database, store};
use crate::state::{Content, StateRow};
use crate::{Store, StoreError};

const HOUR: Duration = Duration::from_secs(3_600);

/// A store in which node 1 owns the shards 0 to 7 of the type `e` at epoch 1.
async fn owned() -> Option<Database> {
    let database = Database::prepared().await?;
    own(&database).await;
    Some(database)
}

async fn own(database: &Database) {
    let of = EntityType::new("e").unwrap();
    database.store.fix_type(&of, 8.try_into().unwrap()).await.unwrap();
    database.store.ask(&join(1, HOUR)).await.unwrap();
    let acquire = Statement::Acquire {
        incarnation: incarnation(1),
        shards: (0..8).map(shard).collect(),
    };
    let answer = database.store.ask(&acquire).await.unwrap();
    assert!(
        matches!(&answer.outcome, Outcome::Acquired(rows) if rows.len() == 8),
        "{answer:?}"
    );
}

fn row<'a>(of: &'a Entity, number: u32, version: u64, bytes: Option<&'a [u8]>) -> StateRow<'a> {
    StateRow {
        entity: of,
        fence: Fence {
            shard: shard(number % 8),
            epoch: Epoch(1),
        },
        version,
        content: bytes.map_or(Content::Delete, |bytes| Content::Put {
            code: "cart",
            state_version: u32::MAX,
            taken: 1_700_000_000_000_000,
            bytes,
        }),
        reminders: Vec::new(),
        replies: Vec::new(),
    }
}

async fn state(store: &Store, number: u32) -> Option<(u64, Vec<u8>)> {
    let read = Statement::ReadState {
        incarnation: incarnation(1),
        shard: shard(number % 8),
        epoch: Epoch(1),
        entity: entity(number),
    };
    match store.ask(&read).await.unwrap().outcome {
        Outcome::State { is_owner, state } => {
            assert!(is_owner);
            state.map(|state| (state.version, state.bytes))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_states_are_one_commit() {
    let Some(database) = owned().await else { return };
    let session = database.session().await;
    let entities: Vec<_> = (0..1_000).map(entity).collect();
    let content = vec![7; 1_024];
    let rows: Vec<_> = (0..)
        .zip(&entities)
        .map(|(number, of)| row(of, number, 1, Some(&content)))
        .collect();
    let outcomes = database.store.write(incarnation(1), &rows).await.unwrap();
    assert_eq!(outcomes, vec![WriteOutcome::Accepted; 1_000]);
    let written = session
        .query_one(
            "select count(*), count(distinct xmin::text) from ractor_host.state",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((written.get::<_, i64>(0), written.get::<_, i64>(1)), (1_000, 1));
    assert_eq!(state(&database.store, 999).await, Some((1, content)));
}

#[tokio::test]
async fn of_one_entity_in_a_batch_the_newest_is_written() {
    let Some(database) = owned().await else { return };
    let of = entity(3);
    let rows = [row(&of, 3, 2, Some(b"two")), row(&of, 3, 1, Some(b"one"))];
    let outcomes = database.store.write(incarnation(1), &rows).await.unwrap();
    assert_eq!(outcomes, vec![WriteOutcome::Accepted; 2]);
    assert_eq!(state(&database.store, 3).await, Some((2, b"two".to_vec())));
}

#[tokio::test]
async fn a_deleted_state_is_not_brought_back_by_a_write_that_comes_late() {
    let Some(database) = owned().await else { return };
    let of = entity(3);
    let session = database.session().await;
    session
        .batch_execute(
            r"insert into ractor_host.reminder (type_id, key, id, slot, shard, due, variant, args) values (1, '\x03000000', 'r', 0, 3, 1, '', '');
              insert into ractor_host.answered values (1, '\x03000000', 'me', 'k', 'd', 0, '', 1)",
        )
        .await
        .unwrap();
    let write = async |version, bytes| {
        let rows = [row(&of, 3, version, bytes)];
        database.store.write(incarnation(1), &rows).await.unwrap()
    };
    write(1, Some(&b"one"[..])).await;
    write(3, None).await;
    assert_eq!(write(2, Some(&b"late"[..])).await, vec![WriteOutcome::Accepted]);
    assert_eq!(state(&database.store, 3).await, None);
    let left = "select (select count(*) from ractor_host.reminder) + (select count(*) from ractor_host.answered)";
    assert_eq!(session.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
    // The mark goes once no late write can reach it.
    let marks = async || {
        database.store.tidy().await.unwrap();
        let row = session
            .query_one("select count(*) from ractor_host.state", &[])
            .await
            .unwrap();
        row.get::<_, i64>(0)
    };
    assert_eq!(marks().await, 1);
    session
        .batch_execute("update ractor_host.shard set epoch = 2")
        .await
        .unwrap();
    assert_eq!(marks().await, 0);
}

#[tokio::test]
async fn keys_are_listed_in_order_and_without_deleted_ones() {
    let Some(database) = owned().await else { return };
    let entities: Vec<_> = (0..10).map(entity).collect();
    let rows: Vec<_> = (0..)
        .zip(&entities)
        .map(|(number, of)| row(of, number, 1, (number != 4).then_some(&b"x"[..])))
        .collect();
    database.store.write(incarnation(1), &rows).await.unwrap();
    let (mut after, mut all): (Option<EntityKey>, _) = (None, Vec::new());
    loop {
        let page = database
            .store
            .keys(&entity(0).entity_type, after.as_ref(), 4)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        all.extend(page);
    }
    let expected: Vec<_> = (0..10)
        .filter(|number| *number != 4)
        .map(|number| entity(number).key)
        .collect();
    assert_eq!(all, expected);
}

/// As through a pooler in transaction mode: nothing depends on what an earlier statement left at its connection.
#[tokio::test]
async fn every_statement_may_go_over_another_connection() {
    let Some(database) = owned().await else { return };
    let of = entity(3);
    for version in 1..5 {
        let fresh = store(&database.url);
        fresh
            .write(incarnation(1), &[row(&of, 3, version, Some(b"x"))])
            .await
            .unwrap();
        fresh.ask(&renew(1, Default::default())).await.unwrap();
    }
    // And nothing is left at a connection: neither a setting, nor a name, nor a transaction, nor a lock.
    let client = database.session().await;
    let session = crate::connection::Session { client };
    let statement = Statement::End {
        incarnation: incarnation(1),
    };
    let query = crate::statements::query(&statement, Duration::from_millis(7)).unwrap();
    session.run(&query).await.unwrap();
    let left = session
        .client
        .query_typed(
            "select current_setting('lock_timeout'), (select count(*) from pg_prepared_statements), pg_current_xact_id_if_assigned() is null",
            &[],
        )
        .await
        .unwrap();
    let left = (
        left[0].get::<_, &str>(0),
        left[0].get::<_, i64>(1),
        left[0].get::<_, bool>(2),
    );
    assert_eq!(left, ("0", 0, true));
}

#[tokio::test]
async fn a_renewal_stays_in_its_page_and_touches_no_index() {
    let Some(database) = owned().await else { return };
    for _ in 0..20 {
        database.store.ask(&renew(1, Default::default())).await.unwrap();
    }
    let session = database.session().await;
    super::harness::patiently("the figures of the server", async || {
        let figures = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'node'";
        let row = session.query_one(figures, &[]).await.unwrap();
        let (all, hot): (i64, i64) = (row.get(0), row.get(1));
        all == 20 && hot == 20
    })
    .await;
}

#[tokio::test]
async fn ended_nodes_are_forgotten_after_a_day_if_they_own_nothing() {
    let Some(database) = owned().await else { return };
    database.store.ask(&join(2, HOUR)).await.unwrap();
    let session = database.session().await;
    let nodes = async |lease: &str, owner: &str| {
        let text = format!(
            "update ractor_host.node set standing = 2, lease_until = now() - interval '{lease}' where incarnation = 1;
             update ractor_host.shard set owner = {owner}"
        );
        session.batch_execute(&text).await.unwrap();
        database.store.tidy().await.unwrap();
        let row = session
            .query_one("select count(*) from ractor_host.node", &[])
            .await
            .unwrap();
        row.get::<_, i64>(0)
    };
    assert_eq!(nodes("23 hours", "null").await, 2);
    assert_eq!(nodes("25 hours", "1").await, 2);
    assert_eq!(nodes("25 hours", "2").await, 1);
}

#[tokio::test]
async fn a_full_disk_undoes_a_write_as_a_whole_and_is_said() {
    let Some(server) = Server::start_on_disk(128 << 20) else {
        return;
    };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    own(&database).await;
    let write = async |numbers: std::ops::Range<u32>| {
        // Nothing that could be compressed.
        let content: Vec<u8> = (0..1 << 18).map(|_| rand::random()).collect();
        let entities: Vec<_> = numbers.clone().map(entity).collect();
        let rows: Vec<_> = numbers
            .zip(&entities)
            .map(|(number, of)| row(of, number, 1, Some(&content)))
            .collect();
        database.store.write(incarnation(1), &rows).await
    };
    write(0..1).await.unwrap();
    let ballast = server.fill();
    let fault = write(1..9).await.unwrap_err();
    assert_eq!(fault.fault, StoreFault::Failed, "{fault:?}");
    assert!(matches!(fault.error, StoreError::DiskFull(_)), "{fault:?}");
    for number in 1..9 {
        assert_eq!(state(&database.store, number).await, None);
    }
    assert!(state(&database.store, 0).await.is_some());
    std::fs::remove_file(ballast).unwrap();
    write(1..9).await.unwrap();
    assert!(state(&database.store, 8).await.is_some());
}
