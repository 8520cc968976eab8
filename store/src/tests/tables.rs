//! The states of entities in PostgreSQL: what the table says of all stores, and what happens when the server fails.

use std::sync::Arc;
use std::time::Duration;

use postgres_server::{Pooler, Server};
use ractor_host_entities::{
    Change, Entity, EntityStore, EntityType, Fence, ReminderChange, SLOTS, Stored, StoredReminder, StoredState, Write,
    WriteOutcome,
};
use ractor_host_placement::words::{Epoch, ShardId};
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::Client;

use super::conformance::incarnation;
use super::harness::{Database, connect, patiently};
use super::scenarios::{Place, SHARDS, TYPES, run_all};
use crate::EntityTables;

/// The tables of node 1 in a database of their own.
struct Tables {
    runtime: Handle,
    session: Client,
    tables: EntityTables,
}

impl Tables {
    async fn at(database: &Database) -> Self {
        database.store.prepare().await.unwrap();
        for name in TYPES {
            let of = EntityType::new(name).unwrap();
            database.store.fix_type(&of, SHARDS.try_into().unwrap()).await.unwrap();
        }
        let runtime = Handle::current();
        Self {
            session: connect(&database.url).await,
            tables: EntityTables::new(database.store.clone(), || incarnation(1), runtime.clone()),
            runtime,
        }
    }

    async fn set_owner(&self, shard: ShardId, epoch: u64, owner: u64) {
        let text = format!(
            "update ractor_host.shard set owner = {owner}, epoch = {epoch} where type_id = {} and shard = {}",
            shard.type_id.0, shard.shard
        );
        self.session.batch_execute(&text).await.unwrap();
    }
}

impl Place for Tables {
    fn store(&self) -> &dyn EntityStore {
        &self.tables
    }

    fn has_fences(&self) -> bool {
        true
    }

    fn own(&self, Fence { shard, epoch }: Fence) {
        self.runtime.block_on(self.set_owner(shard, epoch.0, 1));
    }

    fn lose(&self, Fence { shard, epoch }: Fence) {
        self.runtime.block_on(self.set_owner(shard, epoch.0 + 1, 2));
    }
}

#[test]
fn the_tables_do_what_the_table_of_scenarios_says() {
    let runtime = Runtime::new().unwrap();
    if runtime.block_on(Database::empty()).is_none() {
        return;
    }
    run_all(|| {
        runtime.block_on(async {
            let database = Database::empty().await.unwrap();
            Tables::at(&database).await
        })
    });
}

#[test]
fn the_tables_do_the_same_behind_a_pooler_in_transaction_mode() {
    let Some(server) = Server::start() else { return };
    let Some(pooler) = Pooler::start(&server) else { return };
    let runtime = Runtime::new().unwrap();
    run_all(|| {
        runtime.block_on(async {
            let database = Database::behind(&pooler, &server).await;
            Tables::at(&database).await
        })
    });
}

fn entity(key: &str) -> Entity {
    Entity::new("e", key).unwrap()
}

const FENCE: Fence = Fence {
    shard: ShardId {
        type_id: ractor_host_placement::words::TypeId(1),
        shard: 0,
    },
    epoch: Epoch(1),
};

/// A state, and a reminder that is due at `version`.
fn write(key: &str, version: u64, bytes: &[u8]) -> Arc<Write> {
    Arc::new(Write {
        fence: Some(FENCE),
        version,
        reminders: vec![ReminderChange::Put(StoredReminder {
            id: "r".to_owned(),
            due_ms: Some(version),
            period_ms: Some(1_000),
            variant: "Tick".to_owned(),
            args: Vec::new(),
            given_up: None,
        })],
        ..Write::state(
            entity(key),
            Change::Put(StoredState {
                code: "c".to_owned(),
                state_version: 1,
                taken: std::time::UNIX_EPOCH,
                bytes: bytes.to_vec(),
            }),
        )
    })
}

/// What comes of it, asked on a thread that may block.
async fn blocking<T: Send + 'static>(tables: &Arc<Tables>, ask: impl FnOnce(&EntityTables) -> T + Send + 'static) -> T {
    let tables = tables.clone();
    tokio::task::spawn_blocking(move || ask(&tables.tables)).await.unwrap()
}

async fn read(tables: &Arc<Tables>, key: &str) -> Stored {
    let of = entity(key);
    blocking(tables, move |store| store.read(&of, Some(FENCE)).unwrap()).await
}

/// The same writes until they are done, as the writer of a node sends them.
async fn until_done(tables: &Arc<Tables>, writes: Vec<Arc<Write>>) -> Vec<WriteOutcome> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let these = writes.clone();
        match blocking(tables, move |store| store.write(&these)).await {
            Ok(outcomes) => return outcomes,
            Err(error) => assert!(!error.is_refused() && tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn state_and_due(stored: &Stored) -> (Vec<u8>, Vec<Option<u64>>) {
    let state = stored.state.as_ref().map(|state| state.bytes.clone());
    (
        state.unwrap_or_default(),
        stored.reminders.iter().map(|one| one.due_ms).collect(),
    )
}

/// A server that stands still for longer than a statement may take: the outcome is unknown, and whatever is repeated has one effect.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_and_repeated_has_one_effect() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server).await;
    let tables = Arc::new(Tables::at(&database).await);
    tables.set_owner(FENCE.shard, 1, 1).await;
    assert_eq!(
        until_done(&tables, vec![write("1", 1, b"one")]).await,
        [WriteOutcome::Accepted]
    );
    server.pause();
    let second = write("1", 2, b"two");
    let paused = second.clone();
    let error = blocking(&tables, move |store| store.write(&[paused]))
        .await
        .unwrap_err();
    assert!(error.is_unknown(), "{error}");
    server.resume();
    // The one that was given up may be carried out before, behind or between these.
    assert_eq!(
        until_done(&tables, vec![second.clone()]).await,
        [WriteOutcome::Accepted]
    );
    assert_eq!(
        until_done(&tables, vec![write("1", 3, b"three")]).await,
        [WriteOutcome::Accepted]
    );
    assert_eq!(until_done(&tables, vec![second]).await, [WriteOutcome::Accepted]);
    let expected = (b"three".to_vec(), vec![Some(3)]);
    assert_eq!(state_and_due(&read(&tables, "1").await), expected);
    let written = "select count(*) from ractor_host.reminder";
    assert_eq!(
        tables.session.query_one(written, &[]).await.unwrap().get::<_, i64>(0),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_has_all_of_a_batch_or_nothing() {
    let Some(mut server) = Server::start() else { return };
    let database = Database::at(&server).await;
    let tables = Arc::new(Tables::at(&database).await);
    tables.set_owner(FENCE.shard, 1, 1).await;
    let keys: Vec<String> = (0..64).map(|key| key.to_string()).collect();
    for version in 1..4 {
        let batch: Vec<_> = keys
            .iter()
            .map(|key| write(key, version, &vec![version as u8; 40_000]))
            .collect();
        let running = tokio::spawn({
            let (tables, batch) = (tables.clone(), batch.clone());
            async move { blocking(&tables, move |store| store.write(&batch)).await }
        });
        // At another moment of the write each time.
        tokio::time::sleep(Duration::from_millis(version * 7)).await;
        server.kill();
        let answer = running.await.unwrap();
        server.run();
        let watcher = watch(&database).await;
        let done = "select count(*) filter (where version = $1), count(*) from ractor_host.state";
        let row = watcher.query_one(done, &[&version.cast_signed()]).await.unwrap();
        let done: i64 = row.get(0);
        assert!(done == 64 || (done == 0 && answer.is_err()), "{done} of 64: {answer:?}");
        assert_eq!(until_done(&tables, batch).await, vec![WriteOutcome::Accepted; 64]);
        for key in &keys {
            let expected = (vec![version as u8; 40_000], vec![Some(version)]);
            assert_eq!(state_and_due(&read(&tables, key).await), expected, "{key}");
        }
    }
}

/// A session, once the server takes any.
async fn watch(database: &Database) -> Client {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok((client, connection)) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await {
            tokio::spawn(connection);
            return client;
        }
        assert!(tokio::time::Instant::now() < deadline, "the server takes no session");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Another node claims the shard while a write waits for its row: it is refused then, with all that goes with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waits_for_a_move_is_refused() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let tables = Arc::new(Tables::at(&database).await);
    tables.set_owner(FENCE.shard, 1, 1).await;
    until_done(&tables, vec![write("1", 1, b"one")]).await;
    let other = database.session().await;
    other
        .batch_execute("begin; update ractor_host.shard set owner = 2, epoch = 2 where type_id = 1 and shard = 0")
        .await
        .unwrap();
    let running = tokio::spawn({
        let tables = tables.clone();
        async move { until_done(&tables, vec![write("1", 2, b"two")]).await }
    });
    let waiting =
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    patiently("the write to wait", async || {
        tables.session.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    other.batch_execute("commit").await.unwrap();
    assert_eq!(running.await.unwrap(), [WriteOutcome::Refused]);
    let stored = blocking(&tables, |store| store.read(&entity("1"), None).unwrap()).await;
    assert_eq!(state_and_due(&stored), (b"one".to_vec(), vec![Some(1)]));
}

/// A row that another transaction has locked for too long: nothing was done, and that is known.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_gets_no_lock_in_time_is_repeated() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let tables = Arc::new(Tables::at(&database).await);
    tables.set_owner(FENCE.shard, 1, 1).await;
    until_done(&tables, vec![write("1", 1, b"one")]).await;
    let other = database.session().await;
    other
        .batch_execute("begin; select from ractor_host.state for update")
        .await
        .unwrap();
    // It ends although nobody lets go of the lock.
    let error = blocking(&tables, |store| store.write(&[write("1", 2, b"two")]))
        .await
        .unwrap_err();
    assert!(!error.is_refused(), "{error}");
    other.batch_execute("rollback").await.unwrap();
    assert_eq!(
        until_done(&tables, vec![write("1", 2, b"two")]).await,
        [WriteOutcome::Accepted]
    );
    assert_eq!(
        state_and_due(&read(&tables, "1").await),
        (b"two".to_vec(), vec![Some(2)])
    );
}

/// Many that are due at one moment: each page is read from the index, and not by sorting all of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_read_by_an_index() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let tables = Tables::at(&database).await;
    tables.set_owner(FENCE.shard, 1, 1).await;
    let many = format!(
        "insert into ractor_host.reminder (type_id, key, id, shard, slot, due, variant, args)
         select 1, decode(lpad(to_hex(g), 8, '0'), 'hex'), 'r', 0, g % {SLOTS}, 5, '', '' from generate_series(1, 60000) g;
         analyze ractor_host.reminder"
    );
    tables.session.batch_execute(&many).await.unwrap();
    let plan = "explain (costs off) select * from ractor_host.reminder r
        where slot = 3 and due is not null and due <= 9 and (due, type_id, key, id) > (5, 1::smallint, '\\x01'::bytea, 'r'::bytea)
        order by due, type_id, key, id limit 256";
    let rows = tables.session.query(plan, &[]).await.unwrap();
    let plan: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("reminder_due") && !plan.contains("Sort"), "{plan}");
}
