//! Connecting to other nodes.

use std::fmt;
use std::io;

use ractor::{ActorRef, MessagingErr};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::NodeServerMessage;
use crate::transport::{ClusterBidiStream, NetworkStream, tls};

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
    stream.set_nodelay(true)?;
    let (peer_addr, local_addr) = (stream.peer_addr()?, stream.local_addr()?);
    hand_over(
        node_server,
        NetworkStream::Raw {
            peer_addr,
            local_addr,
            stream,
        },
    )
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
    stream.set_nodelay(true)?;
    let (peer_addr, local_addr) = (stream.peer_addr()?, stream.local_addr()?);
    let stream = encryption_settings
        .connect(domain, stream)
        .await
        .map_err(ClientConnectErr::Encryption)?;
    hand_over(
        node_server,
        NetworkStream::TlsClient {
            peer_addr,
            local_addr,
            stream,
        },
    )
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
