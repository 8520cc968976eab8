//! A connection to where a request goes.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::Error;

use super::client::Client;
use super::failure;
use super::target::Target;
use crate::accounting::telemetry;
use crate::policy::denied::Denied;
use crate::policy::grants::HttpScheme;
use crate::store::wasi::network::MOST_ADDRESSES;

/// What a connection runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

impl Client {
    /// Connects to one of the addresses of the host.
    pub(super) async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, Error> {
        let addresses = self.look_up(target).await?;
        let stream = self.connect_to_one(target, &addresses).await?;
        if target.scheme == HttpScheme::Http {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let trust = self.trust.config().await;
        let trust = trust.map_err(|error| Error::InternalError(Some(error.to_string())))?;
        match TlsConnector::from(trust).connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                self.log_failure(target, &error);
                Err(failure::of_tls(&error))
            }
        }
    }

    async fn look_up(&self, target: &Target) -> Result<Vec<SocketAddr>, Error> {
        let at = |address| SocketAddr::new(address, target.port);
        if let Ok(address) = target.host.parse::<IpAddr>() {
            return Ok(vec![at(address)]);
        }
        let family = self.family.as_ref().ok_or_else(no_address)?;
        match family.share().look_up(&target.host).await {
            // Whoever answers for the name decides how many addresses there are.
            Ok(found) => Ok(found.into_iter().map(at).take(MOST_ADDRESSES).collect()),
            Err(error) => {
                tracing::debug!(%target, %error, "a guest's look-up failed");
                Err(no_address())
            }
        }
    }

    /// Tries those of the addresses that the host may have, one after the other.
    async fn connect_to_one(&self, target: &Target, addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
        let may_be_at = |address: &&SocketAddr| target.may_be_at(address.ip(), self.origins());
        let mut failed = None;
        // Each address is held against the grants just before it is used: a name that was granted proves nothing of
        // where it leads.
        for address in addresses.iter().filter(may_be_at) {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Requests are written whole; if it can't be set they are as good, only later.
                    drop(stream.set_nodelay(true));
                    return Ok(stream);
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            self.log_failure(target, &error);
            return Err(failure::of_connecting(&error));
        }
        let Some(first) = addresses.first() else {
            return Err(no_address());
        };
        let (origin, at) = (target.to_string(), target.at(first.ip()).to_string());
        telemetry::denied(&self.label, Denied::HttpAddress(&origin, &at));
        Err(Error::DestinationIpProhibited)
    }

    /// The guest hears a code, and the operator why.
    fn log_failure(&self, target: &Target, error: &std::io::Error) {
        if self.label.log.allows() {
            let (actor, pid) = (&*self.label.name, self.label.pid);
            tracing::info!(actor, pid, %target, %error, "an HTTP request failed");
        }
    }
}

fn no_address() -> Error {
    Error::DnsError {
        rcode: None,
        info_code: None,
    }
}
