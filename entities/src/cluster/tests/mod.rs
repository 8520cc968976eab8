//! A node and what it sends to another, which the test plays.

mod closing;
mod farewell;
mod played;

use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::{BytesConvertable, Message};
use ractor_host_directory::{CallError, NoReply, reply_port};
use ractor_host_placement::node::{Event, LossReason};
use ractor_host_placement::routing::{Reply, SessionId};
use ractor_host_placement::words::EntityKey;
use tokio::sync::mpsc::unbounded_channel;

use self::played::{ME, NotesMsg, OTHER, SLEEPS, SOON, World, acknowledged, node, shard};
use super::frame::{CALL, CAST, HELLO, Hello, Routed, SETTLED};
use super::outgoing::NOT_HERE;
use super::*;
use crate::Durability;

/// In shard 1.
const KEY: &str = "a";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_another_node_is_kept_until_it_has_begun_there() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    for number in 1..=3 {
        notes.cast(NotesMsg::Note(number)).unwrap();
    }
    let mut session = SessionId(0);
    for number in 1..=3 {
        let Routed {
            origin, key, variant, ..
        } = world.routed().await;
        assert_eq!((key.bytes(), &*variant), (KEY.as_bytes(), "Note"));
        let header = origin.header;
        assert_eq!(
            (header.number, header.epoch, header.shard),
            (number, Epoch(3), shard(1))
        );
        session = origin.session;
    }
    assert!(world.cluster.figures().kept_bytes > 0);
    world.answer(SessionId(session.0 + 1), vec![acknowledged(3)]);
    assert!(world.cluster.figures().kept_bytes > 0, "that was another session");
    world.answer(session, vec![acknowledged(3)]);
    assert_eq!(world.cluster.figures().kept_bytes, 0);
    // A call is answered by whoever handles it there.
    let asked = tokio::spawn(async move { notes.call(NotesMsg::All, SOON).await });
    let SerializedMessage::Call { variant, reply, .. } = world.next().await else {
        panic!("a call");
    };
    assert_eq!(variant, CALL);
    reply.send(BytesConvertable::into_bytes(vec![4_u64])).unwrap();
    assert_eq!(asked.await.unwrap(), Ok(vec![4]));
    assert_eq!(world.cluster.figures().sent, 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_node_refuses_goes_where_the_shard_has_gone_before_anything_newer() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    let session = world.routed().await.origin.session;
    let asked = tokio::spawn({
        let notes = notes.clone();
        async move { notes.call(NotesMsg::All, SOON).await }
    });
    let SerializedMessage::Call { reply, .. } = world.next().await else {
        panic!("a call");
    };
    // It is this node's by now; both go back.
    world.map.set(1, 4, Some(ME));
    let refused = |number| Reply::NotOwner {
        shard: shard(1),
        number,
        round: 1,
        epoch: Epoch(3),
        hint: None,
    };
    world.answer(session, vec![refused(1)]);
    notes.cast(NotesMsg::Note(2)).unwrap();
    told(fail(reply, FailureReason::new(NOT_HERE)));
    world.answer(session, vec![refused(2)]);
    assert_eq!(asked.await.unwrap(), Ok(vec![1]), "what is newer comes after it");
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1, 2]));
    let is_idle = || world.cluster.figures().kept_bytes == 0;
    world.until(is_idle).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_another_node_are_handled_in_order_and_go_back_when_the_shard_has_gone() {
    let mut world = World::new(Durability::BeforeReply).await;
    world.map.set(1, 3, Some(ME));
    for number in 1..=5 {
        world.note(KEY, number, 3);
    }
    world.note(KEY, 5, 3);
    let mut up_to = 0;
    while up_to < 5 {
        for reply in world.settled().await {
            let Reply::Acknowledged { up_to: next, .. } = reply else {
                panic!("{reply:?}");
            };
            up_to = next;
        }
    }
    let notes = world.notes(KEY);
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1, 2, 3, 4, 5]));
    // The shard goes to the peer: what comes from there goes back, and what comes from here waits for its new owner.
    world.map.stops.lock().push(1);
    let (epoch, to) = (Epoch(3), Some(node(OTHER)));
    world.entities.handle_cluster_event(Event::Stop {
        shard: shard(1),
        epoch,
        to,
    });
    world.note(KEY, 6, 3);
    let refused = world.settled().await;
    let hinted = |reply: &Reply| matches!(reply, Reply::NotOwner { number: 6, hint, .. } if *hint == to);
    assert!(refused.iter().any(hinted), "{refused:?}");
    world.until(|| *world.map.stopped.lock() == [(shard(1), epoch)]).await;
    assert!(crate::active(notes.entity()).is_none());
    notes.cast(NotesMsg::Note(7)).unwrap();
    world.map.set(1, 4, Some(OTHER));
    world.map.stops.lock().clear();
    world.entities.handle_cluster_event(Event::Released {
        shard: shard(1),
        epoch,
        to,
    });
    assert_eq!(world.routed().await.origin.header.epoch, Epoch(4));
    let figures = world.cluster.figures();
    assert_eq!((figures.taken, figures.refused), (5, 1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_its_way_to_a_node_that_is_lost_is_lost_and_callers_hear() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    let asked = tokio::spawn({
        let notes = notes.clone();
        async move { notes.call(NotesMsg::All, SOON).await }
    });
    let _unanswered = world.next().await;
    world.cluster.link_down(world.peer);
    let Err(CallError::Failed(reason)) = asked.await.unwrap() else {
        panic!("a failure with its reason");
    };
    assert!(
        reason.contains("whether the message was handled is not known"),
        "{reason}"
    );
    assert_eq!(world.cluster.figures().lost, 1);
    // What comes later finds the shard's next owner.
    notes.cast(NotesMsg::Note(1)).unwrap();
    world.map.set(1, 4, Some(ME));
    world.entities.handle_cluster_event(Event::Acquired {
        shard: shard(1),
        epoch: Epoch(4),
    });
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_lease_is_over_handles_nothing_and_what_it_has_taken_waits_for_the_next_owner() {
    let mut world = World::new(Durability::BeforeReply).await;
    world.map.set(1, 3, Some(ME));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1]));
    world.map.is_good.store(false, Ordering::SeqCst);
    let (port, reply) = reply_port(SOON);
    notes.cast(NotesMsg::All(port)).unwrap();
    world.note(KEY, 2, 3);
    let refused = world.settled().await;
    assert!(matches!(refused[0], Reply::NotOwner { number: 2, .. }), "{refused:?}");
    let (epoch, reason) = (Epoch(3), LossReason::Deadline);
    world.entities.handle_cluster_event(Event::Lost {
        shard: shard(1),
        epoch,
        reason,
    });
    world.until(|| crate::active(notes.entity()).is_none()).await;
    assert!(!reply.has_come());
    // The call is handled once, by the peer.
    world.map.set(1, 4, Some(OTHER));
    world.cluster.changed();
    let SerializedMessage::Call { reply: port, .. } = world.next().await else {
        panic!("a call");
    };
    port.send(BytesConvertable::into_bytes(vec![9_u64])).unwrap();
    assert_eq!(reply.await, Ok::<_, NoReply>(vec![9]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_can_neither_mark_messages_nor_confuse_the_gate() {
    let world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(ME));
    for bytes in [vec![], vec![0; 16], vec![255; 400]] {
        for variant in [HELLO, CAST, SETTLED, "Later"] {
            world.say(variant, bytes.clone());
        }
    }
    // In another shard than its key says.
    let key = EntityKey::new(KEY.as_bytes()).unwrap();
    world.say(CAST, Routed::write(&world.origin(1, shard(2), 3), &key, "Note", &[]));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_begins_before_the_one_before_it_is_over_takes_its_place() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    let first = world.routed().await.origin;
    world.cluster.link_up(world.peer);
    let (told, sent) = unbounded_channel();
    let (old_peer, old_sent) = (world.peer, std::mem::replace(&mut world.sent, sent));
    world.peer = world.connect_again(told).await;
    let hello = Hello::read(&world.cast(HELLO).await).unwrap();
    assert_eq!(
        hello.session,
        SessionId(first.session.0 + 1),
        "one that is seen twice begins once"
    );
    // Nobody says any more when the first message is begun.
    world.until(|| world.cluster.figures().lost == 1).await;
    notes.cast(NotesMsg::Note(2)).unwrap();
    let second = world.routed().await.origin;
    assert_eq!((second.session, second.header.number), (hello.session, 2));
    world.cluster.link_down(old_peer);
    notes.cast(NotesMsg::Note(3)).unwrap();
    let third = world.routed().await.origin;
    assert_eq!((third.session, third.header.number), (hello.session, 3));
    let reply = Reply::Acknowledged {
        shard: shard(1),
        up_to: 3,
        round: third.header.round,
    };
    world.answer(hello.session, vec![reply]);
    assert_eq!(world.cluster.figures().kept_bytes, 0);
    assert_eq!(world.cluster.figures().lost, 1);
    drop(old_sent);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_faster_than_another_node_takes_waits_for_room() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    let mut sent = 0;
    while notes.cast(NotesMsg::Note(sent)).is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 1_000);
    let waits = tokio::spawn({
        let entity = notes.entity().clone();
        async move {
            let message = NotesMsg::Note(1_000).serialize().unwrap();
            crate::send_within(&entity, message, Duration::from_secs(20))
                .await
                .is_ok()
        }
    });
    let mut session = SessionId(0);
    for _ in 0..1_000 {
        session = world.routed().await.origin.session;
    }
    assert!(!waits.is_finished());
    while !waits.is_finished() {
        world.answer(session, vec![acknowledged(10)]);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(waits.await.unwrap());
    assert_eq!(world.routed().await.origin.header.number, 1_001);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_waits_for_a_native_entity_goes_to_the_next_owner_in_order() {
    let mut world = World::new(Durability::BeforeReply).await;
    world.map.set(1, 3, Some(ME));
    let notes = world.notes(KEY);
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![]));
    // While it sleeps these wait in its mailbox, which gives nothing back.
    notes.cast(NotesMsg::Sleep(300)).unwrap();
    world.until(|| SLEEPS.load(Ordering::SeqCst) > 0).await;
    for number in 1..=5 {
        notes.cast(NotesMsg::Note(number)).unwrap();
    }
    // Nobody tells that the shard is lost: each message asks.
    world.map.is_good.store(false, Ordering::SeqCst);
    world.until(|| crate::active(notes.entity()).is_none()).await;
    world.map.set(1, 4, Some(OTHER));
    world.cluster.changed();
    for number in 1..=5_u64 {
        let routed = world.routed().await;
        assert_eq!((&*routed.variant, routed.origin.header.number), ("Note", number));
    }
    world.end().await;
}
