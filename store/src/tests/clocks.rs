//! Nodes whose clocks differ.

use std::sync::Arc;

use ractor_host_entities::{
    Change, Entity, EntityStore, EntityType, Fence, KeptReply, ReplyChange, StoredState, Write, steady_ms,
};
use ractor_host_placement::words::Epoch;
use tokio::runtime::Handle;

use super::conformance::{incarnation, shard};
use super::harness::Database;
use crate::EntityTables;

const DAY_MS: u64 = 86_400_000;
const MINUTE_MS: u64 = 60_000;

fn ahead() -> u64 {
    steady_ms() + DAY_MS
}

fn behind() -> u64 {
    steady_ms() - DAY_MS
}

/// A state, with the reply that its node has kept at this time of its clock.
fn write(entity: &Entity, at_ms: u64) -> Arc<Write> {
    Arc::new(Write {
        fence: Some(Fence {
            shard: shard(0),
            epoch: Epoch(1),
        }),
        version: 1,
        replies: vec![ReplyChange::Put(KeptReply {
            scope: "me".to_owned(),
            key: "once".to_owned(),
            digest: [7; 32],
            outcome: Ok(b"done".to_vec()),
            at_ms,
        })],
        ..Write::state(
            entity.clone(),
            Change::Put(StoredState {
                code: "c".to_owned(),
                state_version: 1,
                taken: std::time::UNIX_EPOCH,
                bytes: Vec::new(),
            }),
        )
    })
}

/// Whoever keeps a reply, whoever reads it and whoever gives old ones up: each has a clock of its own, and the reply is as old for all.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_kept_for_as_long_whatever_the_clocks_of_nodes_show() {
    let Some(database) = Database::prepared().await else {
        return;
    };
    let of = EntityType::new("e").unwrap();
    database.store.fix_type(&of, 8.try_into().unwrap()).await.unwrap();
    let session = database.session().await;
    let own = "update ractor_host.shard set owner = $1, epoch = 1";
    let me = incarnation(1).0.get().cast_signed();
    session.execute(own, &[&me]).await.unwrap();
    let clocks: [fn() -> u64; 3] = [steady_ms, ahead, behind];
    let nodes = clocks.map(|clock| {
        let store = database.store.clone().with_clock(clock);
        (clock, EntityTables::new(store, || incarnation(1), Handle::current()))
    });
    let look = move || {
        for (number, (clock, writer)) in nodes.iter().enumerate() {
            let entity = Entity::new("e", format!("k{number}")).unwrap();
            writer.write(&[write(&entity, clock())]).unwrap();
            let kept = |(clock, node): &(fn() -> u64, EntityTables)| {
                let replies = node.read(&entity, None).unwrap().replies;
                replies
                    .iter()
                    .map(|kept| kept.at_ms.abs_diff(clock()) < MINUTE_MS)
                    .collect::<Vec<_>>()
            };
            for (clock, node) in &nodes {
                node.forget_replies(clock() - MINUTE_MS).unwrap();
            }
            for node in &nodes {
                assert_eq!(kept(node), [true], "kept by {number}");
            }
            // By the clock of the one before: it is older than that, by a minute.
            let (clock, node) = &nodes[(number + 2) % nodes.len()];
            node.forget_replies(clock() + MINUTE_MS).unwrap();
            assert_eq!(kept(&nodes[number]), [] as [bool; 0], "kept by {number}");
        }
    };
    tokio::task::spawn_blocking(look).await.unwrap();
}
