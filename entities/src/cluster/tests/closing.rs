//! Sessions that end when neither end needs them.

use std::sync::Arc;

use parking_lot::Mutex;
use ractor_host_directory::BoxFuture;
use ractor_host_placement::routing::SessionId;
use ractor_host_placement::words::Incarnation;

use super::super::frame::{CLOSE, Closing, HELLO, Hello, MAY_CLOSE, OFFER};
use super::super::{OnDemand, SessionUse};
use super::played::{ME, NotesMsg, OTHER, World, acknowledged, node};
use crate::Durability;

const KEY: &str = "a";

/// Notes what it is asked for.
struct Asked {
    said: Mutex<SessionUse>,
    reached: Mutex<Vec<Incarnation>>,
    closed: Mutex<Vec<u64>>,
}

impl OnDemand for Asked {
    fn reach(&self, node: Incarnation) {
        self.reached.lock().push(node);
    }

    fn session_use(&self, _: u64) -> BoxFuture<'static, SessionUse> {
        let said = *self.said.lock();
        Box::pin(async move { said })
    }

    fn close(&self, session: u64) {
        self.closed.lock().push(session);
    }
}

async fn world(said: SessionUse) -> (World, Arc<Asked>) {
    let world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let asked = Arc::new(Asked {
        said: Mutex::new(said),
        reached: Mutex::default(),
        closed: Mutex::default(),
    });
    world.cluster.link_on_demand(asked.clone());
    (world, asked)
}

fn closing(number: u64) -> Vec<u8> {
    let from = node(OTHER);
    Closing { from, number }.write()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_the_other_end_agrees_and_what_comes_meanwhile_waits_for_the_next() {
    let (mut world, asked) = world(SessionUse::Unused).await;
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    let first = world.routed().await.origin;
    world.cluster.offer_to_close(world.peer.node());
    notes.cast(NotesMsg::Note(2)).unwrap();
    assert_eq!(
        world.routed().await.origin.header.number,
        2,
        "something is on its way there, and nobody asks"
    );
    world.answer(first.session, vec![acknowledged(2)]);

    world.cluster.offer_to_close(world.peer.node());
    let Closing { from, number } = Closing::read(&world.cast(MAY_CLOSE).await).unwrap();
    assert_eq!(from, node(ME));
    notes.cast(NotesMsg::Note(3)).unwrap();
    assert!(asked.reached.lock().is_empty(), "there is a session");
    world.say(CLOSE, closing(number + 1));
    world.say(CLOSE, closing(number));
    world.until(|| *asked.closed.lock() == [world.peer.node()]).await;
    assert!(world.sent.try_recv().is_err(), "what came meanwhile is kept back");
    world.cluster.link_down(world.peer);
    world.until(|| asked.reached.lock().contains(&node(OTHER))).await;
    let (told, sent) = tokio::sync::mpsc::unbounded_channel();
    world.sent = sent;
    world.connect_again(told).await;
    let process = world.peer.node();
    let hello = Hello {
        from: node(OTHER),
        session: SessionId(2),
        process,
        node: format!("peer-{process}@localhost"),
    };
    world.say(HELLO, hello.write());
    world.cast(HELLO).await;
    assert_eq!(world.routed().await.origin.header.number, 3);
    assert_eq!(world.cluster.figures().lost, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_somebody_needs_goes_on() {
    let (mut world, asked) = world(SessionUse::Unused).await;
    let notes = world.notes(KEY);
    world.cluster.offer_to_close(world.peer.node());
    let Closing { number, .. } = Closing::read(&world.cast(MAY_CLOSE).await).unwrap();
    notes.cast(NotesMsg::Note(1)).unwrap();
    // Somebody has come across an actor there.
    *asked.said.lock() = SessionUse::Needed;
    world.say(CLOSE, closing(number));
    assert_eq!(world.routed().await.origin.header.number, 1);
    assert!(asked.closed.lock().is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_did_not_open_a_session_agrees_or_wishes_its_end() {
    let (mut world, asked) = world(SessionUse::UnusedOfPeer).await;
    world.say(MAY_CLOSE, closing(7));
    let agreed = Closing::read(&world.cast(CLOSE).await).unwrap();
    assert_eq!((agreed.from, agreed.number), (node(ME), 7));
    world.cluster.wish_closed(world.peer.node());
    assert_eq!(Closing::read(&world.cast(OFFER).await).unwrap().from, node(ME));
    // The other way round: the peer wishes the end of one that this node opened.
    *asked.said.lock() = SessionUse::Unused;
    world.say(OFFER, closing(0));
    Closing::read(&world.cast(MAY_CLOSE).await).unwrap();
    assert!(asked.closed.lock().is_empty());
    world.end().await;
}
