//! Traces: from an operator's call through guests of two nodes, as a collector sees them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use ractor_host_tests::host::{HostNode, guest_counter, run};
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::wire::{self, Field, Fields};
use ractor_host_tests::{COOKIE, languages, programs, wait};
use serde_json::{Value, json};

use crate::collector::{self, Collector, Kept, Manners};
use crate::http::{admin_node_in, ask, bearer, get, url};
use crate::operator::command;

/// Kinds of spans, as OTLP numbers them.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A node with the counter `other` in the group `others`, which dials these addresses.
fn beta(peers: &[&str], variables: &[(&'static str, String)]) -> HostNode {
    let rest = format!("peers = {peers:?}\n{}", guest_counter("other", "others", 40));
    HostNode::start_by("beta", COOKIE, &rest, |mut command| {
        Process::start("beta (ractor-host run)", command.envs(variables.iter().cloned()))
    })
}

/// Has the node's counter do something, as part of a trace unless the header is empty.
fn call(url: &str, traceparent: &str, body: &Value) -> u16 {
    let token = bearer(Some("operate")).expect("a token");
    let mut headers = vec![("content-type", "application/json"), ("authorization", token.as_str())];
    if !traceparent.is_empty() {
        headers.extend([("traceparent", traceparent), ("tracestate", "shop=1")]);
    }
    let verb = if body["message"] == "AddTo" || body["message"] == "Log" {
        "cast"
    } else {
        "call"
    };
    let answered = ask(
        "POST",
        &format!("{url}/v1/{verb}"),
        &headers,
        Some(body.to_string().as_bytes()),
    );
    answered.status
}

fn sum_of_others() -> Value {
    json!({"target": "counter", "message": "SumOf", "arguments": ["others"]})
}

/// Waits until the node at `url` knows the member of `others` on the other node.
fn wait_for_others(url: &str) {
    wait::until(
        "the group of the other node",
        || get(&format!("{url}/v1/groups"), Some("operate")).json()["groups"].to_string(),
        |groups| groups.contains("\"others\""),
    );
}

fn wait_for(collector: &Collector, what: &str, accept: impl Fn(&Kept) -> bool) -> Kept {
    wait::until(what, || collector.kept(), accept)
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

#[test]
fn a_trace_goes_through_guests_of_two_nodes_with_the_right_parents() {
    let collector = Collector::start();
    let mut variables = collector.variables();
    variables.extend([
        ("OTEL_SERVICE_NAME", "shop".to_owned()),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test".to_owned(),
        ),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=secret".to_owned()),
    ]);
    let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
    let beta = beta(&[alpha.address()], &variables);
    let url = url(&mut alpha);
    wait_for_others(&url);
    assert_eq!(call(&url, &traceparent("01"), &sum_of_others()), 200);

    let kept = wait_for(&collector, "four spans", |kept| kept.of(TRACE).len() >= 4);
    let asked = kept.span(TRACE, "counter/SumOf", CLIENT);
    let served = kept.span(TRACE, "counter/SumOf", SERVER);
    let there = kept.span(TRACE, "other/Get", SERVER);
    let spans = kept.of(TRACE);
    let passed = spans
        .iter()
        .find(|span| span.kind == CLIENT && span.span != asked.span)
        .expect("the call to beta");
    assert_eq!(asked.parent, PARENT);
    assert_eq!(served.parent, asked.span);
    assert_eq!(passed.parent, served.span);
    assert_eq!(there.parent, passed.span);
    assert!(passed.name.ends_with(&format!("@{}/Get", beta.name())), "{passed:?}");
    assert!(kept.of(TRACE).iter().all(|span| span.state == "shop=1"), "{kept:#?}");
    for attribute in [
        "rpc.system=ractor".to_owned(),
        "rpc.service=other".to_owned(),
        "rpc.method=Get".to_owned(),
        format!("ractor.node={}", beta.name()),
    ] {
        assert!(there.attributes.contains(&attribute), "{attribute}: {there:?}");
    }
    assert!(
        kept.schemas
            .iter()
            .all(|schema| schema == "https://opentelemetry.io/schemas/1.37.0"),
        "{kept:#?}"
    );
    assert!(
        kept.resources.contains(&"service.name=shop".to_owned()),
        "{:?}",
        kept.resources
    );
    assert!(kept.resources.contains(&"deployment.environment.name=test".to_owned()));
    assert!(
        kept.headers.contains(&"x-token: secret".to_owned()),
        "{:?}",
        kept.headers
    );

    // A cast has a span where it is sent and one where it is handled.
    let other = "1af7651916cd43dd8448eb211c80319c";
    let add = json!({"target": "counter", "message": "AddTo", "arguments": ["others", 2]});
    assert_eq!(call(&url, &format!("00-{other}-{PARENT}-01"), &add), 200);
    let kept = wait_for(&collector, "four spans", |kept| kept.of(other).len() >= 4);
    let spans = kept.of(other);
    let handled = kept.span(other, "process other", CONSUMER);
    let sent = spans
        .iter()
        .find(|span| span.span == handled.parent)
        .expect("its parent");
    let process = kept.span(other, "process counter", CONSUMER);
    assert_eq!((sent.kind, &sent.parent), (PRODUCER, &process.span));
    let expected = [
        "messaging.operation.type=process",
        "messaging.destination.name=other",
        "messaging.message.body.size=16",
    ];
    assert!(
        expected
            .iter()
            .all(|one| handled.attributes.iter().any(|found| found == one)),
        "{handled:?}"
    );
}

/// A kitchen of this language, and one in Rust for it to ask.
fn kitchens(component: &Path) -> String {
    let module = |name: &str, path: &Path| format!("[modules.{name}]\npath = {path:?}\n");
    let actor = |name: &str, module: &str| {
        format!(
            "\n[[actors]]\nname = \"{name}\"\nmodule = \"{module}\"\narguments = \"str:\"\ncapabilities = {{ messages = [\"*\"] }}\n"
        )
    };
    module("kitchen", component)
        + &module("peer", &programs::guest("kitchen_rs"))
        + &actor("kitchen", "kitchen")
        + &actor("peer", "peer")
}

#[test]
fn a_guest_in_any_language_reads_its_span_and_passes_it_on() {
    for name in ["kitchen_rs", "kitchen_py", "kitchen_ts", "kitchen_c", "kitchen_go"] {
        let Some(component) = languages::component(name) else {
            continue;
        };
        let collector = Collector::start();
        let mut alpha = admin_node_in(
            "alpha",
            &["operate"],
            &format!("\n{}", kitchens(&component)),
            &collector.variables(),
        );
        let url = url(&mut alpha);
        let token = bearer(Some("operate")).expect("a token");
        let ask = |message: &str, arguments: Value, traceparent: &str| {
            let body = json!({"target": "kitchen", "message": message, "arguments": arguments});
            let headers = [
                ("content-type", "application/json"),
                ("authorization", &*token),
                ("traceparent", traceparent),
            ];
            let answered = ask(
                "POST",
                &format!("{url}/v1/call"),
                &headers,
                Some(body.to_string().as_bytes()),
            );
            assert_eq!(answered.status, 200, "{name}: {answered:?}");
            answered.json()["reply"].as_str().unwrap_or_default().to_owned()
        };
        let found = ask("Trace", json!([]), &traceparent("01"));
        let kept = wait_for(&collector, "two spans", |kept| kept.of(TRACE).len() >= 2);
        let span = &kept.span(TRACE, "kitchen/Trace", SERVER).span;
        assert_eq!(found, format!("00-{TRACE}-{span}-01"), "{name}");
        // With the language's `await`, and what it does after that is part of it, too.
        let other = "1af7651916cd43dd8448eb211c80319c";
        let answer = ask(
            "AskOther",
            json!(["peer", "get", 20_000]),
            &format!("00-{other}-{PARENT}-01"),
        );
        assert_eq!(answer, "ok:0", "{name}");
        let kept = wait_for(&collector, "four spans", |kept| kept.of(other).len() >= 4);
        let served = kept.span(other, "kitchen/AskOther", SERVER);
        let asked = kept.span(other, "peer/Get", CLIENT);
        assert_eq!(asked.parent, served.span, "{name}");
        assert_eq!(kept.span(other, "peer/Get", SERVER).parent, asked.span, "{name}");
        // And its log lines say where they belong.
        let third = "2af7651916cd43dd8448eb211c80319c";
        let log = json!({"target": "kitchen", "message": "Log", "arguments": ["warn", "burnt"]});
        assert_eq!(call(&url, &format!("00-{third}-{PARENT}-01"), &log), 200, "{name}");
        let is_it = |record: &&LogRecord| collector::body(record).contains("burnt");
        let kept = wait_for(&collector, "the line and its span", |kept| {
            kept.logs.iter().any(|record| is_it(&record)) && kept.of(third).len() >= 2
        });
        let record = kept.logs.iter().find(is_it).expect("the line");
        let span = &kept.span(third, "process kitchen", CONSUMER).span;
        assert_eq!(
            (collector::hex(&record.trace_id), &collector::hex(&record.span_id)),
            (third.to_owned(), span)
        );
    }
}

#[test]
fn a_stock_node_and_a_traced_one_talk_as_ever() {
    let collector = Collector::start();
    let mut alpha = admin_node_in("alpha", &["operate"], "", &collector.variables());
    let address = alpha.address().to_owned();
    let mut stock = Peer::start(
        Kind::Stock,
        "stock",
        &["--actor", "native:natives:200", "--connect", &address],
    );
    stock.wait_session("alpha@localhost");
    stock.wait("members counters", "remote:counter");
    assert_eq!(stock.run("call counters AddAndGet 1"), "1");
    stock.wait("call counters SumOf natives", "200");
    let url = url(&mut alpha);
    let sum = json!({"target": "counter", "message": "SumOf", "arguments": ["natives"]});
    assert_eq!(call(&url, &traceparent("01"), &sum), 200);
    let kept = wait_for(&collector, "the spans of alpha", |kept| kept.of(TRACE).len() >= 3);
    // What came from the stock node has no span, nor has what was sent for it.
    assert!(kept.spans.iter().all(|span| span.trace == TRACE), "{kept:#?}");
}

#[test]
fn a_sender_that_is_in_no_trace_gives_no_span_and_an_unsampled_one_no_records() {
    let collector = Collector::start();
    let mut alpha = admin_node_in("alpha", &["operate"], "", &[]);
    let traced = Collector::start();
    let mut gamma = admin_node_in("gamma", &["operate"], "", &traced.variables());
    let _beta = beta(&[alpha.address(), gamma.address()], &collector.variables());
    let url = url(&mut alpha);
    wait_for_others(&url);
    // This node doesn't trace, whatever the header says.
    assert_eq!(call(&url, &traceparent("01"), &sum_of_others()), 200);

    let url = crate::http::url(&mut gamma);
    wait_for_others(&url);
    assert_eq!(call(&url, &traceparent("00"), &sum_of_others()), 200);
    assert_eq!(call(&url, "00-zz-zz-01", &sum_of_others()), 200);
    // The one that names no trace is the first of another.
    let kept = wait_for(&traced, "the spans of gamma", |kept| !kept.spans.is_empty());
    assert!(kept.of(TRACE).is_empty(), "{kept:#?}");
    let kept = wait_for(&collector, "the logs of beta", |kept| !kept.logs.is_empty());
    assert!(kept.of(TRACE).is_empty(), "{kept:#?}");
}

#[test]
fn a_peer_that_writes_nonsense_about_traces_is_served_as_ever() {
    fn nonsense(payload: Vec<u8>, is_diallers: bool) -> Vec<u8> {
        let rewritten = || {
            let message = Fields::parse(&payload)?;
            let node = message.message(2).filter(|_| !is_diallers)?;
            let (arm @ (1 | 2), _) = *node.0.first()? else {
                return None;
            };
            let mut said = node.message(arm)?;
            said.0.retain(|(number, _)| *number < 100);
            said.0.push((100, Field::Bytes(vec![0xff; 55])));
            said.0.push((101, Field::Bytes(vec![0; 100_000])));
            Some(said.within(arm).within(2).to_bytes())
        };
        rewritten().unwrap_or(payload.clone())
    }
    let collector = Collector::start();
    let variables = collector.variables();
    let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
    let middle = wire::middle(alpha.address(), nonsense).to_string();
    let mut beta = beta(&[&middle], &variables);
    let url = url(&mut alpha);
    wait_for_others(&url);
    for _ in 0..3 {
        assert_eq!(call(&url, &traceparent("01"), &sum_of_others()), 200);
    }
    let kept = wait_for(&collector, "the spans of alpha", |kept| kept.of(TRACE).len() >= 9);
    assert!(kept.spans.iter().all(|span| span.name != "other/Get"), "{kept:#?}");
    assert!(beta.process().ended().is_none());
}

#[test]
fn a_command_begins_a_trace_or_goes_on_with_that_of_its_script() {
    let collector = Collector::start();
    let mut alpha = admin_node_in("alpha", &["operate"], "", &collector.variables());
    let call = |alpha: &HostNode, variables: &[(&str, &str)]| {
        let words = [
            "call",
            "counter",
            "Get",
            "--node",
            alpha.address(),
            "--cookie-file",
            "cookie",
        ];
        let mut command: Command = command(&alpha.file(""), &words);
        command.envs(collector.variables()).envs(variables.iter().copied());
        let ended = ractor_host_tests::cli::end("ractor-host call", &mut command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    call(&alpha, &[]);
    let kept = wait_for(&collector, "both spans", |kept| kept.spans.len() >= 2);
    let first = kept
        .spans
        .iter()
        .find(|span| span.kind == CLIENT)
        .expect("the command's span");
    assert_eq!(first.parent, "");
    assert_eq!(kept.span(&first.trace, "counter/Get", SERVER).parent, first.span);

    let traceparent = traceparent("01");
    call(&alpha, &[("TRACEPARENT", traceparent.as_str())]);
    let kept = wait_for(&collector, "both spans", |kept| kept.of(TRACE).len() >= 2);
    assert_eq!(kept.span(TRACE, "counter/Get", CLIENT).parent, PARENT);
    assert!(alpha.process().ended().is_none());
}

#[test]
fn logs_and_metrics_come_along() {
    let collector = Collector::start();
    let mut alpha = admin_node_in("alpha", &["operate"], "", &collector.variables());
    let url = url(&mut alpha);
    assert_eq!(call(&url, "", &json!({"target": "counter", "message": "Get"})), 200);
    let up = |kept: &Kept| {
        kept.logs
            .iter()
            .any(|record| collector::body(record).contains("node is up"))
    };
    let kept = wait_for(&collector, "the log", up);
    let started = kept
        .logs
        .iter()
        .find(|record| collector::body(record) == "counting")
        .expect("the guest's own line");
    assert!(
        collector::texts(&started.attributes).contains(&"actor=counter".to_owned()),
        "{started:?}"
    );
    let wanted = [
        "ractor_host_uptime_seconds",
        "ractor_host_guest_messages_total",
        "ractor_host_guest_handler_seconds_count",
    ];
    let kept = wait_for(&collector, "the metrics", |kept| {
        wanted
            .iter()
            .all(|name| kept.metrics.iter().any(|metric| metric.name == *name))
    });
    let uptime = kept
        .metrics
        .iter()
        .find(|metric| metric.name == wanted[0])
        .expect("a metric");
    assert_eq!(uptime.unit, "s");
}

#[test]
fn a_collector_that_is_down_or_hangs_holds_nothing_up_and_the_end_waits_seconds_only() {
    let hanging = Collector::with(Manners::Hangs);
    for variables in [collector::variables(1), hanging.variables()] {
        let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
        let url = url(&mut alpha);
        for _ in 0..50 {
            let get = json!({"target": "counter", "message": "Get"});
            assert_eq!(call(&url, &traceparent("01"), &get), 200);
        }
        let before = Instant::now();
        alpha.process().signal(Signal::TERM);
        assert!(alpha.process().wait_exit().success());
        // A bound, and none on how fast this machine is: a node that gave it the time that it likes would take 10 s for each signal.
        assert!(
            before.elapsed() < Duration::from_secs(wait::seconds(20)),
            "{:?}",
            before.elapsed()
        );
    }
}

#[test]
fn what_is_left_is_exported_at_the_end() {
    let collector = Collector::start();
    let mut variables = collector.variables();
    for (name, value) in &mut variables {
        if name.ends_with("SCHEDULE_DELAY") {
            *value = "600000".to_owned();
        }
    }
    let mut alpha = admin_node_in("alpha", &["operate"], "", &variables);
    let url = url(&mut alpha);
    assert_eq!(
        call(
            &url,
            &traceparent("01"),
            &json!({"target": "counter", "message": "Get"})
        ),
        200
    );
    alpha.process().signal(Signal::TERM);
    assert!(alpha.process().wait_exit().success());
    let kept = collector.kept();
    assert_eq!(kept.of(TRACE).len(), 2, "{kept:#?}");
    assert!(kept.logs.iter().any(|record| collector::body(record) == "node is down"));
}

#[test]
fn a_variable_that_can_not_be_followed_is_explained_before_the_node_starts() {
    let folder = ractor_host_tests::host::NodeFolder::new(&ractor_host_tests::host::node_toml("alpha", ""), COOKIE);
    let mut command = run(&folder.path("node.toml"));
    command.envs([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ]);
    let mut process = Process::start("alpha (ractor-host run)", &mut command);
    assert_eq!(process.wait_exit().code(), Some(2));
    let lines = process.lines(Stream::Stderr).join("\n");
    assert!(lines.contains("use `http/protobuf`"), "{lines}");
}
