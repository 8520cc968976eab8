//! A node for tests, which has nothing and does nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Service;
use crate::control::{
    ActorDetail, ActorRow, ApplyReport, Asker, CheckpointRow, ClusterRow, Delivered, Delivery, Described, EndedLink,
    EntityTypeRow, GroupRow, LevelChange, LinkRow, ListedEntities, LogLevels, LogLines, LogQuery, NodeFigures,
    NodeLinks, NodeStatus, NotSent, OtherNode, Reply, RequestId, SendFault, Sending, SpawnedActor, Spawning, Steer,
    SteeredActor, StoppedActor, TraceBegun, TraceQuery, TraceStart, TracedEvents, WentBack, WriterRow,
};
use crate::directory::BoxFuture;
use crate::events::{EventPage, EventQuery};
use crate::guest::Digest;
use crate::supervision::reload::{Reload, ReloadReport};

/// See the module. What it is asked to do fails, and says that it was asked.
pub(crate) struct Idle {
    /// Its full name.
    pub(crate) node: &'static str,
}

fn refused<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, String>> {
    Box::pin(async { Err("it was asked".to_owned()) })
}

impl Service for Idle {
    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        Box::pin(async {
            NodeStatus {
                node: self.node.to_owned(),
                ready: true,
                given_up: Vec::new(),
                missing_peers: Vec::new(),
                not_joined: None,
                stopped: Vec::new(),
                leaving: false,
                modules: Vec::new(),
            }
        })
    }

    fn actors(&self) -> Vec<ActorRow> {
        Vec::new()
    }

    fn groups(&self) -> Vec<GroupRow> {
        Vec::new()
    }

    fn entities(&self) -> BoxFuture<'_, Result<Vec<EntityTypeRow>, String>> {
        refused()
    }

    fn writer(&self) -> Option<WriterRow> {
        None
    }

    fn cluster(&self) -> Option<ClusterRow> {
        None
    }

    fn entity_figures(&self) -> Vec<EntityTypeRow> {
        Vec::new()
    }

    fn entity_keys(&self, _: String, _: Option<String>, _: u32) -> BoxFuture<'_, Result<ListedEntities, String>> {
        refused()
    }

    fn delete_entity(&self, _: String) -> BoxFuture<'_, Result<String, String>> {
        refused()
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn reload(&self, _: Reload) -> BoxFuture<'_, Result<ReloadReport, String>> {
        refused()
    }

    fn rollback(&self, _: String, _: Option<Digest>) -> BoxFuture<'_, Result<ReloadReport, String>> {
        refused()
    }

    fn components(&self) -> BTreeSet<Digest> {
        BTreeSet::new()
    }

    fn steer(&self, _: Steer) -> BoxFuture<'_, Result<Vec<SteeredActor>, String>> {
        refused()
    }

    fn stopped(&self) -> BoxFuture<'_, Vec<StoppedActor>> {
        Box::pin(async { Vec::new() })
    }

    fn leave(&self) -> BoxFuture<'_, Result<(), String>> {
        refused()
    }

    fn log_levels(&self, _: Option<LevelChange>, _: Option<Duration>) -> BoxFuture<'_, Result<LogLevels, String>> {
        refused()
    }

    fn logs(&self, _: LogQuery) -> BoxFuture<'_, Result<LogLines, String>> {
        refused()
    }

    fn figures(&self) -> BoxFuture<'_, NodeFigures> {
        Box::pin(async { NodeFigures::default() })
    }

    fn cluster_links(&self) -> BoxFuture<'_, Result<Vec<NodeLinks>, String>> {
        Box::pin(async {
            // As long as it takes if another node doesn't answer.
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(Vec::new())
        })
    }

    fn ended_links(&self, since: u64) -> (Vec<EndedLink>, u64) {
        (Vec::new(), since)
    }

    fn links(&self) -> BoxFuture<'_, Result<Vec<LinkRow>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn show(&self, _: String) -> BoxFuture<'_, Result<ActorDetail, String>> {
        refused()
    }

    fn call(&self, _: Sending) -> BoxFuture<'_, Result<Reply, NotSent>> {
        Box::pin(async { Err(SendFault::NoTarget.because("it was asked")) })
    }

    fn cast(&self, _: Sending) -> BoxFuture<'_, Result<usize, NotSent>> {
        Box::pin(async { Ok(0) })
    }

    fn describe(&self, _: String, _: Duration) -> BoxFuture<'_, Result<Described, NotSent>> {
        Box::pin(async { Err(SendFault::NoTarget.because("it was asked")) })
    }

    fn deliver(&self, _: Delivery, _: Vec<u8>) -> BoxFuture<'_, Result<Delivered, NotSent>> {
        Box::pin(async { Err(SendFault::NoTarget.because("it was asked")) })
    }

    fn apply(&self, _: bool) -> BoxFuture<'_, Result<ApplyReport, String>> {
        refused()
    }

    fn begin_trace(&self, _: TraceStart, _: Asker) -> BoxFuture<'_, Result<TraceBegun, String>> {
        refused()
    }

    fn end_trace(&self, _: RequestId) -> Result<(), String> {
        Err("it was asked".to_owned())
    }

    fn trace(&self, _: TraceQuery) -> BoxFuture<'_, Result<TracedEvents, String>> {
        refused()
    }

    fn checkpoints(&self, _: String) -> BoxFuture<'_, Result<Vec<CheckpointRow>, String>> {
        refused()
    }

    fn go_back(&self, _: String, _: Option<u64>) -> BoxFuture<'_, Result<WentBack, String>> {
        refused()
    }

    fn spawn(&self, _: Spawning) -> BoxFuture<'_, Result<SpawnedActor, String>> {
        refused()
    }

    fn events(&self, query: EventQuery) -> BoxFuture<'_, EventPage> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(query.wait_ms)).await;
            EventPage::default()
        })
    }
}
