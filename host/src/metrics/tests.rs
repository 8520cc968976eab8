//! docs/metrics.md is made of the table, and the table has what the code counts and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, with_local_recorder};

use super::collect::for_tests::{
    record, record_cluster, record_looks, record_looks_and_ends, record_type, record_writer,
};
use super::table::{Kind, METRICS, Metric, Source, Unit};
use super::text;
use crate::control::{
    CheckpointFigures, ClusterRow, EndedLink, EntityTypeRow, HandlerTimes, LinkRow, LinkRowFigures, ModuleRow,
    NodeFigures, OpenedBy, PeerVersion, Traffic, WriterRow,
};

const BLESS: &str = "RACTOR_BLESS=1 cargo test -p ractor-host --lib the_page_of_metrics";

#[test]
fn the_page_of_metrics_is_what_the_code_says() {
    let path = repository().join("docs/metrics.md");
    let page = page();
    if std::env::var_os("RACTOR_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).position(|(is, should)| is != should);
    assert!(
        written == page,
        "docs/metrics.md is not what the table in host/src/metrics/table.rs says, from line {} on. If the table is right, `{BLESS}` \
         writes the page",
        differs.unwrap_or(written.lines().count()) + 1
    );
}

#[test]
fn every_metric_of_the_code_is_in_the_table_and_every_row_in_the_code() {
    let mut counted: BTreeMap<String, BTreeSet<Kind>> = BTreeMap::new();
    for folder in ["cluster/src", "sandbox/src", "host/src"] {
        for file in rust_files(&repository().join(folder)) {
            let source = std::fs::read_to_string(&file).unwrap();
            for (kind, name) in names(&source) {
                counted.entry(name).or_default().insert(kind);
            }
        }
    }
    let rows = METRICS.iter().filter(|metric| metric.source != Source::Text);
    let table: BTreeMap<String, BTreeSet<Kind>> = rows
        .map(|metric| (metric.name.to_owned(), BTreeSet::from([metric.kind])))
        .collect();
    assert_eq!(counted, table);
    let text = text::of(&node());
    for metric in METRICS.iter().filter(|metric| metric.source == Source::Text) {
        assert!(text.contains(&format!("# TYPE {} ", metric.name)), "{}", metric.name);
    }
}

#[test]
fn names_say_their_units_and_whether_they_only_grow() {
    let mut seen = BTreeSet::new();
    for Metric {
        name,
        kind,
        unit,
        labels,
        ..
    } in METRICS
    {
        assert!(seen.insert(name), "{name} is there twice");
        assert!(name.starts_with("ractor_host_"), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        let words: Vec<&str> = name.split('_').collect();
        assert_eq!(words.contains(&"bytes"), *unit == Unit::Bytes, "{name}");
        assert_eq!(words.contains(&"seconds"), *unit == Unit::Seconds, "{name}");
        let bounded = [
            "actor",
            "capability",
            "direction",
            "kind",
            "limit",
            "module",
            "outcome",
            "peer",
            "reason",
            "result",
            "signal",
            "type",
            "version",
        ];
        assert!(labels.iter().all(|label| bounded.contains(label)), "{name}");
    }
}

#[test]
fn a_look_brings_gauges_and_counters_up_to_date() {
    let links = |sessions: &[(u64, u64)]| -> Vec<LinkRow> {
        sessions.iter().map(|(session, casts)| link(*session, *casts)).collect()
    };
    let recorded = recorded(|| {
        // The session ends, and another one begins with counts of its own.
        let (first, then, last) = (links(&[(1, 10)]), links(&[(1, 15)]), links(&[(2, 4)]));
        record(&node(), &[&first, &then, &last]);
    });
    assert_eq!(recorded["ractor_host_guest_messages_total{module=counter}"], 12.0);
    assert_eq!(recorded["ractor_host_guest_mailbox_bytes{module=counter}"], 300.0);
    assert_eq!(recorded["ractor_host_checkpoint_age_seconds{}"], 1.5);
    assert_eq!(recorded["ractor_host_link_up{peer=beta@host}"], 1.0);
    assert_eq!(
        recorded["ractor_host_link_messages_total{peer=beta@host,direction=sent,kind=cast}"],
        19.0
    );
    assert_eq!(recorded["ractor_host_link_round_trip_seconds{peer=beta@host}"], 0.002_5);
    assert!(recorded.keys().all(|name| !name.contains("cli-")), "{recorded:?}");
}

#[test]
fn types_of_entities_are_told_apart() {
    let row = |entity_type: &str, active, failed_activations| EntityTypeRow {
        entity_type: entity_type.to_owned(),
        module: None,
        native: None,
        durability: "none".to_owned(),
        active,
        waiting: 3,
        activations: 10,
        failed_activations,
        passivations: 0,
        crashes: 0,
        dead_letters: 0,
        last_error: None,
        reminders_fired: 0,
        reminders_failed: 0,
        repeated_calls: 0,
        reminders_given_up: 0,
        states: None,
    };
    let recorded = recorded(|| [row("cart", 7, 2), row("till", 1, 0)].iter().for_each(record_type));
    assert_eq!(recorded["ractor_host_entities_active{type=cart}"], 7.0);
    assert_eq!(recorded["ractor_host_entities_active{type=till}"], 1.0);
    assert_eq!(recorded["ractor_host_entities_waiting_messages{type=cart}"], 3.0);
    assert_eq!(
        recorded["ractor_host_entities_activations_total{type=cart,outcome=failed}"],
        2.0
    );
}

#[test]
fn what_became_of_writes_is_told_apart() {
    let row = WriterRow {
        commits: 5,
        failed_commits: 1,
        written: 40,
        bytes: 4_000,
        refused: 2,
        given_up: 3,
    };
    let recorded = recorded(|| record_writer(&row));
    assert_eq!(recorded["ractor_host_entities_commits_total{outcome=committed}"], 5.0);
    assert_eq!(recorded["ractor_host_entities_commits_total{outcome=failed}"], 1.0);
    assert_eq!(recorded["ractor_host_entities_writes_total{outcome=written}"], 40.0);
    assert_eq!(recorded["ractor_host_entities_writes_total{outcome=refused}"], 2.0);
    assert_eq!(recorded["ractor_host_entities_writes_total{outcome=given_up}"], 3.0);
    assert_eq!(recorded["ractor_host_entities_written_bytes_total{}"], 4_000.0);
}

#[test]
fn a_node_says_what_it_knows_of_its_cluster() {
    let row = ClusterRow {
        nodes: 3,
        store_answers: false,
        not_joined: None,
        sent: 10,
        lost: 1,
        unowned: 0,
        taken: 7,
        refused: 2,
        kept_bytes: 4_096,
    };
    let recorded = recorded(|| record_cluster(&row));
    assert_eq!(recorded["ractor_host_cluster_nodes{}"], 3.0);
    assert_eq!(recorded["ractor_host_cluster_store_answers{}"], 0.0);
    assert_eq!(recorded["ractor_host_cluster_kept_bytes{}"], 4_096.0);
    assert_eq!(recorded["ractor_host_cluster_entity_messages_total{outcome=lost}"], 1.0);
    assert_eq!(
        recorded["ractor_host_cluster_entity_messages_total{outcome=taken}"],
        7.0
    );
}

#[test]
fn what_passed_before_a_session_ended_is_counted_once_whenever_somebody_looks() {
    let ended = |session: u64, casts: u64| {
        let LinkRow { name, figures, .. } = link(session, casts);
        EndedLink {
            session,
            name,
            figures: figures.expect("figures"),
        }
    };
    let recorded = recorded(|| {
        let node = node();
        record_looks_and_ends(&[
            (&node, &[link(1, 10)], &[]),
            // One that nobody has looked at while it lasted, and one that ends while somebody looks.
            (&node, &[link(3, 7)], &[ended(1, 15), ended(2, 4), ended(3, 8)]),
            (&node, &[], &[]),
        ]);
    });
    assert_eq!(
        recorded["ractor_host_link_messages_total{peer=beta@host,direction=sent,kind=cast}"],
        27.0
    );
    assert_eq!(recorded["ractor_host_link_up{peer=beta@host}"], 0.0);
}

#[test]
fn a_peer_that_is_gone_is_down_and_has_nothing_waiting() {
    let recorded = recorded(|| record(&node(), &[&[link(1, 1)], &[]]));
    assert_eq!(recorded["ractor_host_link_up{peer=beta@host}"], 0.0);
    assert_eq!(recorded["ractor_host_link_outbox_bytes{peer=beta@host}"], 0.0);
    assert!(recorded["ractor_host_link_round_trip_seconds{peer=beta@host}"].is_nan());
}

#[test]
fn a_module_that_is_gone_has_no_guests_and_no_memory() {
    let without = NodeFigures {
        modules: Vec::new(),
        ..node()
    };
    let recorded = recorded(|| record_looks(&[(&node(), &[]), (&without, &[])]));
    assert_eq!(recorded["ractor_host_guest_mailbox_bytes{module=counter}"], 0.0);
    assert_eq!(recorded["ractor_host_guest_messages_total{module=counter}"], 12.0);
}

#[test]
fn peers_with_ever_new_names_share_one_in_the_end() {
    let looks: Vec<Vec<LinkRow>> = (0..300)
        .map(|number| {
            vec![LinkRow {
                name: format!("beta-{number}@host"),
                ..link(number, 1)
            }]
        })
        .collect();
    let recorded = recorded(|| record(&node(), &looks.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let up = recorded.keys().filter(|name| name.starts_with("ractor_host_link_up{"));
    assert_eq!(up.count(), 256);
    assert_eq!(
        recorded["ractor_host_link_messages_total{peer=other,direction=sent,kind=cast}"],
        44.0
    );
}

#[test]
fn every_reason_for_which_messages_are_given_up_is_in_the_table() {
    let meaning = |name| METRICS.iter().find(|metric| metric.name == name).unwrap().meaning;
    let undelivered = std::fs::read_to_string(repository().join("cluster/src/node/undelivered.rs")).unwrap();
    let (_, reasons) = undelivered.split_once("const REASONS").unwrap();
    let reasons: Vec<&str> = reasons
        .split("];")
        .next()
        .unwrap()
        .split('"')
        .skip(1)
        .step_by(2)
        .collect();
    assert!(reasons.contains(&"outbox_full"), "{reasons:?}");
    for reason in reasons {
        let meaning = meaning("ractor_host_link_dead_letters_total");
        assert!(meaning.contains(&format!("`{reason}`")), "{reason}");
    }
    let mut found = BTreeSet::new();
    for file in rust_files(&repository().join("sandbox/src")) {
        let source = std::fs::read_to_string(&file).unwrap();
        for behind in source.split("dead_letters(").skip(1) {
            let arguments = behind.split(';').next().unwrap();
            found.extend(arguments.split('"').nth(1).map(str::to_owned));
        }
    }
    assert!(found.contains("mailbox_full"), "{found:?}");
    for reason in found {
        let meaning = meaning("ractor_host_guest_dead_letters_total");
        assert!(meaning.contains(&format!("`{reason}`")), "{reason}");
    }
}

#[test]
fn a_histogram_is_text_that_prometheus_reads() {
    let text = text::of(&node());
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("handler_seconds")).collect();
    assert_eq!(
        lines[1..],
        [
            "# TYPE ractor_host_guest_handler_seconds histogram",
            r#"ractor_host_guest_handler_seconds_bucket{module="counter",le="0.000005"} 3"#,
            r#"ractor_host_guest_handler_seconds_bucket{module="counter",le="10"} 5"#,
            r#"ractor_host_guest_handler_seconds_bucket{module="counter",le="+Inf"} 6"#,
            r#"ractor_host_guest_handler_seconds_sum{module="counter"} 20.5"#,
            r#"ractor_host_guest_handler_seconds_count{module="counter"} 6"#,
        ]
    );
    assert!(text.contains("ractor_host_guest_cpu_seconds_total{module=\"counter\"} 0.25\n"));
}

fn node() -> NodeFigures {
    NodeFigures {
        checkpoints: Some(CheckpointFigures {
            age_ms: Some(1_500),
            ..CheckpointFigures::default()
        }),
        modules: vec![ModuleRow {
            module: "counter".to_owned(),
            messages: 12,
            busy_us: 250_000,
            waiting_bytes: 300,
            handler_times: HandlerTimes {
                buckets_us: vec![(5, 3), (10_000_000, 5)],
                count: 6,
                sum_us: 20_500_000,
            },
            ..ModuleRow::default()
        }],
        ..NodeFigures::default()
    }
}

/// A session with `beta@host`, or with a command if its number is large.
fn link(session: u64, casts: u64) -> LinkRow {
    LinkRow {
        session,
        name: "beta@host".to_owned(),
        address: "beta:4697".to_owned(),
        opened: OpenedBy::Us,
        version: PeerVersion::RactorHost,
        incarnation: 1,
        figures: Some(LinkRowFigures {
            round_trip_us: Some(2_500),
            outbox_bytes: 7,
            sent: Traffic {
                casts,
                ..Traffic::default()
            },
            ..LinkRowFigures::default()
        }),
        wants: None,
    }
}

/// The values that were recorded last, each under its name and labels: `name{key=value,…}`.
fn recorded(work: impl FnOnce()) -> BTreeMap<String, f64> {
    let values = Values::default();
    with_local_recorder(&values, work);
    let cells = values.0.lock().unwrap();
    cells.iter().map(|(name, cell)| (name.clone(), cell.value())).collect()
}

#[derive(Default)]
struct Values(Mutex<BTreeMap<String, std::sync::Arc<Value>>>);

/// A counter or a gauge.
#[derive(Default)]
struct Value {
    counter: std::sync::atomic::AtomicU64,
    gauge: std::sync::atomic::AtomicU64,
}

impl Value {
    #[expect(clippy::cast_precision_loss, reason = "a test has small numbers")]
    fn value(&self) -> f64 {
        let load = |of: &std::sync::atomic::AtomicU64| of.load(std::sync::atomic::Ordering::Relaxed);
        load(&self.counter) as f64 + f64::from_bits(load(&self.gauge))
    }
}

impl metrics::CounterFn for Value {
    fn increment(&self, value: u64) {
        metrics::CounterFn::increment(&self.counter, value);
    }

    fn absolute(&self, value: u64) {
        metrics::CounterFn::absolute(&self.counter, value);
    }
}

impl metrics::GaugeFn for Value {
    fn increment(&self, value: f64) {
        metrics::GaugeFn::increment(&self.gauge, value);
    }

    fn decrement(&self, value: f64) {
        metrics::GaugeFn::decrement(&self.gauge, value);
    }

    fn set(&self, value: f64) {
        metrics::GaugeFn::set(&self.gauge, value);
    }
}

impl Values {
    fn cell(&self, key: &Key) -> std::sync::Arc<Value> {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        self.0.lock().unwrap().entry(name).or_default().clone()
    }
}

impl Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<metrics::Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<metrics::Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<metrics::Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("metrics/tests.rs") {
            files.push(path);
        }
    }
    files
}

/// What a file counts: behind the name of a macro comes that of a metric.
fn names(source: &str) -> Vec<(Kind, String)> {
    let macros = [
        ("counter!(", Kind::Counter),
        ("gauge!(", Kind::Gauge),
        ("histogram!(", Kind::Histogram),
    ];
    let mut found = Vec::new();
    for (name, kind) in macros {
        for behind in source.split(name).skip(1) {
            let quoted = behind
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next());
            found.extend(quoted.map(|metric| (kind, metric.to_owned())));
        }
    }
    found
}

fn page() -> String {
    let mut page = format!(
        "# Metrics\n\n<!-- This page is made from the code: change host/src/metrics/table.rs, and `{BLESS}`. -->\n\nWhat a node counts and \
         measures, by name. Names and units follow the conventions of Prometheus: bytes and seconds, `_total` for what only grows, and \
         all of that begins anew with the process. Labels are bounded: they are names that node.toml gives to actors and modules, names of \
         nodes, and words of this page. No name that a guest makes up is among them.\n\nNumbers that would cost something to keep up to date \
         are read when somebody looks. Of a session that has ended by then, what it came to is read all the same.\n\n\
         A program that embeds a node installs a recorder of the `metrics` crate, calls `ractor_host::metrics::describe_all` once, and has a \
         `Collector` from `RunningHost::collector`, whose `collect` comes before each rendering. Counters of seconds and the histogram \
         of handler times are not in the facade: `Scrape::text` has them, to be appended to what the recorder renders.\n\n\
         | Name | Kind | Unit | Labels | Meaning |\n|---|---|---|---|---|\n"
    );
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let unit = match metric.unit {
            Unit::Bytes => "bytes",
            Unit::Seconds => "seconds",
            Unit::Number => "",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, labels, meaning) = (metric.name, labels.join(", "), metric.meaning);
        writeln!(page, "| `{name}` | {kind} | {unit} | {labels} | {meaning} |").unwrap();
    }
    page
}
