//! The kinds of connections: TCP, TLS over TCP, and whatever a program brings itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;

/// The read half of a connection that a program brings itself.
pub type BoxRead = Box<dyn AsyncRead + Unpin + Send + 'static>;
/// The write half of a connection that a program brings itself.
pub type BoxWrite = Box<dyn AsyncWrite + Unpin + Send + 'static>;

/// A connected byte stream in both directions, for a transport of the program's own: a Unix socket, QUIC, a pipe.
///
/// The protocol on it is the same as on TCP.
pub trait ClusterBidiStream: Send + 'static {
    /// Takes the stream apart into its two directions.
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite);

    /// The name of the peer in logs; it has no socket address.
    fn peer_label(&self) -> Option<String> {
        None
    }

    /// The name of this end in logs.
    fn local_label(&self) -> Option<String> {
        None
    }
}

/// An open connection to a peer.
pub enum NetworkStream {
    /// TCP as it is.
    Raw {
        /// The peer's address.
        peer_addr: SocketAddr,
        /// This end's address.
        local_addr: SocketAddr,
        /// The socket.
        stream: TcpStream,
    },
    /// TLS; this end accepted.
    TlsServer {
        /// The peer's address.
        peer_addr: SocketAddr,
        /// This end's address.
        local_addr: SocketAddr,
        /// The stream, its handshake done.
        stream: tokio_rustls::server::TlsStream<TcpStream>,
    },
    /// TLS; this end connected.
    TlsClient {
        /// The peer's address.
        peer_addr: SocketAddr,
        /// This end's address.
        local_addr: SocketAddr,
        /// The stream, its handshake done.
        stream: tokio_rustls::client::TlsStream<TcpStream>,
    },
    /// A transport of the program's own.
    External {
        /// What to call the peer in logs.
        peer_label: Option<String>,
        /// The name of this end in logs.
        local_label: Option<String>,
        /// What arrives.
        reader: BoxRead,
        /// What is sent.
        writer: BoxWrite,
    },
}

/// The address that a transport without socket addresses reports.
const NO_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The bytes that are read off a socket at once on behalf of TLS: a few of its records. rustls asks for 4 KiB at a time, and would
/// make a system call for each.
const TLS_READ: usize = 64 * 1024;

/// The two directions of a stream that has no halves of its own.
pub(super) fn boxed(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> (BoxRead, BoxWrite) {
    let (read, write) = tokio::io::split(stream);
    (Box::new(read), Box::new(write))
}

/// A socket for TLS to run on.
pub(crate) fn tls_socket(stream: TcpStream) -> BufReader<TcpStream> {
    BufReader::with_capacity(TLS_READ, stream)
}

impl NetworkStream {
    /// TLS over a [`tls_socket`], its handshake done. The public kinds of TLS streams have a bare socket in their types.
    pub(crate) fn buffered_tls(
        peer_addr: SocketAddr,
        local_addr: SocketAddr,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
    ) -> Self {
        let (reader, writer) = boxed(stream);
        Self::External {
            peer_label: Some(peer_addr.to_string()),
            local_label: Some(local_addr.to_string()),
            reader,
            writer,
        }
    }

    /// The peer's address; `0.0.0.0:0` for an external transport that has none.
    pub(crate) fn peer_addr(&self) -> SocketAddr {
        match self {
            Self::Raw { peer_addr, .. } | Self::TlsServer { peer_addr, .. } | Self::TlsClient { peer_addr, .. } => {
                *peer_addr
            }
            // Its label is the address if it is TLS of this crate's own, see `buffered_tls`.
            Self::External { peer_label, .. } => {
                let label = peer_label.as_deref().unwrap_or_default();
                label.parse().unwrap_or(NO_ADDRESS)
            }
        }
    }

    /// The peer's IP address; none for an external transport.
    pub(crate) fn peer_ip(&self) -> Option<IpAddr> {
        match self {
            Self::External { .. } => None,
            _ => Some(self.peer_addr().ip()),
        }
    }

    /// The peer as logs call it.
    pub(crate) fn peer_label(&self) -> String {
        match self {
            Self::External { peer_label, .. } => peer_label.clone().unwrap_or_else(|| "external".to_owned()),
            _ => self.peer_addr().to_string(),
        }
    }

    fn mode(&self) -> &'static str {
        match self {
            Self::Raw { .. } => "Raw",
            Self::TlsServer { .. } => "TlsServer",
            Self::TlsClient { .. } => "TlsClient",
            Self::External { .. } => "External",
        }
    }
}

impl fmt::Debug for NetworkStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkStream")
            .field("mode", &self.mode())
            .field("peer", &self.peer_label())
            .finish_non_exhaustive()
    }
}

/// How accepted connections are secured.
#[derive(Clone)]
pub enum IncomingEncryptionMode {
    /// Not at all: plain TCP.
    Raw,
    /// With TLS from the first byte.
    Tls(tokio_rustls::TlsAcceptor),
}

impl fmt::Debug for IncomingEncryptionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "Raw",
            Self::Tls(_) => "Tls",
        })
    }
}
