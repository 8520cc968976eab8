//! What the control actor has done: by whatever it is that runs the node.

use std::collections::BTreeSet;
use std::time::Duration;

use super::applying::ApplyReport;
use super::checkpoints::{CheckpointRow, WentBack};
use super::entities::{ClusterRow, EntityTypeRow, ListedEntities, WriterRow};
use super::figures::{ActorDetail, EndedLink, LinkRow, NodeFigures, NodeLinks};
use super::logs::{LevelChange, LogLevels, LogLines, LogQuery};
use super::message::{ActorRow, GroupRow, NodeStatus, OtherNode};
use super::request_id::RequestId;
use super::rooms::Asker;
use super::sending::{Delivered, Delivery, Described, NotSent, Reply, Sending};
use super::spawning::{SpawnedActor, Spawning};
use super::steering::{Steer, SteeredActor, StoppedActor};
use super::traces::{TraceBegun, TraceQuery, TraceStart, TracedEvents};
use crate::directory::BoxFuture;
use crate::events::{EventPage, EventQuery};
use crate::guest::Digest;
use crate::supervision::reload::{Reload, ReloadReport};

/// The node behind its control actor. Whatever fails, fails with a reason for people.
pub(crate) trait Service: Send + Sync + 'static {
    /// What runs here.
    fn status(&self) -> BoxFuture<'_, NodeStatus>;

    /// All actors of the process, those of other nodes excepted. Blocks while it collects them.
    fn actors(&self) -> Vec<ActorRow>;

    /// The process groups with members that are known here. Blocks while it collects them.
    fn groups(&self) -> Vec<GroupRow>;

    /// The types of entities, with what they have done.
    fn entities(&self) -> BoxFuture<'_, Result<Vec<EntityTypeRow>, String>>;

    /// The same without their states: nothing is asked of the store.
    fn entity_figures(&self) -> Vec<EntityTypeRow>;

    /// What was written of the entities, if the node has any.
    fn writer(&self) -> Option<WriterRow>;

    /// What the node knows of its cluster, if it is in one that has a store.
    fn cluster(&self) -> Option<ClusterRow>;

    /// At most so many entities of a type that have states, after this one.
    fn entity_keys(
        &self,
        entity_type: String,
        after: Option<String>,
        most: u32,
    ) -> BoxFuture<'_, Result<ListedEntities, String>>;

    /// Gives up the state of an entity, and says whose.
    fn delete_entity(&self, entity: String) -> BoxFuture<'_, Result<String, String>>;

    /// The nodes that there are sessions with.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>>;

    /// Replaces the code of a module, by its own file if the reload names no other, and reports how that went.
    fn reload(&self, reload: Reload) -> BoxFuture<'_, Result<ReloadReport, String>>;

    /// Goes back to the version before, or to the kept one of this digest, and reports how that went.
    fn rollback(&self, module: String, planned: Option<Digest>) -> BoxFuture<'_, Result<ReloadReport, String>>;

    /// The components that are in use, or may be gone back to.
    fn components(&self) -> BTreeSet<Digest>;

    /// Stops, starts, kills or restarts actors, and says of each what became of it.
    fn steer(&self, steer: Steer) -> BoxFuture<'_, Result<Vec<SteeredActor>, String>>;

    /// What operators have stopped.
    fn stopped(&self) -> BoxFuture<'_, Vec<StoppedActor>>;

    /// Has the node stop in order, as at a signal.
    fn leave(&self) -> BoxFuture<'_, Result<(), String>>;

    /// What is logged, after a change if one is wanted: for good, or for this time.
    fn log_levels(
        &self,
        change: Option<LevelChange>,
        passing: Option<Duration>,
    ) -> BoxFuture<'_, Result<LogLevels, String>>;

    /// Lines of the log. If there is none, waits for one for a while.
    fn logs(&self, query: LogQuery) -> BoxFuture<'_, Result<LogLines, String>>;

    /// How the node is, in figures.
    fn figures(&self) -> BoxFuture<'_, NodeFigures>;

    /// What has passed over its links.
    fn links(&self) -> BoxFuture<'_, Result<Vec<LinkRow>, String>>;

    /// The links of all nodes that this one has sessions with, and its own first.
    fn cluster_links(&self) -> BoxFuture<'_, Result<Vec<NodeLinks>, String>>;

    /// What had passed over the links of the sessions that have ended since somebody was given this number, 0 at first, and the number for
    /// the next time. Blocks for no longer than a copy takes.
    fn ended_links(&self, since: u64) -> (Vec<EndedLink>, u64);

    /// Everything of the actor with this name, or with the pid of `pid:N`.
    fn show(&self, target: String) -> BoxFuture<'_, Result<ActorDetail, String>>;

    /// Sends a message to an actor, and waits for its reply.
    fn call(&self, message: Sending) -> BoxFuture<'_, Result<Reply, NotSent>>;

    /// Sends a message to an actor, or to all members of a group. Gives how many got it.
    fn cast(&self, message: Sending) -> BoxFuture<'_, Result<usize, NotSent>>;

    /// What the actor says of itself that this target stands for, if it does so within this time.
    fn describe(&self, target: String, patience: Duration) -> BoxFuture<'_, Result<Described, NotSent>>;

    /// Sends a message with these bytes as its arguments.
    fn deliver(&self, delivery: Delivery, arguments: Vec<u8>) -> BoxFuture<'_, Result<Delivered, NotSent>>;

    /// Reads node.toml anew and does what is different in it, or only says what that would be.
    fn apply(&self, dry_run: bool) -> BoxFuture<'_, Result<ApplyReport, String>>;

    /// Begins to trace actors.
    fn begin_trace(&self, start: TraceStart, asker: Asker) -> BoxFuture<'_, Result<TraceBegun, String>>;

    /// Ends a trace.
    fn end_trace(&self, trace: RequestId) -> Result<(), String>;

    /// What a trace has seen. If there is nothing, waits for it for a while.
    fn trace(&self, query: TraceQuery) -> BoxFuture<'_, Result<TracedEvents, String>>;

    /// The states of an actor that are kept, the newest first.
    fn checkpoints(&self, actor: String) -> BoxFuture<'_, Result<Vec<CheckpointRow>, String>>;

    /// Has an actor go back to a state that is kept: to the one of this number, or to the newest that is
    /// not what it knows now.
    fn go_back(&self, actor: String, number: Option<u64>) -> BoxFuture<'_, Result<WentBack, String>>;

    /// Starts another guest.
    fn spawn(&self, spawning: Spawning) -> BoxFuture<'_, Result<SpawnedActor, String>>;

    /// What happened lately. If there is nothing new, waits for it for a while.
    fn events(&self, query: EventQuery) -> BoxFuture<'_, EventPage>;
}

#[cfg(test)]
pub(crate) mod idle;
