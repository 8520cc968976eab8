//! Dialling the peers of node.toml at start.
//!
//! A peer is dialled until a connection to it is open once. What happens when it is lost later is not decided here.

use std::time::Duration;

use ractor::ActorRef;
use tokio::task::JoinSet;

use super::dial::Dial;
use crate::ClientConnectErr;
use crate::config::PeerAddress;
use crate::node::NodeServerMessage;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The wait after the first failure. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The peers that are being dialled. Dropping it gives up those that are not connected yet.
#[derive(Debug)]
pub(super) struct Dialers {
    _tasks: JoinSet<()>,
}

impl Dialers {
    pub(super) fn start(server: &ActorRef<NodeServerMessage>, dialling: &Dial, peers: &[PeerAddress]) -> Self {
        let mut tasks = JoinSet::new();
        for peer in peers {
            tasks.spawn(dial(server.clone(), dialling.clone(), peer.clone()));
        }
        Self { _tasks: tasks }
    }
}

async fn dial(server: ActorRef<NodeServerMessage>, dialling: Dial, peer: PeerAddress) {
    let mut wait = FIRST_WAIT;
    loop {
        let reason = match tokio::time::timeout(ATTEMPT, dialling.connect(&server, &peer)).await {
            Ok(Ok(())) => return tracing::info!(%peer, "peer dialled"),
            // The node is gone.
            Ok(Err(ClientConnectErr::Messaging(_))) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {ATTEMPT:?}"),
        };
        // Nodes that start together must not dial in step for ever.
        let wait_now = wait.mul_f64(rand::random_range(0.75..1.0));
        tracing::warn!(%peer, reason, retry_in_ms = wait_now.as_millis(), "peer not reached");
        tokio::time::sleep(wait_now).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
