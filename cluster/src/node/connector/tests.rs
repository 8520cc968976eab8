//! A connector whose attempts come to an unusual end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ractor::{Actor, ActorProcessingErr};
use tokio::net::TcpListener;

use super::*;
use crate::node::dialling::Backoff;
use crate::node::node_requests::OpaqueNodeRequest;

/// The longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands for a node that starts no session.
struct Barren;

impl Actor for Barren {
    type Msg = NodeServerMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<NodeServerMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<NodeServerMessage>,
        message: NodeServerMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let NodeServerMessage::SubscribeToEvents { mut subscription, .. } = message {
            // The monitor goes with the request, unheard.
            let request: Option<OpaqueNodeRequest> = subscription.take_request();
            drop(request);
        }
        Ok(())
    }
}

async fn connected(listener: &TcpListener) {
    timeout(PATIENCE, listener.accept())
        .await
        .expect("the address is dialled")
        .unwrap();
}

fn peer(listener: &TcpListener) -> Peer {
    Peer {
        address: listener.local_addr().unwrap().to_string(),
        encryption: None,
        backoff: Backoff {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(1),
        },
    }
}

#[tokio::test]
async fn an_address_is_dialled_again_after_a_connection_that_no_session_came_of() {
    let (node, _) = Actor::spawn(None, Barren, ()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connectors = Connectors::default();
    connectors.add(&node, peer(&listener), DialPurpose::Link);
    for _ in 0..3 {
        connected(&listener).await;
    }
    node.stop(None);
}

/// A program gives the settings for TLS, and its function may panic.
#[tokio::test]
async fn an_address_is_dialled_again_after_an_attempt_that_panicked() {
    let (node, _) = Actor::spawn(None, Barren, ()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let source = {
        let asked = asked.clone();
        move || {
            assert!(asked.fetch_add(1, Ordering::SeqCst) > 0, "the first attempt panics");
            Err(io::Error::other("and the others fail"))
        }
    };
    let mut connectors = Connectors::default();
    connectors.add(
        &node,
        Peer {
            encryption: Some(Arc::new(source)),
            ..peer(&listener)
        },
        DialPurpose::Link,
    );
    let again = async {
        while asked.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("the address is dialled again");
    node.stop(None);
}

#[tokio::test]
async fn nobody_is_dialled_for_a_node_that_has_ended() {
    let (node, ended) = Actor::spawn(None, Barren, ()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connectors = Connectors::default();
    connectors.add(&node, peer(&listener), DialPurpose::Link);
    connected(&listener).await;
    node.stop(None);
    ended.await.unwrap();
    let over = async {
        while connectors.by_address.values().any(|task| !task.0.is_finished()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, over).await.expect("the connector ends with its node");
}
