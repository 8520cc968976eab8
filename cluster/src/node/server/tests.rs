//! Two nodes in this process.

use std::time::Duration;

use futures_util::FutureExt as _;
use ractor::concurrency::{sleep, timeout};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, Message};

use super::NodeServer;
use crate::directory;
use crate::node::client::{ConnectError, connect_until_ready};
use crate::node::{NodeServerMessage, NodeServerSessionInformation, left_out, listen_addr, quiesce};
use crate::session::CloseReason;

/// The longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(60);

async fn node(name: &str) -> (ActorRef<NodeServerMessage>, String) {
    let server = NodeServer::new(
        0,
        "cookie".to_owned(),
        name.to_owned(),
        "localhost".to_owned(),
        None,
        None,
    )
    .with_listen_addr(std::net::Ipv4Addr::LOCALHOST.into());
    let (server, _) = Actor::spawn(None, server, ()).await.unwrap();
    let address = listen_addr(&server).await.unwrap().to_string();
    (server, address)
}

async fn session(from: &ActorRef<NodeServerMessage>, to: &str) -> Result<NodeServerSessionInformation, ConnectError> {
    timeout(PATIENCE, connect_until_ready(from, to, None)).await.unwrap()
}

/// An actor that other nodes are told of.
struct Shared;

struct Nothing;

impl Message for Nothing {
    fn serializable() -> bool {
        true
    }
}

impl Actor for Shared {
    type Msg = Nothing;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Nothing>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// A guest may be killed while it begins to monitor an actor of another node.
#[tokio::test]
async fn a_stand_in_that_is_lent_to_somebody_who_has_gone_meanwhile_does_not_stay() {
    let (shared, _) = Actor::spawn(None, Shared, ()).await.unwrap();
    let ((one, _), (other, address)) = (node("lender").await, node("owner").await);
    let session = session(&one, &address).await.unwrap();
    let id = ActorId::Remote {
        node_id: session.node_id,
        pid: shared.get_id().pid(),
    };
    let stand_ins = || session.actor.get_children().len();
    let lent = timeout(PATIENCE, directory::lend(id)).await.unwrap().unwrap();
    assert_eq!(stand_ins(), 1);
    // Asked for and given up, once before the answer and once, if the session is quick, after it.
    for _ in 0..2 {
        assert!(directory::lend(id).now_or_never().is_none());
    }
    left_out(&session.actor).await.unwrap();
    assert_eq!(stand_ins(), 1, "one borrower still has it");
    drop(lent);
    let ended = async {
        while stand_ins() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, ended)
        .await
        .expect("the stand-in is given back by all");
    one.stop(None);
    other.stop(None);
    shared.stop(None);
}

#[tokio::test]
async fn a_node_that_was_told_to_take_no_more_opens_no_session_and_says_so() {
    let ((one, _), (other, address)) = (node("quiet").await, node("loud").await);
    let before = session(&one, &address).await.unwrap();
    assert!(quiesce(&one, PATIENCE).await);
    let refused = session(&one, &address).await;
    assert!(
        matches!(refused, Err(ConnectError::Closed(CloseReason::Local))),
        "{refused:?}"
    );
    assert!(left_out(&before.actor).await.is_some(), "its sessions go on");
    one.stop(None);
    other.stop(None);
}
