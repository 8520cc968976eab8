//! All metrics, one row each.

use metrics::Unit as Described;

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name: what it is of, what it is, its unit and, for what only grows, `total`.
    pub name: &'static str,
    /// How it changes.
    pub kind: Kind,
    /// What its numbers are.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// Where it comes from.
    pub source: Source,
    /// What it means, in sentences.
    pub meaning: &'static str,
}

/// How a metric changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It only grows, and begins anew with the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often something was how large.
    Histogram,
}

/// What the numbers of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Things, or a yes that is 1.
    Number,
}

/// Where a metric comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The facade, whenever it happens.
    Event,
    /// The facade, when somebody looks.
    Look,
    /// Text of our own, when somebody looks.
    Text,
}

/// A row, so that each takes a line of code and one of prose.
const fn metric(
    name: &'static str,
    (kind, unit, source): (Kind, Unit, Source),
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        unit,
        labels,
        source,
        meaning,
    }
}

use Kind::{Counter, Gauge, Histogram};
use Source::{Event, Look, Text};
use Unit::{Bytes, Number, Seconds};

/// All of them, in the order of the page.
#[rustfmt::skip] // one metric takes two lines
pub const METRICS: &[Metric] = &[
    metric("ractor_host_build_info", (Gauge, Number, Look), &["version"],
        "Always 1. The label has the version of the program."),
    metric("ractor_host_uptime_seconds", (Gauge, Seconds, Look), &[],
        "How long the node has been up."),
    metric("ractor_host_ready", (Gauge, Number, Look), &[],
        "1 while the actors of node.toml and its `required_peers` are there and the node takes work; 0 once an actor was given up, while there \
         is no session with one of the peers, and when the node leaves."),
    metric("ractor_host_process_resident_bytes", (Gauge, Bytes, Look), &[],
        "Memory of the machine that the process has."),
    metric("ractor_host_process_cpu_seconds_total", (Counter, Seconds, Text), &[],
        "Processor time of the process."),
    metric("ractor_host_process_threads", (Gauge, Number, Look), &[],
        "Threads of the process."),
    metric("ractor_host_process_open_files", (Gauge, Number, Look), &[],
        "Open file descriptors of the process, sockets included."),
    metric("ractor_host_runtime_workers", (Gauge, Number, Look), &[],
        "Threads that actors share."),
    metric("ractor_host_sessions", (Gauge, Number, Look), &[],
        "Authenticated sessions with other nodes and with commands."),
    metric("ractor_host_link_up", (Gauge, Number, Look), &["peer"],
        "1 while there is a session with the node of this name, 0 once it has ended. Commands are in none of the metrics of links. \
         After 256 names further peers share the name `other`, whose counters alone are kept."),
    metric("ractor_host_link_round_trip_seconds", (Gauge, Seconds, Look), &["peer"],
        "How long the peer took to answer the last ping. Not a number until it has answered one, and once the session has ended."),
    metric("ractor_host_link_outbox_bytes", (Gauge, Bytes, Look), &["peer"],
        "Bytes that wait to be sent to the peer."),
    metric("ractor_host_link_outbox_limit_bytes", (Gauge, Bytes, Look), &["peer"],
        "How many may wait before messages to the peer are given up."),
    metric("ractor_host_link_messages_total", (Counter, Number, Look), &["peer", "direction", "kind"],
        "Messages that passed: `sent` or `received`, and `cast`, `call`, `reply` or `control`."),
    metric("ractor_host_link_bytes_total", (Counter, Bytes, Look), &["peer", "direction"],
        "Bytes that passed: `sent` or `received`, within TLS where there is TLS."),
    metric("ractor_host_link_dead_letters_total", (Counter, Number, Look), &["peer", "reason"],
        "Messages to or from the peer that were given up: `outbox_full`, `closed`, `too_large`, `too_many_calls`, `mailbox_full`, \
         `mailboxes_full` (those of all actors together), `actor_full` (a limit of the guest's own) or `actor_ended`."),
    metric("ractor_host_guests", (Gauge, Number, Look), &["module"],
        "Guests that live."),
    metric("ractor_host_guest_messages_total", (Counter, Number, Look), &["module"],
        "Casts and calls that guests were given."),
    metric("ractor_host_guest_calls_total", (Counter, Number, Look), &["module", "outcome"],
        "Calls that guests have `answered`, and that have `failed`: by the guest's own word, or with it."),
    metric("ractor_host_guest_cpu_seconds_total", (Counter, Seconds, Text), &["module"],
        "Processor time of guests, in the resolution of `epoch_tick`."),
    metric("ractor_host_guest_handler_seconds", (Histogram, Seconds, Text), &["module"],
        "How long messages took to be handled, waits included. Of quick ones one in sixteen is timed and counts for as many; whatever \
         takes longer than `epoch_tick` counts for itself."),
    metric("ractor_host_guest_memory_bytes", (Gauge, Bytes, Look), &["module"],
        "What the memories of guests have grown to. Pages that were never touched take nothing of the machine's."),
    metric("ractor_host_guest_resident_bytes", (Gauge, Bytes, Look), &["module"],
        "What of that takes memory of the machine: a part of `ractor_host_process_resident_bytes`, whose rest is the node's own. NaN where \
         the system doesn't tell."),
    metric("ractor_host_guest_mailbox_messages", (Gauge, Number, Look), &["module"],
        "Messages that wait for guests."),
    metric("ractor_host_guest_mailbox_bytes", (Gauge, Bytes, Look), &["module"],
        "Bytes of these, with what each costs beside."),
    metric("ractor_host_guest_failures_total", (Counter, Number, Event), &["actor"],
        "Traps, errors and limits that failed a guest. The label is the name in `[[actors]]`; of a child it is its module's."),
    metric("ractor_host_guest_restarts_total", (Counter, Number, Event), &["actor"],
        "Restarts in place."),
    metric("ractor_host_guest_limits_total", (Counter, Number, Event), &["limit", "actor"],
        "Limits that guests have reached, by their keys in node.toml."),
    metric("ractor_host_guest_denied_total", (Counter, Number, Event), &["capability", "actor"],
        "What guests tried and were not granted."),
    metric("ractor_host_guest_dead_letters_total", (Counter, Number, Event), &["reason", "actor"],
        "Messages for guests that were given up: `mailbox_full`, `message_bytes`, `failed` (the guest failed at it), `ended`, `timer` (one \
         of a timer, whose target had no room), `held` (one that an entity sent, and whose target didn't take it once the state was written), `held_bytes` (one of an entity, of which as much waits for its state as may) or `group_changes` (of groups that a guest watches, while it had no room for them)."),
    metric("ractor_host_entity_reminders_total", (Counter, Number, Look), &["type", "outcome"],
        "Reminders of entities that were handled and are in a state (`fired`), times that handling one `failed`, and those that were `given_up` \
         as dead letters because they failed too often."),
    metric("ractor_host_guest_turns_waited", (Histogram, Number, Event), &[],
        "Turns that went before, for each turn that was given while the node was crowded."),
    metric("ractor_host_entities_active", (Gauge, Number, Look), &["type"],
        "Entities that are active. The label is the name under `[entities]`; nodes without entities have none of these metrics."),
    metric("ractor_host_entities_waiting_messages", (Gauge, Number, Look), &["type"],
        "Messages that wait for entities to be activated."),
    metric("ractor_host_entities_activations_total", (Counter, Number, Look), &["type", "outcome"],
        "Activations: `activated`, or `failed`."),
    metric("ractor_host_entities_passivations_total", (Counter, Number, Look), &["type"],
        "Entities that ended because they had nothing to do, or because others needed the place."),
    metric("ractor_host_entities_crashes_total", (Counter, Number, Look), &["type"],
        "Entities that ended otherwise than in order."),
    metric("ractor_host_entities_dead_letters_total", (Counter, Number, Look), &["type"],
        "Messages that were given up with an activation that failed."),
    metric("ractor_host_entities_repeated_calls_total", (Counter, Number, Look), &["type"],
        "Calls with idempotency keys that were answered by what was kept of them."),
    metric("ractor_host_entities_commits_total", (Counter, Number, Look), &["outcome"],
        "Commits of the states of entities to their store: `committed`, or attempts that `failed` and are made again."),
    metric("ractor_host_entities_writes_total", (Counter, Number, Look), &["outcome"],
        "Writes of the states of single entities: those that were `written` (many share a commit), those that the store `refused` because the \
         entity had gone to another node, and those that were `given_up`, whose callers heard so."),
    metric("ractor_host_entities_written_bytes_total", (Counter, Bytes, Look), &[],
        "Bytes of the states that were written."),
    metric("ractor_host_cluster_nodes", (Gauge, Number, Look), &[],
        "Nodes of the cluster, this one among them, as the store listed them last. Nodes without `[cluster]` have none of these metrics."),
    metric("ractor_host_cluster_store_answers", (Gauge, Number, Look), &[],
        "1 if the store of the cluster answered when it was asked last, and 0 if it didn't; the log says why."),
    metric("ractor_host_cluster_entity_messages_total", (Counter, Number, Look), &["outcome"],
        "Messages between nodes for entities: `sent` (those that were sent again are counted again), `lost` (their node was lost before it was known that they were begun), \
         `unowned` (no node had the entity for a minute), `taken` from other nodes, and `refused`, because the entity is elsewhere by now: their sender sends them again."),
    metric("ractor_host_cluster_kept_bytes", (Gauge, Bytes, Look), &[],
        "Bytes of messages for entities of other nodes that aren't known to be begun."),
    metric("ractor_host_pool_instances", (Gauge, Number, Look), &[],
        "Instances that guests have, of all modules."),
    metric("ractor_host_pool_instances_limit", (Gauge, Number, Look), &[],
        "How many the pool has room for. Not there without a pool."),
    metric("ractor_host_compile_cache_requests_total", (Counter, Number, Look), &["result"],
        "Components that were loaded: a `hit` came from the cache, a `miss` was compiled."),
    metric("ractor_host_cache_entries_discarded_total", (Counter, Number, Event), &[],
        "Entries of the cache that were unusable."),
    metric("ractor_host_reloads_total", (Counter, Number, Event), &["module", "outcome"],
        "Reloads and rollbacks of modules: `reloaded`, `rolled-back`, `mixed`, or `refused` before anything was touched."),
    metric("ractor_host_reload_pause_seconds", (Histogram, Seconds, Event), &["module"],
        "How long each actor handled nothing while its code was replaced."),
    metric("ractor_host_checkpoints_written_total", (Counter, Number, Look), &[],
        "States of actors that were written. Not there on a node that keeps none, like the next three."),
    metric("ractor_host_checkpoint_bytes_total", (Counter, Bytes, Look), &[],
        "Bytes of these."),
    metric("ractor_host_checkpoint_failures_total", (Counter, Number, Look), &[],
        "Attempts to write after which something was left, which is tried again."),
    metric("ractor_host_checkpoint_age_seconds", (Gauge, Seconds, Look), &[],
        "How long ago a state was written last. Not a number until one was."),
    metric("ractor_host_output_lines_dropped_total", (Counter, Number, Event), &[],
        "Lines of the log that were dropped, because their reader is too slow."),
    metric("ractor_host_otlp_exports_total", (Counter, Number, Event), &["signal", "outcome"],
        "Exports of `traces`, `logs` and `metrics` to an OTLP collector: `exported`, or `failed` after all attempts."),
    metric("ractor_host_otlp_dropped_total", (Counter, Number, Event), &["signal", "reason"],
        "Spans and records of the log that no collector got: for those of `queue_full` there was no room, and those of `export_failed` \
         it did not take."),
];

/// Tells the exporter what the metrics mean that it renders. To be called once it is installed.
pub fn describe_all() {
    for metric in METRICS.iter().filter(|metric| metric.source != Text) {
        let unit = match metric.unit {
            Bytes => Described::Bytes,
            Seconds => Described::Seconds,
            Number => Described::Count,
        };
        match metric.kind {
            Counter => metrics::describe_counter!(metric.name, unit, metric.meaning),
            Gauge => metrics::describe_gauge!(metric.name, unit, metric.meaning),
            Histogram => metrics::describe_histogram!(metric.name, unit, metric.meaning),
        }
    }
}
