//! A host that is up, and taking it down.

use std::net::SocketAddr;
use std::sync::Arc;

use ractor::{ActorCell, ActorRef};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::admin::AdminHttp;
use super::apply::Applier;
use super::cluster::Cluster;
use super::error::HostError;
use super::exported_metrics::ExportedMetrics;
use super::maintenance::Maintenance;
use super::node::ListeningNode;
use super::signals::{Signals, StopSignal};
use super::stopping::{DRAIN, StopStep, Stopping};
use crate::config::Code;
use crate::directory;
use crate::events::NodeEvent;
use crate::guest::Modules;
use crate::metrics::Collector;
use crate::node::NodeServerMessage;
use crate::supervision::{GivenUp, Readiness, Root};

/// A host that is up. It goes on when this is dropped; [`shutdown`](Self::shutdown) ends it.
pub struct RunningHost {
    pub(super) name: String,
    pub(super) node: ListeningNode,
    /// The node in its cluster, if node.toml names one.
    pub(super) cluster: Option<Cluster>,
    pub(super) root: Root,
    pub(super) actors: Vec<StartedActor>,
    pub(super) modules: Modules,
    pub(super) maintenance: Maintenance,
    pub(super) admin: Option<AdminHttp>,
    pub(super) _exported_metrics: Option<ExportedMetrics>,
}

/// An actor that was started because node.toml has it.
#[derive(Clone, Debug)]
pub struct StartedActor {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub code: Code,
    /// The actor, as it was when the host had started. A guest that is restarted stays the same actor; a native one is
    /// another: see [`current`](Self::current).
    pub cell: ActorCell,
}

impl StartedActor {
    /// The actor that has the name now, if any.
    pub fn current(&self) -> Option<ActorCell> {
        directory::where_is(&self.name)
    }
}

/// How a host came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// A signal came, and everything was stopped in order.
    InOrder(StopSignal),
    /// A signal came, and everything was stopped in order, but for the last states of these actors, by name: they could not be
    /// kept. The actors go on from older ones.
    Unkept(StopSignal, Vec<String>),
    /// An operator asked for it (`ractor-host drain`), and everything was stopped in order, but for the last states of these actors, by
    /// name.
    OnRequest(Vec<String>),
    /// A signal came during the start, or a second one, so the node did not wait for anything. The process should exit.
    AtOnce(StopSignal),
}

impl RunningHost {
    /// The full name of the node: `name@hostname`.
    pub fn node_name(&self) -> &str {
        &self.name
    }

    /// The actor of the node, for `client_connect` and all else that ractor_cluster's API does with it.
    pub fn node_server(&self) -> &ActorRef<NodeServerMessage> {
        &self.node.server
    }

    /// Where other nodes reach this one. Has the actual port.
    pub fn listen_addr(&self) -> SocketAddr {
        self.node.address
    }

    /// What brings the metrics of the node up to date that are read and not counted.
    pub fn collector(&self) -> Collector {
        Collector::new(self.maintenance.service())
    }

    /// Where the admin HTTP listens, with the actual port. None if node.toml has no `[admin]`.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminHttp::address)
    }

    /// The same as a URL.
    pub fn admin_url(&self) -> Option<String> {
        self.admin.as_ref().map(AdminHttp::url)
    }

    /// The actors that were started, in the order of the file. They may have ended since.
    pub fn actors(&self) -> &[StartedActor] {
        &self.actors
    }

    /// The modules of the node, to reload them: see [`supervision::reload`](crate::supervision::reload).
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// The supervisor that the actors are linked to.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Whether the actors of node.toml are there, or which have been given up. The log says it too, once for each.
    pub fn readiness(&self) -> Readiness {
        self.root.readiness()
    }

    /// Waits until an actor is given up that the node can't do without: one that is `essential` in node.toml, or a native and
    /// permanent one if `on_give_up` says nothing else. [`run`](super::HostBuilder::run) stops the node then; a program that has
    /// [started](super::HostBuilder::start) the host decides for itself.
    pub async fn essential_given_up(&self) -> GivenUp {
        self.root.essential_given_up().await
    }

    /// Stops everything: no new connections to peers, then the actors once they have handled what they were sent, those
    /// that were started last first, then the entities, then the sessions and the listener. Actors that have not ended after ten seconds are
    /// killed; entities have what is left of that time, and five seconds at least. Nothing is restarted any more. At last what the actors knew is written; while the disk doesn't take it, this is
    /// tried until ten seconds have passed without a success. Gives the actors whose last state could not be kept, by name.
    pub async fn shutdown(self) -> Vec<String> {
        let Self {
            name,
            node,
            cluster,
            root,
            maintenance,
            admin,
            ..
        } = self;
        let unkept = stop((Some(node), cluster), root, maintenance, admin).await;
        tracing::info!(node = name, "node is down");
        unkept
    }

    /// Runs until a signal comes, an actor is given up that the node can't do without, or the node ends by itself.
    pub(super) async fn until_signal(mut self, mut signals: Signals) -> Result<Stopped, HostError> {
        let mut readiness_watch = self.root.readiness_watch().clone();
        let leaving = self.maintenance.leaving().clone();
        let _rereads = Rereads::begin(signals.reread(), self.maintenance.applier());
        // Whatever comes first decides the exit code.
        let first = tokio::select! {
            signal = signals.next() => signal,
            () = leaving.asked() => return Ok(self.end_on_request(signals).await),
            given_up = readiness_watch.essential() => return self.end_for(given_up, signals).await,
            _ = &mut self.node.ended => {
                tracing::error!("the node server ended by itself");
                stop((None, self.cluster), self.root, self.maintenance, self.admin).await;
                return Err(HostError::NodeEnded);
            }
        };
        tracing::info!(signal = %first, "stopping; a second signal stops at once");
        // A stop may take longer than the person at the terminal wants to wait for.
        tokio::select! {
            unkept = self.shutdown() => Ok(if unkept.is_empty() {
                Stopped::InOrder(first)
            } else {
                Stopped::Unkept(first, unkept)
            }),
            second = signals.next_in_earnest() => Ok(Stopped::AtOnce(second)),
        }
    }

    /// Stops in order because an operator wants it. A signal that asks for the same meanwhile, such as that of a service manager,
    /// changes nothing, but a second one does.
    async fn end_on_request(self, mut signals: Signals) -> Stopped {
        tracing::info!("stopping, because an operator has asked for it");
        tokio::select! {
            unkept = self.shutdown() => Stopped::OnRequest(unkept),
            signal = insistence(&mut signals) => Stopped::AtOnce(signal),
        }
    }

    /// Stops in order because of an actor that was given up. A signal that asks for the same meanwhile changes nothing, but a
    /// second one does.
    async fn end_for(self, given_up: GivenUp, mut signals: Signals) -> Result<Stopped, HostError> {
        tracing::error!(
            actor = &*given_up.actor,
            "stopping, because an essential actor was given up"
        );
        tokio::select! {
            // The log says whose states were not kept.
            _ = self.shutdown() => Err(HostError::GivenUp(given_up)),
            signal = insistence(&mut signals) => Ok(Stopped::AtOnce(signal)),
        }
    }
}

/// Applies node.toml whenever a signal asks for it, until this is dropped. What is under way then goes no further.
struct Rereads(AbortHandle);

impl Rereads {
    fn begin(wanted: Arc<Notify>, applier: Arc<Applier>) -> Self {
        let again_and_again = async move {
            loop {
                wanted.notified().await;
                applier.apply_and_log().await;
            }
        };
        Self(tokio::spawn(again_and_again).abort_handle())
    }
}

impl Drop for Rereads {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The second signal of somebody, who wants no more than to stop with the first.
async fn insistence(signals: &mut Signals) -> StopSignal {
    let signal = signals.next().await;
    tracing::info!(%signal, "the node is stopping already; another signal stops at once");
    signals.next_in_earnest().await
}

impl std::fmt::Debug for RunningHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningHost")
            .field("name", &self.name)
            .field("listen", &self.node.address)
            .finish()
    }
}

/// Takes everything down, in the order that [`Stopping`] says. Without a node, it has ended by itself. Gives the actors whose last
/// state could not be kept, by name.
async fn stop(
    (mut node, cluster): (Option<ListeningNode>, Option<Cluster>),
    root: Root,
    mut maintenance: Maintenance,
    admin: Option<AdminHttp>,
) -> Vec<String> {
    let now = || Instant::now().into_std();
    let mut stopping = Stopping::default();
    let mut root = Some(root);
    let (mut unkept, mut unkept_entities) = (Vec::new(), Vec::new());
    while let Some(step) = stopping.poll_step(now()) {
        match step {
            StopStep::Quiesce => {
                if let Some(root) = &root {
                    root.events().tell(NodeEvent::NodeLeaves);
                }
                // First, so that whoever sends work here looks elsewhere by the time that the actors go.
                if let Some(admin) = &admin {
                    admin.drain();
                }
                // Before anybody ends: no new code, no watched file and no new peer is to find actors that are going. The writer is told
                // now which actors live, since it waits for a last state of each of them.
                maintenance.quiesce();
                let leaves = async {
                    if let Some(cluster) = &cluster {
                        cluster.leave().await;
                    }
                };
                let quiesces = async {
                    if let Some(node) = &node {
                        node.quiesce().await;
                    }
                };
                tokio::join!(leaves, quiesces);
            }
            StopStep::Leave => {
                if let Some(node) = &node {
                    node.leave().await;
                }
            }
            StopStep::Drain => {
                let begun = Instant::now();
                // The sessions are still up: what actors send and answer on their way out reaches its peers.
                if let Some(root) = root.take() {
                    drain(root, &maintenance, &mut stopping).await;
                }
                // After the others, which may speak to entities until they end.
                unkept_entities = maintenance.end_entities(begun.elapsed()).await;
            }
            // It comes while actors drain.
            StopStep::LastCall => continue,
            // After the actors, each of which may have brought its last state at its very end.
            StopStep::Write => unkept = maintenance.finish().await,
            StopStep::Close => {
                // Last: what the actors sent on their way out may still wait for the peers.
                if let Some(node) = node.take() {
                    node.stop().await;
                }
            }
        }
        stopping.handle_done();
    }
    unkept.append(&mut unkept_entities);
    // Until now it could be asked how far the stop is.
    if let Some(admin) = admin {
        admin.close().await;
    }
    if !unkept.is_empty() {
        let actors = unkept.join(", ");
        tracing::error!(
            actors,
            "the last states of these actors could not be kept: when they start again they go on from older ones"
        );
    }
    unkept
}

/// Stops the actors. Shortly before those that still work are killed, their states are taken once more: what they have done since
/// the last checkpoint is not to be lost with what they have not.
async fn drain(root: Root, maintenance: &Maintenance, stopping: &mut Stopping) {
    let last_calls = async {
        while let Some(at) = stopping.poll_timeout() {
            tokio::time::sleep_until(Instant::from_std(at)).await;
            if stopping.poll_step(Instant::now().into_std()) == Some(StopStep::LastCall) {
                maintenance.last_call().await;
            }
        }
        // The end of the actors alone decides when this is over.
        std::future::pending::<()>().await;
    };
    // Once the actors have ended nobody is left to answer, so a last call that is under way may end with them.
    tokio::select! {
        () = stop_actors(root) => {}
        () = last_calls => {}
    }
}

/// Lets every actor handle what it was sent, then stops it, those that were started last first; kills those that take too
/// long. Then the supervisors.
pub(super) async fn stop_actors(root: Root) {
    if let Err(error) = root.drain("the host is stopping", DRAIN).await {
        tracing::warn!(%error, "the supervisor did not stop");
    }
}
