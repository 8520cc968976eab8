//! Opening a connection to a node, over TLS where that is wanted.

use std::io;

use ractor::ActorRef;

use crate::config::PeerAddress;
use crate::node::NodeServerMessage;
use crate::transport::tls::{ServerName, Tls};
use crate::{ClientConnectErr, client_connect, client_connect_enc};

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
    /// Connects to a node. The handshake with it goes on in the background.
    ///
    /// # Errors
    /// It can't be reached, its certificate is not accepted, or the node server has ended.
    pub(crate) async fn connect(
        &self,
        server: &ActorRef<NodeServerMessage>,
        node: &PeerAddress,
    ) -> Result<(), ClientConnectErr> {
        let address = (node.host.as_str(), node.port);
        match self {
            Self::Plain => client_connect(server, address).await,
            Self::Tls { tls, name } => {
                let name = name.clone().map_or_else(|| name_of(node), Ok)?;
                let connector = tls
                    .connector()
                    .map_err(|error| ClientConnectErr::Encryption(io::Error::other(error)))?;
                client_connect_enc(server, address, connector, name).await
            }
        }
    }
}

fn name_of(node: &PeerAddress) -> Result<ServerName<'static>, ClientConnectErr> {
    ServerName::try_from(node.host.clone()).map_err(|_| {
        let text = format!(
            "no certificate has the name {:?}; say which name the peer's has",
            node.host
        );
        ClientConnectErr::Encryption(io::Error::new(io::ErrorKind::InvalidInput, text))
    })
}
