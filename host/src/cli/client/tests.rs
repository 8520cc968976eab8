//! What is said to have been sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ractor::{ActorProcessingErr, ActorRuntime};

use super::*;
use crate::directory::{BoxFuture, FoundActor, Lent, RemoteActors, WantedActor};

/// Takes everything, and does nothing about it: what a stand-in is that is about to be stopped.
struct Idle;

impl Actor for Idle {
    type Msg = NodeServerMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// A peer with an actor that may have ended.
struct Link(Arc<AtomicBool>);

impl RemoteActors for Link {
    fn stand_in(&self, _: u64) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(async { None })
    }

    fn stand_in_named(&self, _: String) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(async { None })
    }

    fn look(&self, _: WantedActor) -> BoxFuture<'_, Option<FoundActor>> {
        Box::pin(async { None })
    }

    fn lend(&self, _: u64) -> BoxFuture<'_, Option<Lent>> {
        Box::pin(async { None })
    }

    fn send(&self, _: u64, _: SerializedMessage) -> BoxFuture<'_, Result<(), SendRefused>> {
        let has_ended = self.0.load(Ordering::Relaxed);
        Box::pin(async move {
            if has_ended {
                Err(SendRefused::UnknownActor)
            } else {
                Ok(())
            }
        })
    }
}

/// Its stand-in is there for a moment longer, and would be handed the message for nothing.
#[tokio::test]
async fn a_message_to_an_actor_that_has_just_ended_is_not_called_sent() {
    const NODE: u64 = 903;
    let has_ended = Arc::new(AtomicBool::new(false));
    let node = directory::Node {
        name: "peer@localhost".to_owned(),
        incarnation: 0,
    };
    directory::add_peer(NODE, node, Arc::new(Link(has_ended.clone())));
    let (server, _) = Actor::spawn(None, Idle, ()).await.unwrap();
    let id = ActorId::Remote { node_id: NODE, pid: 7 };
    let stand_in = ActorRuntime::spawn_linked_remote(None, Idle, id, (), server.get_cell()).await;
    let stand_in = stand_in.unwrap().0.get_cell();
    let peer = NodeServerSessionInformation {
        actor: server.get_cell().into(),
        peer_name: None,
        is_server: false,
        node_id: NODE,
        peer_addr: "peer".to_owned(),
    };
    let client = ClusterClient {
        server: server.clone(),
        peer,
        deadline: Deadline::after(Duration::from_secs(60)),
    };
    let cast = || SerializedMessage::Cast {
        variant: String::new(),
        args: Vec::new(),
        metadata: None,
    };
    client.send(&stand_in, cast()).await.unwrap();
    has_ended.store(true, Ordering::Relaxed);
    let ended = client.send(&stand_in, cast()).await.unwrap_err();
    assert!(matches!(ended, ClientError::Ended { .. }), "{ended}");
    directory::remove_peer(NODE);
    server.stop(None);
}

#[test]
fn an_actor_may_be_named_with_its_node() {
    for text in ["counter", "counter@alpha", "counter@alpha@localhost"] {
        assert_eq!(own_name(text, "alpha@localhost"), "counter", "{text}");
    }
    assert_eq!(own_name("counter@beta", "alpha@localhost"), "counter@beta");
    assert_eq!(own_name("@alpha", "alpha@localhost"), "@alpha");
    assert!(is_node("alpha", "alpha@localhost") && is_node("alpha@localhost", "alpha@localhost"));
    assert!(!is_node("alpha@", "alpha@localhost") && !is_node("localhost", "alpha@localhost"));
}
