//! Opening connections to nodes, over TLS where that is wanted.

use std::io;
use std::sync::Arc;

use crate::config::PeerAddress;
use crate::node::client::Encryption;
use crate::node::{Backoff, Peer};
use crate::transport::tls::{ServerName, Tls};
#[cfg(feature = "cli")]
use {
    crate::{ClientConnectErr, NodeServerMessage, client_connect, client_connect_enc},
    ractor::ActorRef,
};

/// How other nodes are dialled.
#[derive(Clone, Debug)]
pub(crate) enum Dial {
    /// With nothing between the protocol and TCP.
    Plain,
    /// With TLS.
    Tls {
        /// What to trust, and what to show.
        tls: Tls,
        /// The name that certificates must bear; none for the host of the address.
        name: Option<ServerName<'static>>,
    },
}

impl Dial {
    /// Connects to a node once. The handshake with it goes on in the background.
    ///
    /// # Errors
    /// It can't be reached, its certificate is not accepted, or the node server has ended.
    #[cfg(feature = "cli")]
    pub(crate) async fn connect(
        &self,
        server: &ActorRef<NodeServerMessage>,
        node: &PeerAddress,
    ) -> Result<(), ClientConnectErr> {
        let address = (node.host.as_str(), node.port);
        match self.encryption(node).map_err(ClientConnectErr::Encryption)? {
            None => client_connect(server, address).await,
            Some(Encryption { connector, domain }) => client_connect_enc(server, address, connector, domain).await,
        }
    }

    /// The node as a peer to stay connected to.
    pub(crate) fn peer(&self, node: &PeerAddress) -> Peer {
        let encrypted = matches!(self, Self::Tls { .. });
        let (dial, to) = (self.clone(), node.clone());
        let source = move || {
            dial.encryption(&to)?
                .ok_or_else(|| io::Error::other("TLS is not configured"))
        };
        Peer {
            address: node.to_string(),
            encryption: encrypted.then(|| Arc::new(source) as _),
            backoff: Backoff::default(),
        }
    }

    fn encryption(&self, node: &PeerAddress) -> io::Result<Option<Encryption>> {
        let Self::Tls { tls, name } = self else { return Ok(None) };
        let domain = name.clone().map_or_else(|| name_of(node), Ok)?;
        let connector = tls.connector().map_err(io::Error::other)?;
        Ok(Some(Encryption { connector, domain }))
    }
}

fn name_of(node: &PeerAddress) -> io::Result<ServerName<'static>> {
    ServerName::try_from(node.host.clone()).map_err(|_| {
        let text = format!(
            "no certificate has the name {:?}; say which name the peer's has",
            node.host
        );
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}
