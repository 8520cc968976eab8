//! What the admin HTTP of a node tells and does.

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::programs;
use ractor_host_tests::wait;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::http::{admin_node, ask, bearer, get, post, url};
use crate::operator::{at, json as printed};

const ALL: [&str; 3] = ["observe", "operate", "deploy"];

#[test]
fn probes_are_told_whether_a_node_is_ready_and_what_is_missing() {
    let mut alpha = admin_node("alpha", &[], "required_peers = [\"beta@localhost\"]");
    let url = url(&mut alpha);
    assert_eq!(get(&format!("{url}/healthz"), None).status, 200);
    let readyz = format!("{url}/readyz");
    let missing = get(&readyz, None);
    assert_eq!(missing.status, 503);
    assert_eq!(
        missing.body,
        "not ready\npeer beta@localhost: there is no session with it\n"
    );
    let as_json = || ask("GET", &readyz, &[("accept", "application/json")], None).json();
    assert_eq!(
        as_json(),
        json!({
            "node": "alpha@localhost", "ready": false, "phase": "running", "reasons": 1,
            "missing": [{"what": "peer", "name": "beta@localhost", "reason": "there is no session with it"}],
        })
    );
    let status = || get(&format!("{url}/v1/status"), None).json();
    assert_eq!(
        (&status()["ready"], &status()["missing_peers"]),
        (&json!(false), &json!(["beta@localhost"]))
    );
    assert!(
        get(&format!("{url}/metrics"), None)
            .body
            .contains("ractor_host_ready 0")
    );
    let beta = HostNode::start("beta", &format!("peers = [{:?}]\n", alpha.address()));
    wait::until(
        "alpha to be ready",
        || get(&readyz, None).body,
        |body| body == "ready\n",
    );
    assert_eq!(status()["ready"], true);
    drop(beta);
    wait::until(
        "alpha not to be ready",
        || get(&readyz, None).status,
        |status| *status == 503,
    );
}

#[test]
fn probes_need_no_token_and_learn_no_names_without_one() {
    let mut alpha = admin_node("alpha", &ALL, "required_peers = [\"beta@localhost\"]");
    let readyz = format!("{}/readyz", url(&mut alpha));
    let stranger = get(&readyz, None);
    assert_eq!((stranger.status, stranger.body.as_str()), (503, "not ready\n"));
    assert!(get(&readyz, Some("observe")).body.contains("beta@localhost"));
}

#[test]
fn the_api_says_what_the_commands_print() {
    let mut alpha = admin_node("alpha", &[], "");
    let url = url(&mut alpha);
    let beta = HostNode::start(
        "beta",
        &format!(
            "peers = [{:?}]\n{}",
            alpha.address(),
            guest_counter("other", "counters", 0)
        ),
    );
    wait::until(
        "the groups of both nodes",
        || get(&format!("{url}/v1/groups"), None).json(),
        |groups| groups["groups"][0]["elsewhere"][0]["members"] == 1,
    );
    for (path, words, key) in [
        ("actors", &["ps", "--all"][..], "actors"),
        ("groups", &["groups"], "groups"),
    ] {
        // Actors of the node itself come and go.
        wait::until(
            "the API and the command to say the same",
            || {
                let told = get(&format!("{url}/v1/{path}"), None).json();
                let printed = printed(&alpha, words)[0][key].clone();
                (without_figures(told[key].clone()), without_figures(printed))
            },
            |(told, printed)| told == printed && told.is_array(),
        );
    }
    let status = get(&format!("{url}/v1/status"), None).json();
    assert_eq!(status["modules"][0]["name"], "counter");
    assert_eq!(status["ready"], true);
    let nodes = get(&format!("{url}/v1/nodes"), None).json();
    assert_eq!(nodes["nodes"][0]["name"], beta.name());
    let asked = post(&format!("{url}/v1/ask"), None, &json!({"ask": "status"}));
    assert_eq!(asked.json(), status);
}

#[test]
fn messages_are_sent_as_json_with_the_types_that_the_actor_describes() {
    let mut alpha = admin_node("alpha", &["operate"], "");
    let url = url(&mut alpha);
    let call = |body: Value| post(&format!("{url}/v1/call"), Some("operate"), &body);
    let cast = |body: Value| post(&format!("{url}/v1/cast"), Some("operate"), &body);
    let sent = cast(json!({"target": "counter", "message": "Add", "arguments": [2]}));
    assert_eq!((sent.status, sent.json()), (200, json!({"actors": 1})));
    let replied = call(json!({"target": "group:counters", "message": "AddAndGet", "arguments": ["5"]}));
    assert_eq!(replied.json(), json!({"reply": 7, "reply_type": "u64"}));
    let typed = call(json!({
        "target": "counter", "message": "AddAndGet", "arguments": [1], "argument_types": ["u64"], "reply_type": "bytes",
    }));
    assert_eq!(typed.json()["reply"], "0000000000000008");
    // Through this node to another one.
    let beta = HostNode::start(
        "beta",
        &format!(
            "peers = [{:?}]\n{}",
            alpha.address(),
            guest_counter("other", "others", 40)
        ),
    );
    let there = json!({"target": format!("other@{}", beta.name()), "message": "AddAndGet", "arguments": [2]});
    let replied = wait::until(
        "a session with beta",
        || call(there.clone()),
        |replied| replied.status == 200,
    );
    assert_eq!(replied.json()["reply"], 42);
}

/// The same rows without what changes from one look to the next.
fn without_figures(mut rows: Value) -> Value {
    for row in rows.as_array_mut().into_iter().flatten() {
        row["figures"].take();
    }
    rows
}

/// What is wrong with a message: the verb, the body, and how the answer says so.
#[rustfmt::skip] // a row each
const WRONG: &[(&str, &str, u16, &str, &str)] = &[
    ("call", r#"{"target": "nobody", "message": "Get"}"#, 404, "no-target", "no actor here is named \"nobody\""),
    ("call", r#"{"target": "group:", "message": "Get"}"#, 400, "bad-target", "names no group"),
    ("call", r#"{"target": "pid:1", "message": "Get"}"#, 404, "no-target", "no actor with pid 1"),
    ("cast", r#"{"target": "group:none", "message": "Add"}"#, 404, "no-target", "has no members"),
    ("call", r#"{"target": "counter", "message": "Gte"}"#, 422, "no-message", "did you mean `Get`?"),
    ("call", r#"{"target": "counter", "message": "Add", "arguments": [1]}"#, 422, "no-message", "it is cast, and not called"),
    ("cast", r#"{"target": "counter", "message": "Get"}"#, 422, "no-message", "it is called, and not cast"),
    ("cast", r#"{"target": "counter", "message": "Add"}"#, 422, "bad-arguments", "takes 1 argument, found 0"),
    ("cast", r#"{"target": "counter", "message": "Add", "arguments": [-1]}"#, 422, "bad-arguments", "is not a value of type u64"),
    ("cast", r#"{"target": "counter", "message": "Add", "arguments": [{}]}"#, 422, "bad-arguments", "it takes a number"),
    ("cast", r#"{"target": "counter", "message": "Add", "arguments": [1], "argument_types": []}"#, 422, "bad-arguments", "0 `argument_types` for 1"),
    ("cast", r#"{"target": "counter", "message": "Add", "arguments": [1], "argument_types": ["u46"]}"#, 422, "bad-arguments", "there is no type \"u46\""),
    ("cast", r#"{"target": "counter", "message": "Add", "argumens": [1]}"#, 400, "bad-request", "unknown field `argumens`"),
    ("cast", r#"{"target": "counter"}"#, 400, "bad-request", "missing field `message`"),
    ("cast", r#"[]"#, 400, "bad-request", "the body is not what is expected"),
];

#[test]
fn a_message_that_can_not_be_sent_is_explained() {
    let mut alpha = admin_node("alpha", &["operate"], "");
    let url = url(&mut alpha);
    for (verb, body, status, kind, says) in WRONG {
        let body = serde_json::from_str(body).expect("JSON");
        let answered = post(&format!("{url}/v1/{verb}"), Some("operate"), &body);
        let (found, of, detail) = answered.problem();
        assert_eq!((found, of.as_str()), (*status, *kind), "{verb} {body}: {detail}");
        assert!(detail.contains(says), "{verb} {body}: {detail}");
    }
}

#[test]
fn code_is_uploaded_replaced_and_taken_back() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("key");
    std::fs::write(&key, "0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
    let mut alpha = admin_node("alpha", &ALL, &format!("[control]\nkey_file = {key:?}\n"));
    let url = url(&mut alpha);
    let component = std::fs::read(programs::guest("counter")).expect("the component");
    // The same code in other bytes: a custom section at its end, which says nothing.
    let component = [component.as_slice(), b"\0\x05\x04next"].concat();
    let digest = format!("sha256:{}", hex(&Sha256::digest(&component)));
    let place = format!("{url}/v1/components/{digest}");
    let begun = post(&place, Some("deploy"), &json!({"size": component.len()}));
    assert_eq!(begun.json(), json!({"offset": 0, "complete": false}));
    let token = bearer(Some("deploy")).expect("a token");
    let mut offset = 0;
    for piece in component.chunks(component.len() / 2 + 1) {
        let to = format!("{place}?offset={offset}");
        let put = ask("PUT", &to, &[("authorization", &token)], Some(piece));
        offset += piece.len();
        let complete = offset == component.len();
        assert_eq!(put.json(), json!({"offset": offset, "complete": complete}));
    }
    let id = "00ff00ff00ff00ff";
    let reload = json!({"id": id, "digest": digest});
    let reloaded = post(&format!("{url}/v1/modules/counter/reload"), Some("deploy"), &reload);
    assert_eq!(reloaded.json()["report"]["verdict"], "reloaded", "{}", reloaded.body);
    let outcome = get(&format!("{url}/v1/requests/{id}"), Some("observe"));
    assert_eq!(outcome.json()["report"]["new"], digest);
    let again = post(&format!("{url}/v1/modules/counter/reload"), Some("deploy"), &reload);
    let (status, kind, detail) = again.problem();
    assert_eq!((status, kind.as_str()), (409, "refused"), "{detail}");
    assert!(detail.contains("was sent before"), "{detail}");
    let rollback = |planned: &Value| {
        let body = json!({"planned": planned});
        post(&format!("{url}/v1/modules/counter/rollback"), Some("deploy"), &body)
    };
    // What somebody was shown is done, or nothing.
    let other = rollback(&json!(format!("sha256:{}", "0".repeat(64)))).problem();
    assert!(
        other.0 == 409 && other.2.contains("no other version to go back to with the digest"),
        "{other:?}"
    );
    let planned = outcome.json()["report"]["old"].clone();
    let back = rollback(&planned);
    assert_eq!(back.json()["report"]["old"], digest, "{}", back.body);
    assert_eq!(back.json()["report"]["new"], planned, "{}", back.body);
    let unknown = post(&format!("{url}/v1/modules/conuter/reload"), Some("deploy"), &json!({}));
    let (status, _, detail) = unknown.problem();
    assert_eq!(status, 409);
    assert!(
        detail.contains("there is no module `conuter`; there is: counter"),
        "{detail}"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_a_peer_sent_before_it_was_gone_is_counted() {
    let mut alpha = admin_node("alpha", &[], "");
    let url = url(&mut alpha);
    let peers = format!("peers = [{:?}]\n", alpha.address());
    let mut beta = HostNode::start("beta", &peers);
    let happened = |text: &str| {
        let events = || get(&format!("{url}/v1/events"), None).body;
        wait::until(text, events, |events| events.contains(text));
    };
    happened("session-up");
    beta.process().kill();
    happened("session-down");
    // Nobody has looked while there was a session.
    let metrics = get(&format!("{url}/metrics"), None).body;
    let received = "ractor_host_link_messages_total{peer=\"beta@localhost\",direction=\"received\",kind=\"control\"} ";
    let counted = metrics.lines().find_map(|line| line.strip_prefix(received));
    let counted = counted.and_then(|counted| counted.parse::<f64>().ok());
    assert!(counted.is_some_and(|counted| counted > 0.0), "{metrics}");
}

#[test]
fn metrics_are_what_a_parser_of_prometheus_reads() {
    let mut alpha = admin_node("alpha", &[], "");
    let metrics = format!("{}/metrics", url(&mut alpha));
    let answered = get(&metrics, None);
    assert_eq!(
        answered.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let lines = answered.body.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).expect("the text format of Prometheus");
    let ready = scrape
        .samples
        .iter()
        .find(|sample| sample.metric == "ractor_host_ready");
    let ready = ready.unwrap_or_else(|| panic!("not there: {}", answered.body));
    assert_eq!(ready.value, prometheus_parse::Value::Gauge(1.0));
    assert!(scrape.docs.contains_key("ractor_host_ready"), "{:?}", scrape.docs);
    let open = ask(
        "GET",
        &metrics,
        &[("accept", "application/openmetrics-text; version=1.0.0")],
        None,
    );
    assert_eq!(
        open.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(open.body.ends_with("# EOF\n"), "{}", open.body);
    assert!(open.body.contains("# TYPE ractor_host_ready gauge\n"), "{}", open.body);
}

#[test]
fn a_node_without_the_table_has_no_admin_http() {
    let mut alpha = crate::operator::node("alpha", "");
    let ready = alpha.process().lines(ractor_host_tests::process::Stream::Stdout);
    assert!(!ready.iter().any(|line| line.contains("admin=")), "{ready:?}");
}

#[test]
fn check_says_where_the_admin_http_would_be_and_who_could_do_what() {
    let alpha = admin_node("alpha", &["operate"], "");
    let checked = at(&alpha, &["check", "node.toml"]);
    // The token has gone since, which is a mistake of the file.
    assert_eq!(checked.code, Some(2));
    assert!(checked.stderr.contains("operate_token_file"), "{}", checked.stderr);
    let token = alpha.file("token");
    std::fs::write(&token, "0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a token");
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
    let set = format!("admin.operate_token_file={token:?}");
    let checked = at(&alpha, &["check", "node.toml", "--set", &set]);
    let expected = "  admin HTTP, would listen on http://127.0.0.1:0\n    whoever is on this machine may observe\n    \
                    a token is known by which one may operate\n";
    assert!(checked.answer().contains(expected), "{}", checked.stdout);
}
