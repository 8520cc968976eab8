//! The actor that owns a node's listening socket.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::NodeServerMessage;
use super::admission::{HandshakeAdmission, Permit};
use super::node_requests::NodeRequest;
use crate::session::CloseReason;
use crate::transport::{IncomingEncryptionMode, NetworkStream, tls, tls_socket};

/// The pause after the system could not accept a connection, for instance because the process has no file descriptor left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Accepts connections and hands them to its node.
#[derive(Clone)]
pub(super) struct NodeListener {
    pub(super) node_server: ActorRef<NodeServerMessage>,
    pub(super) encryption: IncomingEncryptionMode,
    /// The time that a TLS client may take over its handshake.
    pub(super) handshake: Duration,
    pub(super) admission: Arc<HandshakeAdmission>,
    /// True from when connections may be accepted; none for at once. Until then they wait in the system's queue.
    pub(super) gate: Option<watch::Receiver<bool>>,
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
impl Actor for NodeListener {
    type Msg = ListenerMessage;
    type Arguments = TcpListener;
    type State = Accepting;

    async fn pre_start(
        &self,
        _: ActorRef<Self::Msg>,
        listener: TcpListener,
    ) -> Result<Self::State, ActorProcessingErr> {
        // The loop is a task, so that the actor can be stopped while it waits for a connection. The actor's state ends it.
        Ok(Accepting(ractor::concurrency::spawn(self.clone().accept_all(listener))))
    }
}

/// Why an accepted connection goes no further.
#[derive(Debug, thiserror::Error)]
enum NotAccepted {
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("the TLS handshake failed: {}", tls::explain_io(.0))]
    Tls(io::Error),
    #[error("the TLS handshake was not done within {0:?}")]
    TlsTimeout(Duration),
    #[error("{}", CloseReason::GaveWay)]
    GaveWay,
}

impl NotAccepted {
    /// The name under which it is counted.
    fn name(&self) -> &'static str {
        match self {
            Self::Socket(_) => "io",
            Self::Tls(_) => "tls",
            Self::TlsTimeout(_) => "tls_timeout",
            Self::GaveWay => CloseReason::GaveWay.name(),
        }
    }
}

impl NodeListener {
    async fn accept_all(mut self, listener: TcpListener) {
        if let Some(mut gate) = self.gate.take()
            && gate.wait_for(|is_open| *is_open).await.is_err()
        {
            // Whoever was to open it is gone.
            return;
        }
        loop {
            match listener.accept().await {
                Ok((stream, peer_addr)) => self.accepted(stream, peer_addr).await,
                // Only that one connection is gone: the next one can be accepted at once.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.admission.refusals.not_accepted(&error, ACCEPT_BACKOFF);
                    // The connection stays in the system's queue, so without a pause `accept` would fail again and again and take a
                    // whole processor.
                    ractor::concurrency::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    }

    /// Closes the connection, by dropping it, if there are too many like it.
    async fn accepted(&self, stream: TcpStream, peer_addr: SocketAddr) {
        // Before anything is spawned or allocated for the connection.
        match self.admission.admit(Some(peer_addr.ip()), &peer_addr) {
            Err(limit) => self.admission.refusals.refuse(&peer_addr, limit.name(), &limit),
            Ok(permit) => match self.encryption {
                IncomingEncryptionMode::Raw => self.open(stream, peer_addr, permit).await,
                // A silent TLS client must not keep others waiting. There are no more of these tasks than permits.
                IncomingEncryptionMode::Tls(_) => {
                    let this = self.clone();
                    drop(ractor::concurrency::spawn(async move {
                        this.open(stream, peer_addr, permit).await;
                    }));
                }
            },
        }
    }

    async fn open(&self, stream: TcpStream, peer_addr: SocketAddr, permit: Permit) {
        let (gave_way, waits) = oneshot::channel::<()>();
        permit.on_give_way(move || {
            gave_way.send(()).ok();
        });
        // If the connection has to give way, the TLS handshake is dropped together with its socket, which closes it.
        let secured = tokio::select! {
            secured = self.secure(stream, peer_addr) => secured,
            // The other end is kept by the permit until it is used.
            _ = waits => Err(NotAccepted::GaveWay),
        };
        match secured {
            Ok(stream) => {
                let stream = Box::new(stream);
                let accepted = NodeRequest::Accepted { stream, permit };
                // If the node has ended, the connection and its permit are dropped with the message, which closes the one and frees
                // the other.
                drop(self.node_server.cast(accepted.into()));
            }
            Err(refused) => self.admission.refusals.refuse(&peer_addr, refused.name(), &refused),
        }
    }

    async fn secure(&self, stream: TcpStream, peer_addr: SocketAddr) -> Result<NetworkStream, NotAccepted> {
        stream.set_nodelay(true)?;
        let local_addr = stream.local_addr()?;
        match &self.encryption {
            IncomingEncryptionMode::Raw => Ok(NetworkStream::Raw {
                peer_addr,
                local_addr,
                stream,
            }),
            IncomingEncryptionMode::Tls(acceptor) => {
                // TLS needs a limit of its own, because that of the session begins only when there is a session.
                let handshake = ractor::concurrency::timeout(self.handshake, acceptor.accept(tls_socket(stream)));
                let stream = handshake
                    .await
                    .map_err(|_| NotAccepted::TlsTimeout(self.handshake))?
                    .map_err(NotAccepted::Tls)?;
                Ok(NetworkStream::buffered_tls(peer_addr, local_addr, stream))
            }
        }
    }
}

/// The address under which this node says that it is reached. An IPv6 address needs brackets.
pub(super) fn connection_string(hostname: &str, port: u16) -> String {
    match hostname.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]:{port}"),
        Err(_) => format!("{hostname}:{port}"),
    }
}

/// True if `accept` failed because of that one connection, and not because the process lacks something.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
