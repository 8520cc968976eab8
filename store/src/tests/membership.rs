//! Nodes of a cluster that know each other through PostgreSQL alone.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use postgres_server::{Pooler, Server};
use ractor_host_placement::node::Event;
use ractor_host_placement::words::{EntityType, ShardId, TypeSpec};

use super::harness::{Database, patiently};
use crate::{Address, Identity, Membership, Store, StoreTiming};

/// The shortest there is.
const LEASE: Duration = Duration::from_secs(3);

struct Joined {
    membership: Membership,
    events: Arc<Mutex<Vec<Event>>>,
}

fn join(url: &str, number: u32, types: &[TypeSpec]) -> Joined {
    let store = Store::new(Address::parse(url).unwrap(), StoreTiming { lease: LEASE });
    let identity = Identity {
        name: format!("n{number}").into(),
        address: format!("10.0.0.{number}:4697").into(),
        weight: 1,
        labels: [("zone".into(), "b".into())].into(),
        types: types.to_vec(),
        foreign: Vec::new(),
    };
    let events = Arc::<Mutex<Vec<Event>>>::default();
    let kept = events.clone();
    let membership = Membership::start(store, identity, Arc::new(move |event| kept.lock().push(event)));
    Joined { membership, events }
}

impl Joined {
    fn names(&self) -> Vec<String> {
        let seen = self.membership.seen();
        let mut names: Vec<_> = seen
            .borrow()
            .members
            .iter()
            .map(|member| member.name.to_string())
            .collect();
        names.sort();
        names
    }

    async fn sees(&self, names: &[&str]) {
        patiently("the nodes of the cluster", async || self.names() == names).await;
    }

    fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.lock().iter().any(wanted)
    }

    fn serves(&self, of: &TypeSpec) -> Vec<u32> {
        let id = |shard| ShardId {
            type_id: of.type_id,
            shard,
        };
        (0..of.shards)
            .filter(|shard| self.membership.may_take(id(*shard)).is_some())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_find_each_other_and_notice_who_leaves_and_who_dies() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    let (one, two, three) = (
        join(&database.url, 1, &[]),
        join(&database.url, 2, &[]),
        join(&database.url, 3, &[]),
    );
    for node in [&one, &two, &three] {
        node.sees(&["n1", "n2", "n3"]).await;
    }
    let member = one.membership.seen().borrow().members[0].clone();
    assert_eq!(member.labels.get("zone").map(|zone| &**zone), Some("b"));
    // One leaves, and nobody waits for its lease.
    assert!(three.membership.leave(Duration::from_secs(30)).await);
    one.sees(&["n1", "n2"]).await;
    // One dies, and its lease runs out.
    drop(two);
    one.sees(&["n1"]).await;
    assert!(one.has(|event| matches!(event, Event::NodeEnded(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_find_each_other_through_a_pooler_in_transaction_mode() {
    let Some(server) = Server::start() else { return };
    let Some(pooler) = Pooler::start(&server) else { return };
    let database = Database::behind(&pooler, &server).await;
    database.store.prepare().await.unwrap();
    let of = EntityType::new("e").unwrap();
    let of = database.store.fix_type(&of, 32.try_into().unwrap()).await.unwrap();
    let types = [of.clone()];
    let nodes: Vec<_> = (1..=3).map(|number| join(&database.url, number, &types)).collect();
    for node in &nodes {
        node.sees(&["n1", "n2", "n3"]).await;
    }
    let served = || nodes.iter().map(|node| node.serves(&of).len()).sum::<usize>();
    patiently("an owner of each shard", async || served() == 32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_store_ends_nobody_and_moves_nothing() {
    let Some(mut server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    let of = EntityType::new("e").unwrap();
    let of = database.store.fix_type(&of, 32.try_into().unwrap()).await.unwrap();
    let types = [of.clone()];
    let (one, two) = (join(&database.url, 1, &types), join(&database.url, 2, &types));
    let all = || {
        let mut all = [one.serves(&of), two.serves(&of)].concat();
        all.sort_unstable();
        all
    };
    let every: Vec<_> = (0..32).collect();
    patiently("an owner of each shard", async || all() == every).await;
    one.sees(&["n1", "n2"]).await;
    two.sees(&["n1", "n2"]).await;
    let (before_one, before_two) = (one.serves(&of), two.serves(&of));
    server.kill();
    // Nobody serves beyond its deadline, and ordinary things go on.
    patiently("the deadline", async || all().is_empty()).await;
    patiently("the trouble to be known", async || {
        one.membership.seen().borrow().trouble.is_some()
    })
    .await;
    assert_eq!(one.names(), ["n1", "n2"]);
    // Longer than any lease.
    tokio::time::sleep(LEASE).await;
    assert_eq!(two.names(), ["n1", "n2"]);
    server.run();
    patiently("the shards to be served again", async || all() == every).await;
    assert_eq!((one.serves(&of), two.serves(&of)), (before_one, before_two));
    for node in [&one, &two] {
        assert!(!node.has(|event| matches!(event, Event::Ended | Event::NodeEnded(_))));
        patiently("the trouble to be over", async || {
            node.membership.seen().borrow().trouble.is_none()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shards_of_a_node_that_leaves_are_given_away_and_of_one_that_dies_are_taken() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server).await;
    database.store.prepare().await.unwrap();
    let of = EntityType::new("e").unwrap();
    let of = database.store.fix_type(&of, 32.try_into().unwrap()).await.unwrap();
    let types = [of.clone()];
    let (one, two, three) = (
        join(&database.url, 1, &types),
        join(&database.url, 2, &types),
        join(&database.url, 3, &types),
    );
    let every: Vec<_> = (0..32).collect();
    let all = |nodes: &[&Joined]| {
        let mut all: Vec<_> = nodes.iter().flat_map(|node| node.serves(&of)).collect();
        all.sort_unstable();
        all
    };
    patiently("an owner of each shard", async || all(&[&one, &two, &three]) == every).await;
    // Who leaves is asked to stop its entities, shard by shard.
    let leaving = tokio::spawn(async move {
        let left = three.membership.leave(Duration::from_secs(60));
        tokio::pin!(left);
        loop {
            tokio::select! {
                left = &mut left => return left,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            for event in std::mem::take(&mut *three.events.lock()) {
                if let Event::Stop { shard, epoch, .. } = event {
                    three.membership.stopped(shard, epoch);
                }
            }
        }
    });
    assert!(leaving.await.unwrap());
    patiently("the shards of who left", async || all(&[&one, &two]) == every).await;
    drop(two);
    patiently("the shards of who died", async || one.serves(&of) == every).await;
}
