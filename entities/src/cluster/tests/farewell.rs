//! Nodes that end in order: nothing is on its way to them when their sessions end.

use std::time::Duration;

use ractor_host_placement::node::Event;
use ractor_host_placement::routing::Reply;
use ractor_host_placement::words::Epoch;

use super::super::frame::{Closing, FAREWELL, LEAVES};
use super::played::{ME, NotesMsg, OTHER, SOON, World, acknowledged, node, shard};
use crate::Durability;

const KEY: &str = "a";

fn said_by_other() -> Vec<u8> {
    Closing {
        from: node(OTHER),
        number: 0,
    }
    .write()
}

fn refused(number: u64) -> Reply {
    Reply::NotOwner {
        shard: shard(1),
        number,
        round: 1,
        epoch: Epoch(3),
        hint: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_a_node_that_leaves_waits_for_the_next_owner() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    let first = world.routed().await.origin;
    world.say(LEAVES, said_by_other());
    let farewell = Closing::read(&world.cast(FAREWELL).await).unwrap();
    assert_eq!(farewell.from, node(ME));
    notes.cast(NotesMsg::Note(2)).unwrap();
    world.answer(first.session, vec![refused(1)]);
    notes.cast(NotesMsg::Note(3)).unwrap();
    world.map.set(1, 4, Some(ME));
    assert!(world.sent.try_recv().is_err(), "nothing is sent any more");
    world.cluster.link_down(world.peer);
    world.cluster.changed();
    world.until(|| world.cluster.figures().kept_bytes == 0).await;
    assert_eq!(notes.call(NotesMsg::All, SOON).await.unwrap(), [1, 2, 3]);
    assert_eq!(world.cluster.figures().lost, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_ends_answers_until_nobody_sends_to_it() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(ME));
    world.note(KEY, 1, 3);
    assert_eq!(world.settled().await, [acknowledged(1)]);
    world.map.set(1, 4, Some(OTHER));
    let entities = world.entities.clone();
    let stop = tokio::spawn(async move { entities.stop(Duration::from_secs(20)).await });
    Closing::read(&world.cast(LEAVES).await).unwrap();
    world.note(KEY, 2, 3);
    let replies = world.settled().await;
    let is_refused =
        |reply: &Reply| matches!(reply, Reply::NotOwner { number: 2, hint, .. } if *hint == Some(node(OTHER)));
    assert!(replies.first().is_some_and(is_refused), "{replies:?}");
    assert!(!stop.is_finished());
    world.say(FAREWELL, said_by_other());
    assert_eq!(stop.await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_away_is_sent_to_the_next_owner_though_the_store_says_nothing_of_it() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(ME));
    world.entities.handle_cluster_event(Event::Stop {
        shard: shard(1),
        epoch: Epoch(3),
        to: Some(node(OTHER)),
    });
    world.until(|| !world.map.stopped.lock().is_empty()).await;
    // It is nobody's, as far as is known here.
    world.map.set(1, 3, None);
    world.notes(KEY).cast(NotesMsg::Note(1)).unwrap();
    let header = world.routed().await.origin.header;
    assert_eq!((header.shard, header.epoch), (shard(1), Epoch(4)));
    world.end().await;
}
