//! What the control actor has done: asking the node how it is, and having it reload.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::ActorRef;

use super::actors;
use super::apply::Applier;
use super::calls;
use super::cluster_links::ClusterLinks;
use super::deliveries;
use super::ended_links::EndedLinks;
use super::entities::NodeEntities;
use super::error::{HostError, startup_reason};
use super::groups;
use super::kept_states::ListedStates;
use super::lately::LatelyWindow;
use super::leaving::Leaving;
use super::links;
use super::logs;
use super::reloader::Reloader;
use super::spawning::Spawner;
use super::steering;
use super::traces::Traces;
use crate::NodeId;
use crate::config::ControlSection;
use crate::control::{
    self, ActorDetail, ActorRow, ActorStatus, ApplyReport, Asker, CONTROL, CheckpointRow, ClusterRow, ControlKey,
    ControlKeys, ControlSetup, Delivered, Delivery, Described, EndedLink, EntityTypeRow, GivenUpStatus, GroupRow,
    LevelChange, LinkRow, ListedEntities, LogLevels, LogLines, LogQuery, ModuleStatus, NodeFigures, NodeLinks,
    NodeStatus, NotSent, OtherNode, Reply, RequestId, RequestWorker, RestartGuard, Role, Sending, Service,
    SpawnedActor, Spawning, Steer, SteeredActor, StoppedActor, TraceBegun, TraceQuery, TraceStart, TracedEvents,
    WentBack, WriterRow,
};
use crate::directory::{self, BoxFuture};
use crate::events::{EventHistory, EventPage, EventQuery};
use crate::guest::{CheckpointWriter, Digest, Module, Modules};
use crate::node::{NodeServerMessage, NodeServerSessionInformation};
use crate::supervision::reload::{Reload, ReloadReport};
use crate::supervision::{ReadinessWatch, Root, Steering, StoppedChild};

/// The most actors of a module that a status lists.
const ACTORS_LISTED: usize = 1000;

/// The longest that finding another node's control actor may take.
const LOOKUP: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct NodeService {
    /// The node's full name.
    pub(super) node: String,
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) modules: Modules,
    pub(super) readiness: ReadinessWatch,
    /// The full names of the nodes without whose sessions this one is not ready.
    pub(super) required_peers: Vec<String>,
    pub(super) reloader: Arc<Reloader>,
    pub(super) applier: Arc<Applier>,
    pub(super) steering: Steering,
    pub(super) leaving: Leaving,
    pub(super) writer: Option<CheckpointWriter>,
    /// When the node came up.
    pub(super) begun: Instant,
    pub(super) lately: LatelyWindow,
    pub(super) traces: Traces,
    pub(super) ended_links: EndedLinks,
    pub(super) cluster_links: ClusterLinks,
    pub(super) spawner: Arc<Spawner>,
    pub(super) listed: ListedStates,
    pub(super) events: EventHistory,
    pub(super) entities: NodeEntities,
}

impl ControlSection {
    /// Each key with its role.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (Role, ControlKey)> {
        self.keys.iter().map(|entry| (entry.role, entry.key.clone()))
    }

    /// Starts the control actor below the root, which it ends with.
    ///
    /// # Errors
    /// Its name is taken.
    pub(super) async fn start(
        &self,
        keys: ControlKeys,
        node: String,
        worker: Arc<RequestWorker>,
        root: &Root,
    ) -> Result<RestartGuard, HostError> {
        let started = control::start(ControlSetup { keys, node, worker }, root.cell().clone()).await;
        started.map_err(|error| HostError::Control(startup_reason(&error)))
    }
}

impl NodeService {
    /// The sessions that there are, by the numbers of these.
    pub(super) async fn sessions(&self) -> Result<HashMap<NodeId, NodeServerSessionInformation>, String> {
        let sessions = self.server.call(NodeServerMessage::GetSessions, None).await;
        let sessions = sessions.map_err(|error| error.to_string())?;
        Ok(sessions.success_or("the node is going down")?)
    }

    /// The required peers that there is no session with; all of them if nobody says which sessions there are.
    async fn missing_peers(&self) -> Vec<String> {
        if self.required_peers.is_empty() {
            return Vec::new();
        }
        let sessions = self.sessions().await.unwrap_or_default();
        let is_there = |name: &&String| {
            let mut peers = sessions.values().filter_map(|session| session.peer_name.as_ref());
            peers.any(|peer| peer.name == **name)
        };
        let missing = self.required_peers.iter().filter(|name| !is_there(name));
        missing.cloned().collect()
    }

    /// Whether the actors of node.toml, the required peers and the cluster are there, and the node takes work.
    pub(super) async fn is_ready(&self) -> bool {
        self.takes_work() && self.missing_peers().await.is_empty()
    }

    fn takes_work(&self) -> bool {
        let is_joined = self.entities.not_joined().is_none();
        is_joined && self.readiness.readiness().is_ready() && !self.leaving.is_wanted()
    }

    async fn module_status(&self, module: &Module) -> ModuleStatus {
        let name = module.name().to_owned();
        let described = module.contract().await;
        let guests = self.modules.guests(&name);
        let previous = self.modules.previous(&name);
        ModuleStatus {
            path: module.path().display().to_string(),
            digest: module.digest().to_string(),
            version: described.as_ref().map(|described| described.version.clone()),
            state_version: described.as_ref().map(|described| described.state_version),
            reloadable: module.is_reloadable(),
            previous: previous.iter().map(|version| version.digest().to_string()).collect(),
            actors: guests.len(),
            first: guests
                .iter()
                .take(ACTORS_LISTED)
                .map(|guest| ActorStatus {
                    name: guest.name(),
                    pid: guest.pid(),
                    digest: guest.module().digest().to_string(),
                    waiting: guest.waiting(),
                })
                .collect(),
            name,
        }
    }
}

impl Service for NodeService {
    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        Box::pin(async {
            let mut modules = Vec::new();
            for module in self.modules.names().iter().filter_map(|name| self.modules.find(name)) {
                modules.push(self.module_status(&module).await);
            }
            let missing_peers = self.missing_peers().await;
            let readiness = self.readiness.readiness();
            let missing = readiness.given_up().iter();
            NodeStatus {
                node: self.node.clone(),
                ready: self.takes_work() && missing_peers.is_empty(),
                missing_peers,
                not_joined: self.entities.not_joined(),
                leaving: self.leaving.is_wanted(),
                given_up: missing
                    .take(ACTORS_LISTED)
                    .map(|given_up| GivenUpStatus {
                        actor: given_up.actor.to_string(),
                        supervisor: given_up.supervisor.to_string(),
                        reason: given_up.reason.to_string(),
                    })
                    .collect(),
                stopped: self.steering.stopped().into_iter().map(stopped_actor).collect(),
                modules,
            }
        })
    }

    fn actors(&self) -> Vec<ActorRow> {
        let guests = self.modules.all_guests();
        self.modules.look_at_memory_of(&guests);
        let mut rows = actors::of(guests);
        let guests = rows.iter_mut();
        self.lately
            .of_guests(guests.filter_map(|row| Some((row.pid, row.figures.as_mut()?))));
        rows
    }

    fn entities(&self) -> BoxFuture<'_, Result<Vec<EntityTypeRow>, String>> {
        Box::pin(self.entities.rows())
    }

    fn writer(&self) -> Option<WriterRow> {
        self.entities.writer()
    }

    fn cluster(&self) -> Option<ClusterRow> {
        self.entities.cluster()
    }

    fn entity_figures(&self) -> Vec<EntityTypeRow> {
        self.entities.figures()
    }

    fn entity_keys(
        &self,
        entity_type: String,
        after: Option<String>,
        most: u32,
    ) -> BoxFuture<'_, Result<ListedEntities, String>> {
        Box::pin(async move { self.entities.listed(&entity_type, after.as_deref(), most).await })
    }

    fn delete_entity(&self, entity: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move { self.entities.delete(&entity).await })
    }

    fn groups(&self) -> Vec<GroupRow> {
        groups::all()
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>> {
        Box::pin(async {
            let sessions = self.sessions().await?;
            let peers = sessions.into_values().filter_map(|session| session.peer_name);
            // At the same time, and each has a time of its own: peers that don't answer hide none of the others, and take no longer
            // together than one of them.
            let asked = peers.map(async |peer| {
                let name = format!("{CONTROL}@{}", peer.name);
                let found = tokio::time::timeout(LOOKUP, directory::find(&name)).await;
                OtherNode {
                    control: matches!(found, Ok(Some(_))),
                    name: peer.name,
                    address: peer.connection_string,
                }
            });
            let mut nodes = futures_util::future::join_all(asked).await;
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(nodes)
        })
    }

    fn reload(&self, reload: Reload) -> BoxFuture<'_, Result<ReloadReport, String>> {
        Box::pin(self.reloader.reload(reload))
    }

    fn rollback(&self, module: String, planned: Option<Digest>) -> BoxFuture<'_, Result<ReloadReport, String>> {
        Box::pin(self.reloader.rollback(module, planned))
    }

    fn components(&self) -> BTreeSet<Digest> {
        self.reloader.components()
    }

    fn steer(&self, steer: Steer) -> BoxFuture<'_, Result<Vec<SteeredActor>, String>> {
        Box::pin(async move { steering::steer(&self.steering, &self.modules, &steer).await })
    }

    fn stopped(&self) -> BoxFuture<'_, Vec<StoppedActor>> {
        Box::pin(async { self.steering.stopped().into_iter().map(stopped_actor).collect() })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.leaving.ask() })
    }

    fn log_levels(
        &self,
        change: Option<LevelChange>,
        passing: Option<Duration>,
    ) -> BoxFuture<'_, Result<LogLevels, String>> {
        Box::pin(async move { logs::levels(change, passing) })
    }

    fn logs(&self, query: LogQuery) -> BoxFuture<'_, Result<LogLines, String>> {
        Box::pin(logs::lines(&self.steering, &self.modules, query))
    }

    fn figures(&self) -> BoxFuture<'_, NodeFigures> {
        Box::pin(self.node_figures())
    }

    fn cluster_links(&self) -> BoxFuture<'_, Result<Vec<NodeLinks>, String>> {
        Box::pin(self.cluster_links.read(&self.server))
    }

    fn ended_links(&self, since: u64) -> (Vec<EndedLink>, u64) {
        self.ended_links.since(since)
    }

    fn links(&self) -> BoxFuture<'_, Result<Vec<LinkRow>, String>> {
        Box::pin(async {
            let mut rows = links::all(&self.server).await?;
            for row in &mut rows {
                if let Some(figures) = &mut row.figures {
                    self.lately.of_link(row.session, figures);
                }
            }
            Ok(rows)
        })
    }

    fn show(&self, target: String) -> BoxFuture<'_, Result<ActorDetail, String>> {
        Box::pin(async move { self.detail(&target).await })
    }

    fn call(&self, message: Sending) -> BoxFuture<'_, Result<Reply, NotSent>> {
        Box::pin(calls::call((&self.modules, &self.entities), message))
    }

    fn cast(&self, message: Sending) -> BoxFuture<'_, Result<usize, NotSent>> {
        Box::pin(calls::cast((&self.modules, &self.entities), message))
    }

    fn describe(&self, target: String, patience: Duration) -> BoxFuture<'_, Result<Described, NotSent>> {
        Box::pin(async move { deliveries::describe((&self.modules, &self.entities), target, patience).await })
    }

    fn deliver(&self, delivery: Delivery, arguments: Vec<u8>) -> BoxFuture<'_, Result<Delivered, NotSent>> {
        Box::pin(deliveries::deliver(
            (&self.modules, &self.entities),
            delivery,
            arguments,
        ))
    }

    fn apply(&self, dry_run: bool) -> BoxFuture<'_, Result<ApplyReport, String>> {
        let applier = self.applier.clone();
        // A task of its own: whoever asked may go away, and nothing is to be left half done.
        let applying = async move { tokio::spawn(async move { applier.apply(dry_run).await }).await };
        Box::pin(async { applying.await.unwrap_or_else(|ended| Err(ended.to_string())) })
    }

    fn begin_trace(&self, start: TraceStart, asker: Asker) -> BoxFuture<'_, Result<TraceBegun, String>> {
        Box::pin(self.traces.begin(&self.steering, &self.modules, start, asker))
    }

    fn end_trace(&self, trace: RequestId) -> Result<(), String> {
        self.traces.end(trace)
    }

    fn trace(&self, query: TraceQuery) -> BoxFuture<'_, Result<TracedEvents, String>> {
        Box::pin(self.traces.read(&self.modules, query))
    }

    fn checkpoints(&self, actor: String) -> BoxFuture<'_, Result<Vec<CheckpointRow>, String>> {
        Box::pin(async move { self.kept_states(&actor).await })
    }

    fn go_back(&self, actor: String, number: Option<u64>) -> BoxFuture<'_, Result<WentBack, String>> {
        Box::pin(async move { self.return_to(&actor, number).await })
    }

    fn spawn(&self, spawning: Spawning) -> BoxFuture<'_, Result<SpawnedActor, String>> {
        Box::pin(self.spawn_guest(spawning))
    }

    fn events(&self, query: EventQuery) -> BoxFuture<'_, EventPage> {
        Box::pin(self.events.read(query))
    }
}

fn stopped_actor(StoppedChild { name, supervisor }: StoppedChild) -> StoppedActor {
    StoppedActor {
        name: name.to_string(),
        supervisor: supervisor.to_string(),
    }
}
