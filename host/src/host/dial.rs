//! How other nodes are dialled: over TLS where that is wanted.

use std::io;
use std::sync::Arc;

use crate::config::{NodeSection, PeerAddress};
use crate::node::client::Encryption;
use crate::node::{Backoff, Peer};
use crate::tls::{ServerName, Tls};

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
    /// The node as a peer to stay connected to.
    pub(crate) fn peer(&self, node: &PeerAddress) -> Peer {
        let encrypted = matches!(self, Self::Tls { .. });
        let (dial, to) = (self.clone(), node.clone());
        // Asked before each attempt, because certificates may have been replaced since the last one.
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

    /// What to secure a connection to the node with; none for plain TCP.
    ///
    /// # Errors
    /// There is no CA, or the node's host is no name that a certificate can have.
    pub(crate) fn encryption(&self, node: &PeerAddress) -> io::Result<Option<Encryption>> {
        let Self::Tls { tls, name } = self else { return Ok(None) };
        let domain = name.clone().map_or_else(|| name_of(node), Ok)?;
        let connector = tls.connector().map_err(io::Error::other)?;
        Ok(Some(Encryption { connector, domain }))
    }
}

impl NodeSection {
    /// How the node dials its peers.
    pub(crate) fn dial(&self) -> Dial {
        match &self.tls {
            None => Dial::Plain,
            Some(section) => Dial::Tls {
                tls: section.tls.clone(),
                name: section.server_name.clone(),
            },
        }
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
