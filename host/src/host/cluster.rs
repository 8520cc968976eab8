//! The nodes of a cluster, found through its store, and the links to them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::dial::Dial;
use super::on_demand::OnDemandLinks;
use super::ownership::{Clustered, KnownTypes, NodeOwnership, told_events};
use super::stopping::DRAIN;
use crate::config::{ClusterLinks, ClusterSection, EntitySection, NodeConfig, PeerAddress};
use crate::node::{NodeServerMessage, add_peer, remove_peer};
use crate::postgres::{Identity, Membership, Seen, Store, StoreError, StoreTiming};

/// The longest time for the store to be told that the node leaves. After that others wait for the end of its lease.
const FAREWELL: Duration = Duration::from_secs(2);

/// The pause before the store is asked for its tables again. It doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);

/// The longest such pause.
const LONGEST: Duration = Duration::from_secs(10);

/// The store of a cluster as its section describes it.
pub(crate) fn store(section: &ClusterSection) -> Store {
    let timing = StoreTiming { lease: section.lease };
    Store::new(section.address.clone(), timing)
}

/// The node in its cluster. Dropping it ends the tasks, as a crash would.
pub(super) struct Cluster {
    membership: watch::Receiver<Option<Arc<Membership>>>,
    task: JoinHandle<()>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cluster {
    /// Begins to join the cluster of the file, if it names one. The store need not be there: actors and links don't wait for it.
    pub(super) fn start(
        config: &NodeConfig,
        server: ActorRef<NodeServerMessage>,
        entities: Option<Clustered>,
    ) -> Option<Self> {
        let section = config.cluster.clone()?;
        let (tell, membership) = watch::channel(None);
        let name: Arc<str> = config.node.full_name().into();
        let mesh = Mesh {
            server,
            name: name.clone(),
            dial: config.node.dial(),
            own: section.advertise.clone(),
            named: config.node.peers.clone(),
            dialled: BTreeSet::new(),
            twins: BTreeSet::new(),
        };
        let on_demand = match (section.links, &entities) {
            (ClusterLinks::OnDemand { idle }, Some(entities)) => Some(OnDemandLinks::new(
                (mesh.server.clone(), mesh.dial.clone()),
                entities.cluster.clone(),
                mesh.own.clone(),
                mesh.named.clone(),
                idle,
            )),
            (ClusterLinks::OnDemand { .. }, None) | (ClusterLinks::Mesh, _) => None,
        };
        let own_store = entities.as_ref().map(|entities| entities.store.clone());
        let store = own_store.unwrap_or_else(|| store(&section));
        let task = tokio::spawn(async move {
            prepare(&store).await;
            let sections = entities.as_ref().map_or(&[][..], |entities| &entities.types);
            let types = known_types(&store, sections).await;
            let identity = identity(name, &section, &types);
            let told = told_events(entities.as_ref().map(|entities| entities.runtime.clone()));
            let joined = Arc::new(Membership::start(store, identity, told));
            let seen = joined.seen();
            if let Some(Clustered {
                runtime,
                cluster,
                membership,
                ..
            }) = entities
            {
                // There was no store to read reminders from before.
                runtime.remind();
                membership.set(joined.clone());
                cluster.join(Arc::new(NodeOwnership::new(joined.clone(), types)));
            }
            tell.send_replace(Some(joined));
            match on_demand {
                Some(on_demand) => on_demand.follow(seen).await,
                None => mesh.follow(seen).await,
            }
        });
        Some(Self { membership, task })
    }

    /// Tells the store that the node leaves, so that others need not wait for its lease.
    pub(super) async fn leave(&self) {
        let membership = self.membership.borrow().clone();
        // Nobody is dialled any more: who leaves as well would be dialled for nothing.
        self.task.abort();
        if let Some(membership) = membership
            // Entities end, and write their states, before their shards are given away.
            && !membership.leave(FAREWELL + DRAIN).await
        {
            tracing::warn!(
                "the store of the cluster could not be told that this node leaves: others wait for the end of its lease"
            );
        }
    }
}

/// What others are told of this node.
fn identity(name: Arc<str>, section: &ClusterSection, types: &KnownTypes) -> Identity {
    let labels = section.labels.iter();
    Identity {
        name,
        address: section.advertise.to_string().into(),
        weight: 1,
        labels: labels
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
        types: types.own(),
        foreign: types.foreign(),
    }
}

/// Makes the tables if they aren't there, or waits until there is a store that has them.
async fn prepare(store: &Store) {
    let prepared = until_it_can(store, || store.prepare()).await;
    if prepared.before != prepared.now {
        let (before, now) = (prepared.before, prepared.now);
        tracing::info!(store = %store.address(), before, now, "the tables of the cluster's store are set up");
    }
}

/// The types of the cluster, once the store says what they are.
async fn known_types(store: &Store, sections: &[EntitySection]) -> KnownTypes {
    until_it_can(store, || KnownTypes::read(store, sections)).await
}

/// Asks the store until it answers, and says what is wrong until then.
async fn until_it_can<T, F>(store: &Store, ask: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = SHORTEST;
    let mut said = String::new();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                // Once, and again when something else is wrong.
                let error = error.to_string();
                if error != said {
                    tracing::error!(store = %store.address(), error, "the cluster can't be joined yet; this is tried again");
                    said = error;
                }
            }
        }
        // A part of it at random: a thousand nodes don't come back in the same moment.
        sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// Links to every node that the store lists.
struct Mesh {
    server: ActorRef<NodeServerMessage>,
    /// That of this node.
    name: Arc<str>,
    dial: Dial,
    own: PeerAddress,
    /// Those of node.toml, which are dialled in any case.
    named: Vec<PeerAddress>,
    dialled: BTreeSet<String>,
    /// The nodes of other names that say that they are where this one is.
    twins: BTreeSet<Arc<str>>,
}

impl Mesh {
    async fn follow(mut self, mut seen: watch::Receiver<Seen>) {
        loop {
            let own = self.own.to_string();
            let (listed, twins) = {
                let seen = seen.borrow_and_update();
                let others = || seen.members.iter().filter(|member| member.incarnation != seen.me);
                let twins = others().filter(|member| *member.address == *own && member.name != self.name);
                (
                    others()
                        .map(|member| member.address.to_string())
                        .collect::<BTreeSet<_>>(),
                    twins.map(|member| member.name.clone()).collect::<BTreeSet<_>>(),
                )
            };
            for name in twins.difference(&self.twins) {
                tracing::warn!(
                    name = &**name,
                    address = own,
                    "another node says that it is where this one is, and the two have no session: give one of them another `advertise`"
                );
            }
            self.twins = twins;
            self.dial(&listed);
            if seen.changed().await.is_err() {
                return;
            }
        }
    }

    /// Dials those that are new, and those no more that are gone. A session with one that is gone lives as long as it does.
    fn dial(&mut self, listed: &BTreeSet<String>) {
        let gone: Vec<_> = self.dialled.difference(listed).cloned().collect();
        for address in gone {
            let is_named = self.named.iter().any(|named| named.to_string() == address);
            if !is_named {
                // A node server that has ended by now is found out by whoever waits for it.
                drop(remove_peer(&self.server, &address));
            }
            self.dialled.remove(&address);
        }
        let new: Vec<_> = listed.difference(&self.dialled).cloned().collect();
        for text in new {
            let address = match text.parse::<PeerAddress>() {
                Ok(address) => address,
                Err(error) => {
                    tracing::warn!(%error, "a node of the cluster has no address that can be dialled");
                    self.dialled.insert(text);
                    continue;
                }
            };
            // An earlier life of this node, or one that says that it is where this one is.
            if address != self.own && !self.named.contains(&address) {
                drop(add_peer(&self.server, self.dial.peer(&address)));
            }
            self.dialled.insert(text);
        }
    }
}
