//! Bringing a host up, step by step.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorRef};
use tokio::sync::watch;

use super::dial::Dial;
use super::error::{HostError, startup_reason};
use super::maintenance::Begin;
use super::native::Native;
use super::own_files;
use super::preflight::preflight;
use super::reloader::ReloadListener;
use super::running::{RunningHost, StartedActor, stop_actors};
use super::state_dir::StateDir;
use super::tree::{Tree, unknown};
use crate::IncomingEncryptionMode;
use crate::config::{ActorSection, Code, NodeConfig, NodeSection};
use crate::guest::{Profile, ReservedNames};
use crate::node::{NodeConnectionMode, NodeServer, NodeServerMessage, add_peer, listen_addr};
use crate::supervision::Root;
use crate::tls::CertificateReload;

/// The interval between looks at whether certificates were replaced.
const CERTIFICATES: Duration = Duration::from_secs(10);

pub(super) async fn start(
    config: NodeConfig,
    natives: BTreeMap<String, Native>,
    listener: Option<ReloadListener>,
) -> Result<RunningHost, HostError> {
    let state = StateDir::open(&config).await?;
    let sources: Vec<_> = config.modules.iter().map(|own| state.source(own)).collect();
    let guests = preflight(&config, &natives, &sources).await?;
    let node = Node::listen(&config.node).await?;
    let profile = Profile {
        node_name: config.node.full_name().into(),
        guarded: Arc::new(own_files::guarded(&config)),
        reserved_names: Arc::new(reserved_names(&config)),
        http_trust: config.runtime.http_roots.clone().unwrap_or_default(),
        ..Profile::default()
    };
    let tree = Tree {
        natives: Arc::new(natives),
        guests: &guests,
        profile,
        state: &state,
    };
    let root = match tree.start(&config).await {
        Ok(root) => root,
        Err(error) => {
            node.stop().await;
            return Err(error);
        }
    };
    let maintenance = Begin {
        config: &config,
        state,
        modules: guests.modules(),
        server: &node.server,
        root: &root,
        listener,
    };
    let maintenance = match maintenance.begin().await {
        Ok(maintenance) => maintenance,
        Err(error) => {
            stop_actors(root).await;
            node.stop().await;
            return Err(error);
        }
    };
    // From now on what an actor answers is kept when a signal comes.
    node.open();
    let dial = dialling(&config.node);
    for peer in &config.node.peers {
        // A node that has ended by now is found out right below.
        drop(add_peer(&node.server, dial.peer(peer)));
    }
    let name = config.node.full_name();
    let actors = started(&config.actors, &root);
    tracing::info!(node = name, listen = %node.address, actors = actors.len(), "node is up");
    Ok(RunningHost {
        name,
        node,
        root,
        actors,
        modules: guests.modules().clone(),
        maintenance,
    })
}

/// The names that a guest could otherwise take while their actors are started again.
pub(super) fn reserved_names(config: &NodeConfig) -> ReservedNames {
    let mut names = ReservedNames::default();
    for actor in &config.actors {
        names.add(&actor.name, actor.count);
    }
    names
}

/// The actors that were started, in the order of the file.
fn started(sections: &[ActorSection], root: &Root) -> Vec<StartedActor> {
    let named = |section: &ActorSection| {
        let code = section.code.clone();
        section
            .names()
            .map(move |name| (name, code.clone()))
            .collect::<Vec<_>>()
    };
    let actors = sections.iter().flat_map(named);
    actors
        .filter_map(|(name, code)| {
            let cell = root.find(&name)?;
            Some(StartedActor { name, code, cell })
        })
        .collect()
}

/// How the node dials its peers.
fn dialling(section: &NodeSection) -> Dial {
    match &section.tls {
        None => Dial::Plain,
        Some(section) => Dial::Tls {
            tls: section.tls.clone(),
            name: section.server_name.clone(),
        },
    }
}

/// A configuration that was checked for another host is found out before anything starts.
pub(super) fn check_natives(config: &NodeConfig, natives: &BTreeMap<String, Native>) -> Result<(), HostError> {
    for actor in &config.actors {
        if let Code::Native(native) = &actor.code
            && !natives.contains_key(native)
        {
            return Err(unknown(&actor.name, actor));
        }
    }
    Ok(())
}

/// The node server, listening.
pub(super) struct Node {
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) ended: JoinHandle<()>,
    pub(super) address: SocketAddr,
    /// True from when connections are accepted.
    gate: watch::Sender<bool>,
    /// Reloads the certificates that were replaced.
    _certificates: Option<CertificateReload>,
}

impl Node {
    /// Accepts connections from now on. Those that were opened before have waited for this.
    fn open(&self) {
        self.gate.send_replace(true);
    }

    /// Has its address, and accepts nothing yet.
    async fn listen(section: &NodeSection) -> Result<Self, HostError> {
        let failed = |reason| HostError::Listen {
            address: section.listen,
            reason,
        };
        let encryption = match &section.tls {
            Some(section) => Some(IncomingEncryptionMode::Tls(section.tls.acceptor(section.client_auth)?)),
            None => None,
        };
        let gate = watch::Sender::new(false);
        let server = NodeServer::new(
            section.listen.port(),
            section.cookie.expose().to_owned(),
            section.name.clone(),
            section.hostname.clone(),
            encryption,
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(section.listen.ip())
        .with_stand_in_names(section.stand_in_names)
        .with_stock_peers(section.stock_peers)
        .with_peer_limits(section.limits)
        .with_gate(gate.subscribe());
        let (server, ended) = Actor::spawn(None, server, ())
            .await
            .map_err(|error| failed(startup_reason(&error)))?;
        match listen_addr(&server).await {
            Some(address) => Ok(Self {
                server,
                ended,
                address,
                gate,
                _certificates: section
                    .tls
                    .as_ref()
                    .map(|section| section.tls.reload_on_change(CERTIFICATES)),
            }),
            None => Err(failed("the node server ended at once".to_owned())),
        }
    }
}
