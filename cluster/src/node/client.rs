//! Connecting to other nodes.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use ractor::concurrency::oneshot;
use ractor::{ActorRef, MessagingErr};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::messages::NodeServerMessage;
use super::node_requests::{DialOptions, DialPurpose, NodeRequest};
pub use super::peer::Encryption;
use super::session_info::NodeServerSessionInformation;
use super::session_monitors::SessionMonitor;
use crate::session::CloseReason;
use crate::transport::{ClusterBidiStream, NetworkStream, tls, tls_socket};

/// Why no connection was opened.
#[derive(Debug)]
pub enum ClientConnectErr {
    /// The socket could not be connected.
    Socket(io::Error),
    /// The local node has ended.
    Messaging(MessagingErr<NodeServerMessage>),
    /// The TLS handshake failed.
    Encryption(io::Error),
}

impl fmt::Display for ClientConnectErr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "the connection failed: {error}"),
            Self::Messaging(_) => write!(f, "the local node has ended"),
            Self::Encryption(error) => write!(f, "the TLS handshake failed: {}", tls::explain_io(error)),
        }
    }
}

impl std::error::Error for ClientConnectErr {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Socket(error) | Self::Encryption(error) => Some(error),
            Self::Messaging(error) => Some(error),
        }
    }
}

impl From<io::Error> for ClientConnectErr {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<MessagingErr<NodeServerMessage>> for ClientConnectErr {
    fn from(error: MessagingErr<NodeServerMessage>) -> Self {
        Self::Messaging(error)
    }
}

/// Connects to the node at `address` over TCP. The handshake goes on in the background: subscribe to the node's events
/// to hear how it ends.
///
/// # Errors
/// The socket could not be connected, or `node_server` has ended.
pub async fn connect<T>(node_server: &ActorRef<NodeServerMessage>, address: T) -> Result<(), ClientConnectErr>
where
    T: ToSocketAddrs,
{
    let stream = TcpStream::connect(address).await?;
    hand_over(node_server, secure(stream, None).await?)
}

/// As [`connect`], over TLS: `domain` is the name that the peer's certificate must bear.
///
/// # Errors
/// As [`connect`], or the TLS handshake failed.
pub async fn connect_enc<T>(
    node_server: &ActorRef<NodeServerMessage>,
    address: T,
    encryption_settings: TlsConnector,
    domain: ServerName<'static>,
) -> Result<(), ClientConnectErr>
where
    T: ToSocketAddrs,
{
    let stream = TcpStream::connect(address).await?;
    let encryption = Encryption {
        connector: encryption_settings,
        domain,
    };
    hand_over(node_server, secure(stream, Some(encryption)).await?)
}

/// As [`connect`], and waits until both nodes have proved the cookie and exchanged what they have.
///
/// # Errors
/// As [`connect`]; or the session ended before it was ready, and the reason says why: a wrong cookie, for instance.
pub async fn connect_until_ready<T>(
    node_server: &ActorRef<NodeServerMessage>,
    address: T,
    encryption: Option<Encryption>,
) -> Result<NodeServerSessionInformation, ConnectError>
where
    T: ToSocketAddrs,
{
    connect_for(DialPurpose::Connection, node_server, address, encryption).await
}

/// As [`connect_until_ready`], over TCP, to where a peer says that another node is.
pub(super) async fn connect_on_hearsay(
    node_server: &ActorRef<NodeServerMessage>,
    addresses: &[SocketAddr],
) -> Result<NodeServerSessionInformation, ConnectError> {
    connect_for(DialPurpose::Hearsay, node_server, addresses, None).await
}

async fn connect_for(
    purpose: DialPurpose,
    node_server: &ActorRef<NodeServerMessage>,
    address: impl ToSocketAddrs,
    encryption: Option<Encryption>,
) -> Result<NodeServerSessionInformation, ConnectError> {
    let stream = TcpStream::connect(address).await.map_err(ClientConnectErr::from)?;
    let stream = Box::new(secure(stream, encryption).await?);
    let (port, ready) = oneshot();
    let monitor = SessionMonitor {
        ready: Some(port.into()),
        ended: None,
    };
    let opened = NodeRequest::ConnectionOpenedMonitored {
        stream,
        monitor,
        dialled: DialOptions {
            purpose,
            ..DialOptions::default()
        },
    };
    node_server.cast(opened.into()).map_err(ClientConnectErr::from)?;
    // A caller that stops waiting leaves the session as it is, since the session belongs to the node.
    let ready = ready
        .await
        .map_err(|_| ClientConnectErr::Messaging(MessagingErr::ChannelClosed))?;
    ready.map_err(ConnectError::Closed)
}

/// Why there is no session that is ready.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There was no connection.
    #[error(transparent)]
    Connect(#[from] ClientConnectErr),
    /// The session ended before it was ready.
    #[error("the session ended before it was ready: {0}")]
    Closed(CloseReason),
}

/// Makes a connected socket a stream, through the TLS handshake if it is to be secured.
pub(super) async fn secure(
    stream: TcpStream,
    encryption: Option<Encryption>,
) -> Result<NetworkStream, ClientConnectErr> {
    // The writer makes its own batches. Nagle's algorithm would hold a small frame back until the one before it is acknowledged.
    stream.set_nodelay(true)?;
    let (peer_addr, local_addr) = (stream.peer_addr()?, stream.local_addr()?);
    Ok(match encryption {
        None => NetworkStream::Raw {
            peer_addr,
            local_addr,
            stream,
        },
        Some(Encryption { connector, domain }) => {
            let stream = connector
                .connect(domain, tls_socket(stream))
                .await
                .map_err(ClientConnectErr::Encryption)?;
            NetworkStream::buffered_tls(peer_addr, local_addr, stream)
        }
    })
}

/// As [`connect`], over a stream that the program has connected itself.
///
/// # Errors
/// `node_server` has ended.
pub async fn connect_external(
    node_server: &ActorRef<NodeServerMessage>,
    stream: Box<dyn ClusterBidiStream>,
) -> Result<(), ClientConnectErr> {
    node_server.cast(NodeServerMessage::ConnectionOpenedExternal {
        stream,
        is_server: false,
    })?;
    Ok(())
}

fn hand_over(node_server: &ActorRef<NodeServerMessage>, stream: NetworkStream) -> Result<(), ClientConnectErr> {
    tracing::info!(peer = stream.peer_label(), "connected");
    node_server.cast(NodeServerMessage::ConnectionOpened {
        stream: Box::new(stream),
        is_server: false,
    })?;
    Ok(())
}
