//! Bringing a host up, step by step.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorRef, pg};

use super::dial::Dial;
use super::error::{HostError, startup_reason};
use super::guests::Guests;
use super::native::Native;
use super::running::{RunningHost, StartedActor};
use crate::IncomingEncryptionMode;
use crate::config::{ActorSection, Code, NodeConfig, NodeSection};
use crate::guest::{self, GuestOptions, Profile};
use crate::node::{NodeConnectionMode, NodeServer, NodeServerMessage, add_peer, listen_addr};
use crate::supervision::Root;
use crate::transport::tls::Watch;

/// How often it is looked whether certificates were replaced.
const CERTIFICATES: Duration = Duration::from_secs(10);

pub(super) async fn start(config: NodeConfig, natives: BTreeMap<String, Native>) -> Result<RunningHost, HostError> {
    check_natives(&config, &natives)?;
    let guests = Guests::load(&config).await?;
    let node = Node::listen(&config.node).await?;
    let root = match Root::start().await {
        Ok(root) => root,
        Err(error) => {
            node.stop().await;
            return Err(error.into());
        }
    };
    let starter = Starter {
        natives: &natives,
        guests: &guests,
        profile: Arc::new(Profile {
            node_name: config.node.full_name().into(),
            modules: guests.modules().clone(),
            ..Profile::default()
        }),
        supervisor: root.cell().clone(),
    };
    match starter.start_all(&config.actors).await {
        Ok(actors) => {
            let dial = dialling(&config.node);
            for peer in &config.node.peers {
                // A node that has ended by now is found out right below.
                drop(add_peer(&node.server, dial.peer(peer)));
            }
            let name = config.node.full_name();
            tracing::info!(node = name, listen = %node.address, actors = actors.len(), "node is up");
            Ok(RunningHost {
                name,
                node,
                root,
                actors,
            })
        }
        Err(error) => {
            super::running::stop_actors(root).await;
            node.stop().await;
            Err(error)
        }
    }
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
fn check_natives(config: &NodeConfig, natives: &BTreeMap<String, Native>) -> Result<(), HostError> {
    for actor in &config.actors {
        if let Code::Native(native) = &actor.code
            && !natives.contains_key(native)
        {
            return Err(unknown(&actor.name, actor));
        }
    }
    Ok(())
}

fn unknown(actor: &str, section: &ActorSection) -> HostError {
    HostError::Unknown {
        actor: actor.to_owned(),
        code: section.code.clone(),
    }
}

/// The node server, listening.
pub(super) struct Node {
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) ended: JoinHandle<()>,
    pub(super) address: SocketAddr,
    /// Reloads the certificates that were replaced.
    _certificates: Option<Watch>,
}

impl Node {
    async fn listen(section: &NodeSection) -> Result<Self, HostError> {
        let failed = |reason| HostError::Listen {
            address: section.listen,
            reason,
        };
        let encryption = match &section.tls {
            Some(section) => Some(IncomingEncryptionMode::Tls(section.tls.acceptor(section.client_auth)?)),
            None => None,
        };
        let server = NodeServer::new(
            section.listen.port(),
            section.cookie.expose().to_owned(),
            section.name.clone(),
            section.hostname.clone(),
            encryption,
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(section.listen.ip());
        let (server, ended) = Actor::spawn(None, server, ())
            .await
            .map_err(|error| failed(startup_reason(&error)))?;
        match listen_addr(&server).await {
            Some(address) => Ok(Self {
                server,
                ended,
                address,
                _certificates: section.tls.as_ref().map(|section| section.tls.watch(CERTIFICATES)),
            }),
            None => Err(failed("the node server ended at once".to_owned())),
        }
    }
}

/// Starts the actors of a configuration.
struct Starter<'a> {
    natives: &'a BTreeMap<String, Native>,
    guests: &'a Guests,
    profile: Arc<Profile>,
    supervisor: ActorCell,
}

impl Starter<'_> {
    /// One after the other, so that an actor finds those above it in the file.
    async fn start_all(&self, sections: &[ActorSection]) -> Result<Vec<StartedActor>, HostError> {
        let mut actors = Vec::new();
        for section in sections {
            for name in section.names() {
                let cell = match &section.code {
                    Code::Native(native) => self.start_native(&name, native, section).await?,
                    Code::Module(module) => self.start_guest(&name, module, section).await?,
                };
                actors.push(StartedActor {
                    name,
                    code: section.code.clone(),
                    cell,
                });
            }
        }
        Ok(actors)
    }

    async fn start_native(&self, actor: &str, native: &str, section: &ActorSection) -> Result<ActorCell, HostError> {
        let Some(factory) = self.natives.get(native) else {
            return Err(unknown(actor, section));
        };
        let started = factory
            .spawn(actor.to_owned(), &section.arguments, self.supervisor.clone())
            .await;
        let cell = started.map_err(|reason| HostError::Native {
            actor: actor.to_owned(),
            native: native.to_owned(),
            reason,
        })?;
        for group in &section.groups {
            pg::join(group.clone(), vec![cell.clone()]);
        }
        Ok(cell)
    }

    async fn start_guest(&self, actor: &str, module: &str, section: &ActorSection) -> Result<ActorCell, HostError> {
        let Some(loaded) = self.guests.module(module) else {
            return Err(unknown(actor, section));
        };
        let options = GuestOptions {
            name: Some(actor.to_owned()),
            arguments: section.arguments.clone(),
            groups: section.groups.clone(),
            profile: self.profile.clone(),
            ..GuestOptions::default()
        };
        match guest::spawn(&loaded, options, self.supervisor.clone()).await {
            Ok(guest) => Ok(guest.cell),
            Err(reason) => Err(HostError::Guest {
                actor: actor.to_owned(),
                module: module.to_owned(),
                reason: Box::new(reason),
            }),
        }
    }
}
