//! The actor that owns a node's listening socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::net::{TcpListener, TcpStream};

use super::NodeServerMessage;
use crate::transport::{IncomingEncryptionMode, NetworkStream};

/// How long a TLS client may take over its handshake.
const TLS_HANDSHAKE: Duration = Duration::from_secs(5);

/// How long to wait after the system refused a connection, for instance for want of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Accepts connections and hands them to its node.
pub(super) struct Listener {
    pub(super) node_server: ActorRef<NodeServerMessage>,
    pub(super) encryption: IncomingEncryptionMode,
}

/// The listener has nothing to be told: it accepts until it is stopped.
pub(super) struct ListenerMessage;

impl ractor::Message for ListenerMessage {}

/// Ends the accept loop with the actor.
pub(super) struct Accepting(JoinHandle<()>);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Listener {
    type Msg = ListenerMessage;
    type Arguments = TcpListener;
    type State = Accepting;

    async fn pre_start(
        &self,
        _: ActorRef<Self::Msg>,
        listener: TcpListener,
    ) -> Result<Self::State, ActorProcessingErr> {
        let accepting = accept_all(listener, self.node_server.clone(), self.encryption.clone());
        Ok(Accepting(ractor::concurrency::spawn(accepting)))
    }
}

async fn accept_all(
    listener: TcpListener,
    node_server: ActorRef<NodeServerMessage>,
    encryption: IncomingEncryptionMode,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer_addr)) => {
                let opening = open(stream, peer_addr, encryption.clone(), node_server.clone());
                match encryption {
                    IncomingEncryptionMode::Raw => opening.await,
                    // A silent TLS client must not keep others waiting.
                    IncomingEncryptionMode::Tls(_) => drop(ractor::concurrency::spawn(opening)),
                }
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}; trying again in {ACCEPT_BACKOFF:?}");
                ractor::concurrency::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

async fn open(
    stream: TcpStream,
    peer_addr: SocketAddr,
    encryption: IncomingEncryptionMode,
    node_server: ActorRef<NodeServerMessage>,
) {
    match secure(stream, peer_addr, encryption).await {
        Ok(stream) => {
            let opened = NodeServerMessage::ConnectionOpened {
                stream: Box::new(stream),
                is_server: true,
            };
            drop(node_server.cast(opened));
        }
        Err(error) => tracing::warn!(%peer_addr, "refused a connection: {error}"),
    }
}

async fn secure(
    stream: TcpStream,
    peer_addr: SocketAddr,
    encryption: IncomingEncryptionMode,
) -> io::Result<NetworkStream> {
    stream.set_nodelay(true)?;
    let local_addr = stream.local_addr()?;
    match encryption {
        IncomingEncryptionMode::Raw => Ok(NetworkStream::Raw {
            peer_addr,
            local_addr,
            stream,
        }),
        IncomingEncryptionMode::Tls(acceptor) => {
            let handshake = ractor::concurrency::timeout(TLS_HANDSHAKE, acceptor.accept(stream));
            let stream = handshake
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(NetworkStream::TlsServer {
                peer_addr,
                local_addr,
                stream,
            })
        }
    }
}
