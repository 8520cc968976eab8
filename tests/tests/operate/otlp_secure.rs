//! Exports over TLS and over gRPC, compressed, and to collectors that take nothing.

use std::fs;
use std::path::Path;

use ractor_host_tests::certificates::{Ca, Certificates};
use ractor_host_tests::host::{HostNode, NodeFolder, keep_private, node_toml, run};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::{COOKIE, wait};
use serde_json::json;
use tempfile::TempDir;

use crate::collector::{self, Collector, Kept, Manners};
use crate::http::{Answered, admin_node_in, get, post, url};
use crate::operator::{at, json};

type Variables = Vec<(&'static str, String)>;

fn named(name: &'static str, path: &Path) -> (&'static str, String) {
    (name, path.display().to_string())
}

/// What a client shows and trusts.
fn certificates(certificates: &Certificates) -> Variables {
    vec![
        named("OTEL_EXPORTER_OTLP_CERTIFICATE", certificates.ca()),
        named("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificates.cert()),
        named("OTEL_EXPORTER_OTLP_CLIENT_KEY", certificates.key()),
    ]
}

/// Asks the counter of a node that exports as these variables say, and gives the metrics of the node.
fn exported(collector: &Collector, variables: &[(&'static str, String)]) -> (Kept, String) {
    let mut alpha = admin_node_in("alpha", &["operate"], "", variables);
    let url = url(&mut alpha);
    let body = json!({"target": "counter", "message": "Get", "arguments": []});
    let answered: Answered = post(&format!("{url}/v1/call"), Some("operate"), &body);
    assert_eq!(answered.status, 200, "{answered:?}");
    let kept = wait::until(
        "spans, records and metrics",
        || collector.kept(),
        |kept| !kept.spans.is_empty() && !kept.logs.is_empty() && !kept.metrics.is_empty(),
    );
    (kept, get(&format!("{url}/metrics"), Some("operate")).body)
}

#[test]
fn everything_goes_over_mutual_tls_compressed_and_with_headers() {
    let ca = Ca::new("collectors");
    let (server, client) = (ca.issue(&ca), ca.issue(&ca));
    for (manners, protocols) in [(Manners::Takes, &["http/1.1"]), (Manners::TakesGrpc, &["h2"])] {
        let collector = Collector::behind(manners, Some(server.mutual_server(protocols)));
        let mut variables = [collector.variables(), certificates(&client)].concat();
        variables.extend([
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=secret,x-tenant=a%20b".to_owned()),
        ]);
        let (kept, metrics) = exported(&collector, &variables);
        assert!(kept.compressed > 0, "{manners:?}");
        for header in ["x-token: secret", "x-tenant: a b"] {
            assert!(
                kept.headers.iter().any(|found| found == header),
                "{manners:?}: {header}"
            );
        }
        let counted = "ractor_host_otlp_exports_total{signal=\"logs\",outcome=\"exported\"}";
        assert!(metrics.contains(counted), "{metrics}");
    }
}

#[test]
fn grpc_needs_no_tls() {
    let collector = Collector::with(Manners::TakesGrpc);
    let (kept, _) = exported(&collector, &collector.variables());
    assert_eq!(kept.compressed, 0);
}

#[test]
fn a_collector_of_another_ca_is_named_once_and_what_is_given_up_is_counted() {
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));
    let client = ours.issue(&ours);
    for manners in [Manners::Takes, Manners::TakesGrpc] {
        let collector = Collector::behind(manners, Some(theirs.issue(&theirs).server()));
        let mut variables = [collector.variables(), certificates(&client)].concat();
        variables.push(("OTEL_EXPORTER_OTLP_TIMEOUT", "500".to_owned()));
        let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
        let (_, line) = alpha
            .process()
            .wait_line(Stream::Stderr, 0, "why nothing is exported", |line| {
                line.contains("the OTLP collector doesn't take what is exported") && line.contains("logs")
            });
        assert!(line.contains("UnknownIssuer"), "{manners:?}: {line}");
        assert!(
            line.contains("OTEL_EXPORTER_OTLP_CERTIFICATE names the file of the CA"),
            "{line}"
        );
        let url = url(&mut alpha);
        let metrics = || get(&format!("{url}/metrics"), Some("operate")).body;
        let counted = "ractor_host_otlp_dropped_total{signal=\"logs\",reason=\"export_failed\"}";
        wait::until("a count", metrics, |metrics| metrics.contains(counted));
        assert!(collector.kept().logs.is_empty());
    }
}

#[test]
fn a_collector_that_never_ends_its_answer_is_given_up_and_what_comes_later_is_tried() {
    for manners in [Manners::HangsWithin, Manners::HangsWithinGrpc] {
        let collector = Collector::with(manners);
        let mut variables = collector.variables();
        variables.push(("OTEL_EXPORTER_OTLP_TIMEOUT", "300".to_owned()));
        let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
        let url = url(&mut alpha);
        let failed = |metrics: &String, signal: &str| -> f64 {
            let counted = format!("ractor_host_otlp_exports_total{{signal=\"{signal}\",outcome=\"failed\"}} ");
            let count = metrics.lines().find_map(|line| line.strip_prefix(&*counted));
            count.map_or(0.0, |count| count.parse().expect("a number"))
        };
        let body = json!({"target": "counter", "message": "Get", "arguments": []});
        let metrics = || {
            let answered = post(&format!("{url}/v1/call"), Some("operate"), &body);
            assert_eq!(answered.status, 200, "{answered:?}");
            get(&format!("{url}/metrics"), Some("operate")).body
        };
        // Each signal twice: the first failure did not end its exports.
        wait::until("failed exports", metrics, |metrics| {
            ["traces", "metrics"]
                .iter()
                .all(|signal| failed(metrics, signal) >= 2.0)
                && failed(metrics, "logs") >= 1.0
        });
    }
}

#[test]
fn what_finds_no_room_is_counted_and_nobody_waits_for_it() {
    let hanging = Collector::with(Manners::Hangs);
    let mut variables = hanging.variables();
    variables.extend([
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4".to_owned()),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2".to_owned()),
    ]);
    let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
    let url = url(&mut alpha);
    let body = json!({"target": "counter", "message": "Get", "arguments": []});
    for _ in 0..20 {
        let answered = post(&format!("{url}/v1/call"), Some("operate"), &body);
        assert_eq!(answered.status, 200, "{answered:?}");
    }
    let metrics = get(&format!("{url}/metrics"), Some("operate")).body;
    let counted = "ractor_host_otlp_dropped_total{signal=\"traces\",reason=\"queue_full\"} ";
    let dropped = metrics.lines().find_map(|line| line.strip_prefix(counted));
    let dropped: f64 = dropped.expect("a count").parse().expect("a number");
    // Two for each call, but for the four that wait and the two on their way.
    assert!(dropped >= 34.0, "{metrics}");
}

#[test]
fn a_file_that_is_no_good_is_named_before_the_node_starts() {
    let folder = NodeFolder::new(&node_toml("alpha", ""), COOKIE);
    folder.write("ca.pem", "no certificate");
    let path = folder.path("ca.pem");
    let mut command = run(&folder.path("node.toml"));
    command.envs(collector::variables(1)).envs([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:1".to_owned()),
        named("OTEL_EXPORTER_OTLP_CERTIFICATE", &path),
    ]);
    let mut process = Process::start("alpha (ractor-host run)", &mut command);
    assert_eq!(process.wait_exit().code(), Some(2));
    let lines = process.lines(Stream::Stderr).join("\n");
    assert!(
        lines.contains("OTEL_EXPORTER_OTLP_CERTIFICATE") && lines.contains("ca.pem"),
        "{lines}"
    );
}

/// A node that exports over TLS with the certificates of its own that are in a folder.
struct Exporting {
    node: HostNode,
    folder: TempDir,
    /// The lines of its log that were looked at.
    seen: usize,
}

impl Exporting {
    fn to(collector: &Collector, first: &Certificates) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [ca, cert, key] = ["ca", "cert", "key"].map(|name| folder.path().join(name));
        put(first, &folder, &["ca", "cert", "key"]);
        let mut variables = collector.variables();
        variables.extend([
            named("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca),
            named("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &cert),
            named("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500".to_owned()),
        ]);
        let state = "[runtime]\nstate_dir = \"state\"\n";
        let node = HostNode::start_by("alpha", COOKIE, state, |mut command| {
            Process::start("alpha (ractor-host run)", command.envs(variables.clone()))
        });
        Self { node, folder, seen: 0 }
    }

    /// Waits for the next line that says this of the logs.
    fn wait_line(&mut self, part: &str) {
        let process = self.node.process();
        let (index, _) = process.wait_line(Stream::Stderr, self.seen, part, |line| {
            line.contains(part) && line.contains("logs")
        });
        self.seen = index + 1;
    }
}

/// Puts copies of these files in the place of those of a node.
fn put(certificates: &Certificates, folder: &TempDir, names: &[&str]) {
    for name in names {
        let from = match *name {
            "ca" => certificates.ca(),
            "cert" => certificates.cert(),
            _ => certificates.key(),
        };
        let to = folder.path().join(name);
        fs::copy(from, &to).expect("a copy");
        keep_private(&to);
    }
}

#[test]
fn certificates_that_are_replaced_count_from_the_next_export_on() {
    const LOST: &str = "the OTLP collector doesn't take what is exported";
    const TAKEN: &str = "the OTLP collector takes what is exported again";
    let (before, after) = (Ca::new("before"), Ca::new("after"));
    let (old, new) = (before.issue(&before), after.issue(&after));
    for (manners, protocols) in [(Manners::Takes, &["http/1.1"]), (Manners::TakesGrpc, &["h2"])] {
        let collector = Collector::behind(manners, Some(after.issue(&after).mutual_server(protocols)));
        let mut alpha = Exporting::to(&collector, &old);
        alpha.wait_line(LOST);
        assert_eq!(json(&alpha.node, &["apply", "--dry-run"])[0]["changes"], json!([]));
        // The key is that of another certificate: nothing is replaced, the CA included.
        put(&new, &alpha.folder, &["ca", "cert"]);
        let refused = at(&alpha.node, &["apply"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stdout.contains("OTEL_EXPORTER_OTLP_CLIENT_KEY: "),
            "{refused:?}"
        );
        put(&new, &alpha.folder, &["key"]);
        let planned = at(&alpha.node, &["apply", "--dry-run"]);
        let variables =
            ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"].map(|key| format!("OTEL_EXPORTER_OTLP_{key}"));
        let told = format!("  ~ certificates of the OTLP exports: {}", variables.join(", "));
        assert!(planned.answer().ends_with(&told), "{}", planned.stdout);
        assert!(collector.kept().logs.is_empty(), "{manners:?}: nothing is replaced yet");
        let report = json(&alpha.node, &["apply"])[0].clone();
        assert_eq!(
            report["changes"],
            json!([{"action": "change", "of": "certificates", "name": "otlp", "keys": variables}])
        );
        // What was logged before may have been given up with the certificates that it was to go with.
        let logged = || {
            json(&alpha.node, &["loglevel", "debug"]);
            json(&alpha.node, &["loglevel", "--reset"]);
            collector.kept().logs.len()
        };
        wait::until("records", logged, |records| *records > 0);
        let resources = collector.kept().resources;
        assert!(
            resources.iter().any(|one| one.starts_with("process.pid=")),
            "{resources:?}"
        );
        alpha.wait_line(TAKEN);
        // What was taken with the certificate before is over, the connection included. By a signal as well.
        put(&old, &alpha.folder, &["ca", "cert", "key"]);
        alpha.node.process().signal(Signal::HUP);
        alpha.wait_line(LOST);
    }
}
