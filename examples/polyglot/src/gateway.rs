//! The gateway: it owns the socket on which orders come in. It is native because it holds a socket, and because every order goes through
//! it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster::RactorClusterMessage;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::connection;

/// Takes orders, one on each line of a connection, and answers each with a line. Its start argument is where it listens: `IP:PORT`.
#[derive(Debug)]
pub(crate) struct Gateway;

/// What a [`Gateway`] understands.
#[derive(Debug, RactorClusterMessage)]
pub(crate) enum GatewayMsg {
    /// Replies with where it listens.
    #[rpc]
    Address(RpcReplyPort<String>),
    /// Replies with whether there is somebody to read orders and somebody to decide about them.
    #[rpc]
    Ready(RpcReplyPort<bool>),
    /// Replies with the number of orders that came in, were decided, and were not.
    #[rpc]
    Counts(RpcReplyPort<String>),
}

/// What became of the orders.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) received: AtomicU64,
    pub(crate) decided: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// A gateway that listens. It stops listening, and its connections end, with the actor.
#[derive(Debug)]
pub(crate) struct Open {
    address: SocketAddr,
    counts: Arc<Counts>,
    _listening: JoinSet<()>,
}

impl Actor for Gateway {
    type Msg = GatewayMsg;
    type State = Open;
    type Arguments = String;

    async fn pre_start(&self, _: ActorRef<GatewayMsg>, listen: String) -> Result<Open, ActorProcessingErr> {
        let listener = TcpListener::bind(&listen)
            .await
            .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let mut listening = JoinSet::new();
        listening.spawn(accept(listener, Arc::clone(&counts)));
        Ok(Open {
            address,
            counts,
            _listening: listening,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<GatewayMsg>,
        message: GatewayMsg,
        open: &mut Open,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            GatewayMsg::Address(reply) => reply.send(open.address.to_string())?,
            GatewayMsg::Ready(reply) => reply.send(connection::is_ready())?,
            GatewayMsg::Counts(reply) => reply.send(open.counts.to_string())?,
        }
        Ok(())
    }
}

/// Serves each connection in a task of its own.
async fn accept(listener: TcpListener, counts: Arc<Counts>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, Arc::clone(&counts)));
            }
            Err(error) => tracing::warn!(%error, "a connection was not accepted"),
        }
        // The results of those that have ended are taken, or they would be kept.
        while connections.try_join_next().is_some() {}
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [received, decided, failed] =
            [&self.received, &self.decided, &self.failed].map(|count| count.load(Ordering::Relaxed));
        write!(f, "{received} received, {decided} decided, {failed} failed")
    }
}
