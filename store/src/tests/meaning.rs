//! PostgreSQL does what the table of statements says, to which the store of the simulation is held as well: so that what the simulation
//! shows is true of the store that is used.

use std::collections::BTreeMap;
use std::time::Duration;

use ractor_host_placement::statement::{Outcome, Statement};
use ractor_host_placement::words::{EntityType, Revision};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Row};

use super::conformance::{
    PERIOD, REMINDERS, SHARDS, Scenario, Step, check, incarnation, join, renew, scenarios, shard,
};
use super::harness::{Database, patiently};
use crate::connection::Session;
use crate::statements;

/// The longest wait of these statements for a lock: a slow machine is no reason to give up.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// A transaction that is open.
struct Open {
    pid: i32,
    statement: Statement,
    running: JoinHandle<Result<(Session, Vec<Row>), tokio_postgres::Error>>,
}

struct Run {
    database: Database,
    watcher: Client,
    sessions: BTreeMap<u8, Open>,
    revisions: BTreeMap<u64, Revision>,
    known: BTreeMap<(u64, u32), (u64, u64)>,
}

impl Run {
    async fn new() -> Option<Self> {
        let database = Database::prepared().await?;
        let of = EntityType::new("e").unwrap();
        let spec = database.store.fix_type(&of, SHARDS.try_into().unwrap()).await.unwrap();
        assert_eq!(spec.type_id, shard(0).type_id);
        let watcher = database.session().await;
        for (entity, due) in REMINDERS {
            let key = entity.to_le_bytes();
            watcher
                .execute_typed(
                    "insert into ractor_host.reminder (type_id, key, id, slot, shard, due, period, variant, args)
                     values (1, $1, '0', 0, $2, $3, $4, '', '')",
                    &[
                        (&&key[..], tokio_postgres::types::Type::BYTEA),
                        (&entity.cast_signed(), tokio_postgres::types::Type::INT4),
                        (&(due / 1_000).cast_signed(), tokio_postgres::types::Type::INT8),
                        (&(PERIOD / 1_000).cast_signed(), tokio_postgres::types::Type::INT8),
                    ],
                )
                .await
                .unwrap();
        }
        let mut run = Self {
            database,
            watcher,
            sessions: BTreeMap::new(),
            revisions: BTreeMap::new(),
            known: BTreeMap::new(),
        };
        for number in 1..=3 {
            run.ask(join(number, Duration::from_secs(3_600))).await;
        }
        Some(run)
    }

    async fn ask(&mut self, statement: Statement) -> Outcome {
        self.database.store.ask(&statement).await.unwrap().outcome
    }

    /// Sends a statement within a transaction, and returns when it has answered or waits for another.
    async fn begin(&self, statement: Statement) -> Open {
        let client = self.database.session().await;
        let row = client.query_one("select pg_backend_pid()", &[]).await.unwrap();
        let pid: i32 = row.get(0);
        client.batch_execute("begin").await.unwrap();
        let query = statements::query(&statement, LOCK_TIMEOUT).unwrap();
        let running = tokio::spawn(async move {
            let session = Session { client };
            let rows = session.run(&query).await?;
            Ok((session, rows))
        });
        let open = Open {
            pid,
            statement,
            running,
        };
        patiently("an answer or a lock", async || {
            open.running.is_finished() || self.waits(pid).await
        })
        .await;
        open
    }

    async fn waits(&self, pid: i32) -> bool {
        let text = format!("select cardinality(pg_blocking_pids({pid})) > 0");
        self.watcher.query_one(&text, &[]).await.unwrap().get(0)
    }

    async fn poll(&mut self, me: u64) -> Outcome {
        let since = self.revisions.get(&me).copied().unwrap_or_default();
        let outcome = self.ask(renew(me, since)).await;
        let Outcome::Renewed { changes, .. } = &outcome else {
            panic!("{outcome:?}");
        };
        self.revisions.insert(me, changes.revision);
        for row in &changes.shards {
            let owner = row.owner.map_or(0, |owner| owner.0.get());
            self.known.insert((me, row.shard.shard), (row.epoch.0, owner));
        }
        outcome
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Ask(statement, expect) => check(&self.ask(statement).await, &expect),
            Step::Begin(session, statement) => {
                let open = self.begin(statement).await;
                self.sessions.insert(session, open);
            }
            Step::Waits(session) => assert!(self.waits(self.sessions[&session].pid).await),
            Step::Commit(session, expect) => {
                let open = self.sessions.remove(&session).unwrap();
                let (session, rows) = open.running.await.unwrap().unwrap();
                session.client.batch_execute("commit").await.unwrap();
                check(&statements::answer(&open.statement, &rows).unwrap().outcome, &expect);
            }
            Step::Kill(session) => {
                let open = self.sessions.remove(&session).unwrap();
                let text = format!("select pg_terminate_backend({}, 60000)", open.pid);
                self.watcher.query_one(&text, &[]).await.unwrap();
                patiently("its locks to go", async || {
                    let text = format!("select count(*) from pg_locks where pid = {}", open.pid);
                    self.watcher.query_one(&text, &[]).await.unwrap().get::<_, i64>(0) == 0
                })
                .await;
            }
            Step::Poll(me, shards) => {
                self.poll(me).await;
                for (number, epoch, owner) in shards {
                    assert_eq!(self.known[&(me, *number)], (*epoch, *owner), "shard {number}");
                }
            }
            Step::Due(me, expected) => {
                let statement = Statement::ReadDue {
                    incarnation: incarnation(me),
                };
                let Outcome::Due(due) = self.ask(statement).await else {
                    panic!("not read");
                };
                let due: Vec<_> = due.iter().map(|one| (one.shard.shard, one.firing.due)).collect();
                assert_eq!(due, *expected);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_does_what_the_table_says() {
    for Scenario { name, steps } in scenarios() {
        let Some(mut run) = Run::new().await else { return };
        for (at, step) in steps.into_iter().enumerate() {
            println!("{name}: step {at}: {step:?}");
            run.step(step).await;
        }
    }
}
