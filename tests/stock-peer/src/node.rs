//! The node of this process: its server, and how it dials others.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use ractor::{Actor, ActorRef};
use ractor_cluster::{IncomingEncryptionMode, NodeServer, NodeServerMessage, client_connect, client_connect_enc};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::options::Options;
use crate::tls::Tls;

/// The number of times that a port which was free a moment ago may turn out taken before the start fails.
const PORT_ATTEMPTS: usize = 20;
/// The name that every node's certificate bears.
const TLS_NAME: &str = "localhost";

/// A running node.
pub(crate) struct Node {
    pub(crate) server: ActorRef<NodeServerMessage>,
    /// Where it listens.
    pub(crate) port: u16,
    connector: Option<TlsConnector>,
}

impl Node {
    /// Starts the node server. The published one can't be asked for a port that the system chose, so a free one is
    /// found first and handed to it.
    pub(crate) async fn start(options: &Options) -> anyhow::Result<Self> {
        let (incoming, connector) = match Tls::load(&options.tls)? {
            Some(tls) => (Some(IncomingEncryptionMode::Tls(tls.acceptor)), Some(tls.connector)),
            None => (None, None),
        };
        let mut attempts = PORT_ATTEMPTS;
        loop {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let server = NodeServer::new(
                port,
                options.cookie.clone(),
                options.name.clone(),
                options.hostname.clone(),
                incoming.clone(),
                Some(options.mode.into()),
            )
            .with_listen_addr(Ipv4Addr::LOCALHOST.into());
            match Actor::spawn(None, server, ()).await {
                Ok((server, _)) => {
                    return Ok(Self {
                        server,
                        port,
                        connector,
                    });
                }
                Err(_) if attempts > 1 => attempts -= 1,
                Err(error) => return Err(error).context("starting the node server"),
            }
        }
    }

    /// Dials a node, over TLS if this one has certificates.
    pub(crate) async fn connect(&self, address: &str) -> anyhow::Result<()> {
        let dialled = match &self.connector {
            None => client_connect(&self.server, address).await,
            Some(connector) => {
                client_connect_enc(
                    &self.server,
                    address,
                    connector.clone(),
                    ServerName::try_from(TLS_NAME)?,
                )
                .await
            }
        };
        dialled.with_context(|| format!("connecting to {address}"))
    }
}
