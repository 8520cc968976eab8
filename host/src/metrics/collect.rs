//! Brings the metrics up to date that are read and not counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use metrics::{counter, gauge};

use super::text;
use crate::control::{
    ClusterRow, EndedLink, EntityTypeRow, LinkRow, LinkRowFigures, ModuleRow, NodeFigures, Service, Traffic, WriterRow,
    is_command,
};

/// The most names of peers that are ever labels. An exporter forgets none, and peers choose their names.
const MOST_PEERS: usize = 256;

/// The label of further peers.
const OTHER: &str = "other";

/// See the module. One for each exporter: it remembers what it has counted.
pub struct Collector {
    service: Arc<dyn Service>,
    /// Of each session what was counted, by its number.
    counted: HashMap<u64, LinkRowFigures>,
    /// The number of the first session to end that isn't counted in full yet.
    next_ended: u64,
    /// The peers that there ever was a session with, and whether there was one at the last look.
    peers: BTreeMap<String, bool>,
    /// The modules of the last look.
    modules: BTreeSet<String>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

/// What a look came to that the facade has no words for.
#[derive(Debug, Clone)]
pub struct Scrape {
    figures: NodeFigures,
}

impl Scrape {
    /// The metrics of [`Source::Text`](super::Source::Text), to be appended to what the exporter renders.
    pub fn text(&self) -> String {
        text::of(&self.figures)
    }
}

impl Collector {
    pub(crate) fn new(service: Arc<dyn Service>) -> Self {
        Self {
            service,
            counted: HashMap::new(),
            next_ended: 0,
            peers: BTreeMap::new(),
            modules: BTreeSet::new(),
        }
    }

    /// Brings the metrics up to date, through the recorder of this thread or of the program. Takes a second at most, if a session is
    /// busy; a millisecond otherwise.
    pub async fn collect(&mut self) -> Scrape {
        let links = self.service.links().await.unwrap_or_default();
        // Only now: a session that ends between the two is among both and counted once, and not among none.
        let (ended, next) = self.service.ended_links(self.next_ended);
        self.next_ended = next;
        let figures = self.service.figures().await;
        // A store that can't be read says so where entities are asked for.
        reminders(&self.service.entities().await.unwrap_or_default());
        self.record(&figures, &links, &ended);
        self.service.entity_figures().iter().for_each(entities);
        if let Some(row) = self.service.writer() {
            writer(&row);
        }
        if let Some(row) = self.service.cluster() {
            cluster(&row);
        }
        Scrape { figures }
    }

    fn record(&mut self, figures: &NodeFigures, links: &[LinkRow], ended: &[EndedLink]) {
        node(figures);
        self.modules(&figures.modules);
        self.links(links, ended);
    }

    fn modules(&mut self, rows: &[ModuleRow]) {
        rows.iter().for_each(module);
        let now: BTreeSet<String> = rows.iter().map(|row| row.module.clone()).collect();
        // An exporter goes on saying the last values of a module that node.toml has no more.
        for name in self.modules.difference(&now) {
            module_gauges(&ModuleRow {
                module: name.clone(),
                resident_bytes: Some(0),
                ..ModuleRow::default()
            });
        }
        self.modules = now;
    }

    /// Whether a peer is, or can be, counted under its own name.
    fn has_label(&self, peer: &str) -> bool {
        self.peers.len() < MOST_PEERS || self.peers.contains_key(peer)
    }

    fn links(&mut self, links: &[LinkRow], ended: &[EndedLink]) {
        self.peers.values_mut().for_each(|is_there| *is_there = false);
        let mut counted = HashMap::new();
        for link in links.iter().filter(|link| !is_command(&link.name)) {
            let has_name = self.has_label(&link.name);
            if has_name {
                self.peers.insert(link.name.clone(), true);
            }
            let before = self.counted.remove(&link.session).unwrap_or_default();
            match &link.figures {
                Some(figures) => {
                    if has_name {
                        link_gauges(&link.name, figures);
                    }
                    traffic(if has_name { &link.name } else { OTHER }, figures, &before);
                    counted.insert(link.session, figures.clone());
                }
                // It is counted when it says something again.
                None => drop(counted.insert(link.session, before)),
            }
        }
        for EndedLink { session, name, figures } in ended {
            let has_name = self.has_label(name);
            if has_name {
                self.peers.entry(name.clone()).or_insert(false);
            }
            let before = counted.remove(session).or_else(|| self.counted.remove(session));
            let label = if has_name { name } else { OTHER };
            traffic(label, figures, &before.unwrap_or_default());
        }
        self.counted = counted;
        for (peer, is_there) in &self.peers {
            gauge!("ractor_host_link_up", "peer" => peer.clone()).set(f64::from(u8::from(*is_there)));
            if !is_there {
                // An exporter goes on saying the last value otherwise.
                gauge!("ractor_host_link_round_trip_seconds", "peer" => peer.clone()).set(f64::NAN);
                gauge!("ractor_host_link_outbox_bytes", "peer" => peer.clone()).set(0.0);
            }
        }
    }
}

fn node(figures: &NodeFigures) {
    let process = &figures.process;
    gauge!("ractor_host_build_info", "version" => figures.version.clone()).set(1.0);
    gauge!("ractor_host_ready").set(f64::from(u8::from(figures.ready)));
    gauge!("ractor_host_uptime_seconds").set(seconds(figures.uptime_ms));
    gauge!("ractor_host_process_resident_bytes").set(number(process.resident_bytes));
    gauge!("ractor_host_process_threads").set(number(process.threads));
    gauge!("ractor_host_process_open_files").set(number(process.open_files));
    gauge!("ractor_host_runtime_workers").set(number(figures.workers));
    gauge!("ractor_host_sessions").set(number(figures.sessions));
    gauge!("ractor_host_pool_instances").set(number(figures.guests));
    if let Some(limit) = figures.guests_limit {
        gauge!("ractor_host_pool_instances_limit").set(number(limit));
    }
    let cache = &figures.compile_cache;
    counter!("ractor_host_compile_cache_requests_total", "result" => "hit").absolute(cache.hits);
    counter!("ractor_host_compile_cache_requests_total", "result" => "miss").absolute(cache.misses);
    if let Some(checkpoints) = &figures.checkpoints {
        counter!("ractor_host_checkpoints_written_total").absolute(checkpoints.written);
        counter!("ractor_host_checkpoint_bytes_total").absolute(checkpoints.bytes);
        counter!("ractor_host_checkpoint_failures_total").absolute(checkpoints.failed);
        gauge!("ractor_host_checkpoint_age_seconds").set(checkpoints.age_ms.map_or(f64::NAN, seconds));
    }
}

fn reminders(types: &[EntityTypeRow]) {
    for row in types {
        let outcomes = [
            ("fired", row.reminders_fired),
            ("failed", row.reminders_failed),
            ("given_up", row.reminders_given_up),
        ];
        for (outcome, count) in outcomes {
            let of = row.entity_type.clone();
            counter!("ractor_host_entity_reminders_total", "type" => of, "outcome" => outcome).absolute(count);
        }
    }
}

fn module_gauges(row: &ModuleRow) {
    let module = || row.module.clone();
    gauge!("ractor_host_guests", "module" => module()).set(number(row.guests));
    gauge!("ractor_host_guest_memory_bytes", "module" => module()).set(number(row.memory_bytes));
    let resident = row.resident_bytes.map_or(f64::NAN, number);
    gauge!("ractor_host_guest_resident_bytes", "module" => module()).set(resident);
    gauge!("ractor_host_guest_mailbox_messages", "module" => module()).set(number(row.waiting));
    gauge!("ractor_host_guest_mailbox_bytes", "module" => module()).set(number(row.waiting_bytes));
}

fn module(row: &ModuleRow) {
    module_gauges(row);
    let module = || row.module.clone();
    counter!("ractor_host_guest_messages_total", "module" => module()).absolute(row.messages);
    counter!("ractor_host_guest_calls_total", "module" => module(), "outcome" => "answered")
        .absolute(row.calls_answered);
    counter!("ractor_host_guest_calls_total", "module" => module(), "outcome" => "failed").absolute(row.calls_failed);
}

/// A type of entities. Types are those of node.toml, so the label is bounded.
fn entities(row: &EntityTypeRow) {
    let of = || row.entity_type.clone();
    gauge!("ractor_host_entities_active", "type" => of()).set(number(row.active));
    gauge!("ractor_host_entities_waiting_messages", "type" => of()).set(number(row.waiting));
    counter!("ractor_host_entities_activations_total", "type" => of(), "outcome" => "activated")
        .absolute(row.activations);
    counter!("ractor_host_entities_activations_total", "type" => of(), "outcome" => "failed")
        .absolute(row.failed_activations);
    counter!("ractor_host_entities_passivations_total", "type" => of()).absolute(row.passivations);
    counter!("ractor_host_entities_crashes_total", "type" => of()).absolute(row.crashes);
    counter!("ractor_host_entities_dead_letters_total", "type" => of()).absolute(row.dead_letters);
    counter!("ractor_host_entities_repeated_calls_total", "type" => of()).absolute(row.repeated_calls);
}

/// The states of entities on their way to the store.
fn writer(row: &WriterRow) {
    counter!("ractor_host_entities_commits_total", "outcome" => "committed").absolute(row.commits);
    counter!("ractor_host_entities_commits_total", "outcome" => "failed").absolute(row.failed_commits);
    counter!("ractor_host_entities_writes_total", "outcome" => "written").absolute(row.written);
    counter!("ractor_host_entities_writes_total", "outcome" => "refused").absolute(row.refused);
    counter!("ractor_host_entities_writes_total", "outcome" => "given_up").absolute(row.given_up);
    counter!("ractor_host_entities_written_bytes_total").absolute(row.bytes);
}

/// The cluster of a node that has a store for it.
fn cluster(row: &ClusterRow) {
    gauge!("ractor_host_cluster_nodes").set(number(row.nodes));
    gauge!("ractor_host_cluster_store_answers").set(f64::from(u8::from(row.store_answers)));
    gauge!("ractor_host_cluster_kept_bytes").set(number(row.kept_bytes));
    let outcomes = [
        ("sent", row.sent),
        ("lost", row.lost),
        ("unowned", row.unowned),
        ("taken", row.taken),
        ("refused", row.refused),
    ];
    for (outcome, count) in outcomes {
        counter!("ractor_host_cluster_entity_messages_total", "outcome" => outcome).absolute(count);
    }
}

fn link_gauges(peer: &str, now: &LinkRowFigures) {
    let name = || peer.to_owned();
    let round_trip = now.round_trip_us.map_or(f64::NAN, |us| number(us) / 1e6);
    gauge!("ractor_host_link_round_trip_seconds", "peer" => name()).set(round_trip);
    gauge!("ractor_host_link_outbox_bytes", "peer" => name()).set(number(now.outbox_bytes));
    gauge!("ractor_host_link_outbox_limit_bytes", "peer" => name()).set(number(now.outbox_limit));
}

/// What passed over a link since a look at the same session.
fn traffic(peer: &str, now: &LinkRowFigures, before: &LinkRowFigures) {
    let name = || peer.to_owned();
    let directions = [
        ("sent", &now.sent, &before.sent),
        ("received", &now.received, &before.received),
    ];
    for (direction, now, before) in directions {
        for ((kind, now), (_, before)) in kinds(now).into_iter().zip(kinds(before)) {
            counter!("ractor_host_link_messages_total", "peer" => name(), "direction" => direction, "kind" => kind)
                .increment(now.saturating_sub(before));
        }
        counter!("ractor_host_link_bytes_total", "peer" => name(), "direction" => direction)
            .increment(now.bytes.saturating_sub(before.bytes));
    }
    for (reason, count) in &now.dead_letters {
        let before = before.dead_letters.iter().find(|(before, _)| before == reason);
        let before = before.map_or(0, |(_, count)| *count);
        counter!("ractor_host_link_dead_letters_total", "peer" => name(), "reason" => reason.clone())
            .increment(count.saturating_sub(before));
    }
}

fn kinds(traffic: &Traffic) -> [(&'static str, u64); 4] {
    [
        ("cast", traffic.casts),
        ("call", traffic.calls),
        ("reply", traffic.replies),
        ("control", traffic.control),
    ]
}

fn seconds(ms: u64) -> f64 {
    number(ms) / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
fn number(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
pub(super) mod for_tests {
    use super::*;
    use crate::control::idle::Idle;

    /// Records what this node and these links say, with nothing counted before.
    pub(crate) fn record(figures: &NodeFigures, links: &[&[LinkRow]]) {
        let looks: Vec<_> = links.iter().map(|links| (figures, *links)).collect();
        record_looks(&looks);
    }

    /// Records what a node knows of its cluster.
    pub(crate) fn record_cluster(row: &ClusterRow) {
        cluster(row);
    }

    /// Records what was written of entities.
    pub(crate) fn record_writer(row: &WriterRow) {
        writer(row);
    }

    /// Records what this type of entities has done.
    pub(crate) fn record_type(row: &EntityTypeRow) {
        entities(row);
    }

    /// Records what several looks find, one after the other.
    pub(crate) fn record_looks(looks: &[(&NodeFigures, &[LinkRow])]) {
        let looks: Vec<_> = looks
            .iter()
            .map(|(figures, links)| (*figures, *links, &[][..]))
            .collect();
        record_looks_and_ends(&looks);
    }

    /// The same, with the sessions that have ended before each look.
    pub(crate) fn record_looks_and_ends(looks: &[(&NodeFigures, &[LinkRow], &[EndedLink])]) {
        let mut collector = Collector::new(Arc::new(Idle { node: "idle@localhost" }));
        for (figures, links, ended) in looks {
            collector.record(figures, links, ended);
        }
    }
}
