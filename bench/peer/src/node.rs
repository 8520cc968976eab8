//! The node of this process, and the lines that only it knows:
//!
//! | line | what it does |
//! |---|---|
//! | `connect PORT CROWD GROUP` | connects, and waits until the node is ready and CROWD of its actors are in GROUP |
//! | `mesh SESSIONS PORT…` | connects to these, and waits until the node has SESSIONS of them in all |
//! | `flood SIZE COUNT` | casts to an actor that is too slow for them |

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bench_load::{Node, Target, number, resident_kib};
use ractor::{Actor, ActorRef, pg};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{IncomingEncryptionMode, NodeServer, NodeServerMessage, client_connect, client_connect_enc};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::link::ReadySessions;
use crate::sink::{self, RemoteSink, Sink};
use crate::{Options, certificates, flood, interest, tls};

/// The number of times that a port which was free a moment ago may turn out taken before the start fails.
const PORT_ATTEMPTS: usize = 20;
/// The longest time for a connection to be ready.
const READY: Duration = Duration::from_secs(60);
/// The interval between looks at whether all actors are there.
const POLL: Duration = Duration::from_millis(2);
/// The groups with one actor each.
const SINK: &str = "sink";
const CALLEE: &str = "callee";

/// The node of this process.
pub(crate) struct PeerNode {
    server: ActorRef<NodeServerMessage>,
    port: u16,
    connector: Option<TlsConnector>,
    ready: watch::Receiver<usize>,
}

impl PeerNode {
    /// Spawns the actors and starts the node server.
    pub(crate) async fn start(options: &Options) -> anyhow::Result<Self> {
        sink::spawn(SINK).await?;
        sink::spawn(CALLEE).await?;
        crowd(options.crowd, options.group.as_deref()).await?;
        let (encryption, connector) = match &options.tls {
            Some(folder) => {
                let (acceptor, connector) = tls::load(folder)?;
                (Some(IncomingEncryptionMode::Tls(acceptor)), Some(connector))
            }
            None => (None, None),
        };
        let (server, port) = listen(&options.name, encryption, &options.want).await?;
        let (events, ready) = watch::channel(0);
        server.cast(NodeServerMessage::SubscribeToEvents {
            id: "bench".to_owned(),
            subscription: Box::new(ReadySessions(events)),
        })?;
        Ok(Self {
            server,
            port,
            connector,
            ready,
        })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    async fn connect(&mut self, port: &str, crowd: usize, group: &str) -> anyhow::Result<Value> {
        let address = format!("{}:{port}", certificates::HOST);
        let before = resident_kib();
        let started = Instant::now();
        match &self.connector {
            None => client_connect(&self.server, &address).await?,
            Some(connector) => {
                let name = ServerName::try_from(certificates::HOST)?;
                client_connect_enc(&self.server, &address, connector.clone(), name).await?;
            }
        }
        self.ready.wait_for(|ready| *ready > 0).await?;
        let ready = started.elapsed();
        while RemoteSink::find(SINK).is_none() || remote_members(group) < crowd {
            sleep(POLL).await;
        }
        self.sink()?.echo(&[], None).await?;
        Ok(json!({
            "ready_seconds": ready.as_secs_f64(),
            "seconds": started.elapsed().as_secs_f64(),
            "resident_kib_before": before,
            "resident_kib": resident_kib(),
        }))
    }
}

impl PeerNode {
    /// Connects to nodes that others connect to as well.
    async fn mesh(&mut self, sessions: usize, ports: &[&str]) -> anyhow::Result<Value> {
        for port in ports {
            client_connect(&self.server, &format!("{}:{port}", certificates::HOST)).await?;
        }
        self.ready.wait_for(|ready| *ready >= sessions).await?;
        Ok(json!({ "resident_kib": resident_kib() }))
    }
}

impl Node for PeerNode {
    type Target = RemoteSink;

    fn sink(&self) -> anyhow::Result<RemoteSink> {
        RemoteSink::find(SINK).context("no node is connected")
    }

    fn callee(&self) -> anyhow::Result<RemoteSink> {
        RemoteSink::find(CALLEE).context("no node is connected")
    }

    async fn own(&mut self, words: &[&str]) -> anyhow::Result<Value> {
        match words {
            ["connect", port, crowd, group] => {
                let crowd = usize::try_from(number(crowd)?)?;
                timeout(READY, self.connect(port, crowd, group))
                    .await
                    .context("not ready in time")?
            }
            ["mesh", sessions, ports @ ..] => {
                let sessions = usize::try_from(number(sessions)?)?;
                timeout(READY, self.mesh(sessions, ports))
                    .await
                    .context("not ready in time")?
            }
            ["flood", size, count] => {
                let size = usize::try_from(number(size)?)?;
                let sent = tokio::spawn(flood::send(self.sink()?, size, number(count)?)).await??;
                Ok(serde_json::to_value(sent)?)
            }
            _ => bail!("unknown command: {}", words.join(" ")),
        }
    }
}

/// Starts the node server. The published one can't be asked for a port that the system chose, so a free one is found
/// first and handed to it.
async fn listen(
    name: &str,
    encryption: Option<IncomingEncryptionMode>,
    want: &[String],
) -> anyhow::Result<(ActorRef<NodeServerMessage>, u16)> {
    let mut attempts = PORT_ATTEMPTS;
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let server = NodeServer::new(
            port,
            "the cookie of the benchmark".to_owned(),
            name.to_owned(),
            certificates::HOST.to_owned(),
            encryption.clone(),
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(Ipv4Addr::LOCALHOST.into());
        let server = interest::wanting(server, want)?;
        match Actor::spawn(None, server, ()).await {
            Ok((server, _)) => return Ok((server, port)),
            Err(_) if attempts > 1 => attempts -= 1,
            Err(error) => return Err(error).context("starting the node server"),
        }
    }
}

/// Spawns actors that do nothing but be there.
async fn crowd(count: u64, group: Option<&str>) -> anyhow::Result<()> {
    let mut cells = Vec::new();
    for _ in 0..count {
        let (actor, _) = Actor::spawn(None, Sink, ()).await?;
        cells.push(actor.get_cell());
    }
    if let Some(group) = group {
        pg::join(group.to_owned(), cells);
    }
    Ok(())
}

fn remote_members(group: &str) -> usize {
    pg::get_members(&group.to_owned())
        .iter()
        .filter(|member| !member.get_id().is_local())
        .count()
}
