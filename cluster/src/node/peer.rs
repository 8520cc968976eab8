//! A peer to stay connected to, as a program names it.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::dialling::Backoff;

/// Gives the TLS settings for the next attempt.
pub type EncryptionSource = Arc<dyn Fn() -> io::Result<Encryption> + Send + Sync>;

/// A peer to stay connected to.
#[derive(Clone)]
pub struct Peer {
    /// `host:port`; the host is a name or an address.
    pub address: String,
    /// How to secure the connection; none for plain TCP. Asked before each attempt, since certificates change.
    pub encryption: Option<EncryptionSource>,
    /// How long to wait between attempts.
    pub backoff: Backoff,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .field("encrypted", &self.encryption.is_some())
            .field("backoff", &self.backoff)
            .finish()
    }
}

/// How to secure a connection with TLS.
#[derive(Clone)]
pub struct Encryption {
    /// The TLS settings.
    pub connector: TlsConnector,
    /// The name that the peer's certificate must bear.
    pub domain: ServerName<'static>,
}
