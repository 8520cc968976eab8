//! The store of the simulation does what the table of statements says. PostgreSQL is held to the same table in the tests of `store`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::random::Random;
use super::store::{Key, Origin, Store, StoreEvent, Temper, Value};
use super::{MILLISECOND, Time};
use crate::statement::{Answer, Outcome, Statement, StatementId};
use crate::tests::conformance::{
    PERIOD, REMINDERS, SHARDS, Scenario, Step, check, incarnation, join, renew, scenarios, shard,
};
use crate::words::{Epoch, Revision};

/// One scenario at its store.
struct Run {
    store: Store,
    random: Random,
    now: Time,
    /// The transaction of each session.
    sessions: BTreeMap<u8, u64>,
    /// The number of the next one.
    next: u64,
    /// Transactions that only have to commit.
    ready: Vec<u64>,
    revisions: BTreeMap<u64, Revision>,
    known: BTreeMap<(u64, u32), (u64, u64)>,
}

impl Run {
    fn new() -> Self {
        let free = Value::Shard {
            epoch: Epoch(0),
            owner: None,
        };
        let shards = (0..SHARDS).map(|number| (Key::Shard(shard(number)), free.clone()));
        let reminders = REMINDERS.iter().map(|(entity, due)| {
            let (shard, period) = (shard(*entity), PERIOD);
            (
                Key::Reminder(*entity),
                Value::Reminder {
                    shard,
                    due: *due,
                    period,
                },
            )
        });
        let temper = Temper {
            step: 1,
            late: 0,
            late_step: 0,
            away: None,
        };
        let mut run = Self {
            store: Store::new(shards.chain(reminders), temper),
            random: Random::new(1),
            now: 0,
            sessions: BTreeMap::new(),
            next: 2,
            ready: Vec::new(),
            revisions: BTreeMap::new(),
            known: BTreeMap::new(),
        };
        for number in 1..=3 {
            run.ask(join(number, Duration::from_secs(3_600)));
        }
        run
    }

    fn handle(&mut self, event: StoreEvent) {
        self.now += MILLISECOND;
        self.store.handle(event, self.now, &mut self.random);
        for (_, event) in std::mem::take(&mut self.store.effects) {
            match event {
                StoreEvent::Scan(_) => self.handle(event),
                StoreEvent::Commit(transaction) => self.ready.push(transaction),
                // Nobody waits that long here.
                StoreEvent::LockTimeout(..) | StoreEvent::Arrive(..) => {}
            }
        }
    }

    /// Sends a statement, and returns the number of its transaction.
    fn begin(&mut self, statement: Statement) -> u64 {
        let transaction = self.next;
        self.next += 1;
        let origin = Origin {
            node: 0,
            life: 0,
            statement: StatementId(transaction),
        };
        self.handle(StoreEvent::Arrive(origin, statement));
        transaction
    }

    fn commit(&mut self, transaction: u64) -> Answer {
        assert!(self.ready.contains(&transaction), "it waits");
        self.handle(StoreEvent::Commit(transaction));
        let mut replies = self.store.replies.drain(..);
        let reply = replies.find(|reply| reply.to.statement == StatementId(transaction));
        reply.unwrap().result.unwrap()
    }

    fn ask(&mut self, statement: Statement) -> Outcome {
        let transaction = self.begin(statement);
        self.commit(transaction).outcome
    }

    fn poll(&mut self, me: u64) -> Outcome {
        let since = self.revisions.get(&me).copied().unwrap_or_default();
        let outcome = self.ask(renew(me, since));
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

    fn step(&mut self, step: &Step) {
        match step {
            Step::Ask(statement, expect) => {
                let outcome = self.ask(statement.clone());
                check(&outcome, expect);
            }
            Step::Begin(session, statement) => {
                let transaction = self.begin(statement.clone());
                self.sessions.insert(*session, transaction);
            }
            Step::Waits(session) => assert!(!self.ready.contains(&self.sessions[session])),
            Step::Commit(session, expect) => {
                let outcome = self.commit(self.sessions[session]).outcome;
                check(&outcome, expect);
            }
            Step::Kill(session) => {
                let transaction = self.sessions[session];
                self.store.kill(transaction, &mut self.random);
                // Those who waited for it.
                for (_, event) in std::mem::take(&mut self.store.effects) {
                    if let StoreEvent::Commit(transaction) = event {
                        self.ready.push(transaction);
                    }
                }
            }
            Step::Poll(me, shards) => {
                self.poll(*me);
                for (number, epoch, owner) in *shards {
                    assert_eq!(self.known[&(*me, *number)], (*epoch, *owner), "shard {number}");
                }
            }
            Step::Due(me, expected) => {
                let statement = Statement::ReadDue {
                    incarnation: incarnation(*me),
                };
                let Outcome::Due(due) = self.ask(statement) else {
                    panic!("not read");
                };
                let due: Vec<_> = due.iter().map(|one| (one.shard.shard, one.firing.due)).collect();
                assert_eq!(due, *expected);
            }
        }
    }
}

#[test]
fn the_store_of_the_simulation_does_what_the_table_says() {
    for Scenario { name, steps } in scenarios() {
        let mut run = Run::new();
        for (at, step) in steps.iter().enumerate() {
            println!("{name}: step {at}: {step:?}");
            run.step(step);
        }
    }
}
