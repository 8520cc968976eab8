//! What an operator does by HTTP besides: traces actors, has them go back to kept states, starts others, and applies node.toml.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ractor_host_tests::host::HostNode;
use ractor_host_tests::{programs, wait};
use serde_json::{Value, json};

use crate::http::{TOKENS, admin_node, ask, get, post, url};
use crate::schemas::closed;

fn document() -> Value {
    serde_json::from_str(include_str!("../../../docs/openapi.json")).expect("JSON")
}

/// Fails if an answer isn't as this schema of the OpenAPI document says, down to the last property.
#[track_caller]
fn check(name: &str, answer: &Value) {
    let reference = json!({"$ref": format!("#/components/schemas/{name}")});
    check_against(name, reference, answer);
}

#[track_caller]
fn check_against(name: &str, mut schema: Value, answer: &Value) {
    schema["components"] = document()["components"].clone();
    closed(&mut schema);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let complaints: Vec<String> = validator.iter_errors(answer).map(|error| error.to_string()).collect();
    assert!(complaints.is_empty(), "{name}: {complaints:#?}\n{answer:#}");
}

/// A node with a guest that describes itself and whose states are kept.
fn kitchen() -> HostNode {
    let path = programs::guest("kitchen_rs");
    let more = format!(
        "[modules.kitchen]\npath = {path:?}\n[[actors]]\nname = \"one\"\nmodule = \"kitchen\"\narguments = \"str:\"\ngroups = [\"cooks\"]\n\
         checkpoint = {{ every = \"50ms\", keep = 10 }}\n"
    );
    admin_node("alpha", &["operate", "deploy"], &more)
}

/// Has an actor do it.
#[track_caller]
fn message(url: &str, verb: &str, message: &str, arguments: &Value) -> Value {
    let body = json!({"target": "one", "message": message, "arguments": arguments});
    let answered = post(&format!("{url}/v1/{verb}"), Some("operate"), &body);
    assert_eq!(answered.status, 200, "{}", answered.body);
    answered.json()
}

/// All events of a trace to its end, as somebody with this role reads it.
#[track_caller]
fn read(url: &str, begun: &Value, role: Option<&str>, values: bool) -> (Vec<Value>, Value) {
    let trace = begun["trace"].as_str().expect("a number");
    let (mut events, mut next) = (Vec::new(), json!(0));
    loop {
        let page = get(
            &format!("{url}/v1/traces/{trace}?next={next}&values={values}&wait_ms=20000"),
            role,
        )
        .json();
        check("TracedEvents", &page);
        events.extend(page["events"].as_array().into_iter().flatten().cloned());
        next = page["next"].clone();
        if !page["ended"].is_null() {
            return (events, page["ended"].clone());
        }
    }
}

#[test]
fn a_trace_is_begun_and_read_by_http_and_values_take_the_role_operate() {
    let mut alpha = kitchen();
    let url = url(&mut alpha);
    let traces = format!("{url}/v1/traces");
    let begin = |role: Option<&str>, body: Value| post(&traces, role, &body);
    let sizes = begin(
        None,
        json!({"target": "one", "message": "Add", "most": 2, "for_ms": 60_000}),
    )
    .json();
    check("TraceBegun", &sizes);
    assert_eq!((&sizes["actors"], &sizes["most"]), (&json!(["one"]), &json!(2)));
    let full = json!({"target": "group:cooks", "values": true, "most": 2, "each_second": 1_000_000});
    assert_eq!(begin(None, full.clone()).problem().1, "role");
    let full = begin(Some("operate"), full).json();
    assert_eq!(full["each_second"], 1000, "the node has a bound of its own: {full}");
    message(&url, "cast", "Add", &json!([5]));
    let (seen, ended) = read(&url, &sizes, None, false);
    assert_eq!(ended, "count");
    assert_eq!(
        (&seen[0]["event"], &seen[0]["message"], &seen[0]["values"]),
        (&json!("cast-in"), &json!("Add"), &Value::Null)
    );
    assert_eq!(seen[1]["event"], "handled", "{seen:?}");
    let trace = full["trace"].as_str().expect("a number");
    let looking = get(&format!("{traces}/{trace}?values=true"), None);
    assert_eq!(looking.problem().1, "role", "the number alone shows no values");
    let (seen, _) = read(&url, &full, Some("operate"), true);
    assert_eq!(seen[0]["values"], json!([5]));
    for (path, status, says) in [
        ("0000000000000001", 409, "there is no such trace"),
        ("1", 400, "expected the 16 hexadecimal digits"),
        ("0000000000000001?last=1", 400, "there is no `last` here"),
    ] {
        let (found, _, detail) = get(&format!("{traces}/{path}"), None).problem();
        assert!(found == status && detail.contains(says), "{path}: {detail}");
    }
    let running = begin(None, json!({"target": "one"})).json();
    let running = format!("{traces}/{}", running["trace"].as_str().expect("a number"));
    assert_eq!(ask("DELETE", &running, &[], None).json(), json!({"ended": true}));
    for method in ["DELETE", "GET"] {
        let (status, _, detail) = ask(method, &running, &[], None).problem();
        assert!(status == 409 && detail.contains("there is no such trace"), "{detail}");
    }
    let unknown = begin(None, json!({"target": "oen"})).problem();
    assert!(
        unknown.0 == 409 && unknown.2.contains("did you mean `one`?"),
        "{unknown:?}"
    );
}

#[test]
fn an_actor_goes_back_to_a_kept_state_by_http() {
    let mut alpha = kitchen();
    let url = url(&mut alpha);
    let kept = || {
        let listed = get(&format!("{url}/v1/actors/one/checkpoints"), None).json();
        listed["checkpoints"].as_array().cloned().unwrap_or_default()
    };
    let newest = || kept().first().map(|kept| kept["number"].as_u64());
    // What it knew at its start comes first, so that the next one is that of what it is told.
    wait::until("the first checkpoint", newest, Option::is_some);
    let add = |n: u64| {
        let before = newest();
        message(&url, "cast", "Add", &json!([n]));
        wait::until("a checkpoint", newest, |now| *now > before);
    };
    add(5);
    let first = kept()[0].clone();
    check("Checkpoint", &first);
    add(2);
    let back = format!("{url}/v1/actors/one/back");
    let wanted = json!({"number": first["number"]});
    assert_eq!(post(&back, None, &wanted).problem().1, "role");
    let went = post(&back, Some("operate"), &wanted).json();
    check("WentBack", &went);
    assert_eq!((&went["to"]["number"], &went["kept"]), (&first["number"], &json!(true)));
    assert_eq!(message(&url, "call", "Get", &json!([]))["reply"], 5);
    // Without a number, it is the newest that it does not know now.
    assert_eq!(post(&back, Some("operate"), &json!({})).status, 200);
    assert_eq!(message(&url, "call", "Get", &json!([]))["reply"], 7);
    let (status, _, detail) = post(&back, Some("operate"), &json!({"number": 999})).problem();
    assert!(
        status == 409 && detail.contains("there is no such checkpoint"),
        "{detail}"
    );
    let shown = get(&format!("{url}/v1/actors/one"), None).json();
    check("ActorDetail", &shown);
    assert!(
        shown["checkpoints"].as_array().is_some_and(|kept| kept.len() > 1),
        "{shown}"
    );
}

#[test]
fn another_guest_is_started_by_http() {
    let mut alpha = kitchen();
    let url = url(&mut alpha);
    let spawn = format!("{url}/v1/spawn");
    let third = json!({"module": "kitchen", "name": "third", "arguments": ["hello"], "groups": ["cooks"]});
    assert_eq!(post(&spawn, None, &third).problem().1, "role");
    let started = post(&spawn, Some("operate"), &third).json();
    check("Spawned", &started);
    let shown = get(&format!("{url}/v1/actors/third"), None).json();
    assert_eq!(
        (&shown["row"]["pid"], &shown["row"]["groups"]),
        (&started["pid"], &json!(["cooks"]))
    );
    for (body, status, says) in [
        (third, 409, "`third` does not start"),
        (
            json!({"module": "kichten", "name": "x"}),
            409,
            "did you mean `kitchen`?",
        ),
        (json!({"module": "kitchen"}), 400, "missing field `name`"),
        (
            json!({"module": "kitchen", "name": "x", "count": 3}),
            400,
            "unknown field `count`",
        ),
    ] {
        let (found, _, detail) = post(&spawn, Some("operate"), &body).problem();
        assert!(found == status && detail.contains(says), "{body}: {detail}");
    }
}

/// The files of the tokens, which were read and are gone: the file that is applied is to be whole.
fn tokens_again(node_toml: &str) -> PathBuf {
    let mut folder = None;
    for line in node_toml.lines() {
        let Some((role, path)) = line.split_once("_token_file = ") else {
            continue;
        };
        let path = Path::new(path.trim_matches('"'));
        let parent = path.parent().expect("a folder");
        fs::create_dir_all(parent).expect("a folder");
        folder = Some(parent.to_owned());
        let (_, token) = TOKENS.into_iter().find(|(name, _)| *name == role).expect("a role");
        fs::write(path, token).expect("a token");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a token of its owner");
    }
    folder.expect("tokens")
}

#[test]
fn a_changed_node_toml_is_planned_and_applied_by_http() {
    let mut alpha = admin_node("alpha", &["operate", "deploy"], "");
    let url = url(&mut alpha);
    let apply = format!("{url}/v1/apply");
    let file = alpha.file("node.toml");
    let text = fs::read_to_string(&file).expect("its file");
    let secrets = tokens_again(&text);
    let another = "[[actors]]\nname = \"other\"\nmodule = \"counter\"\narguments = \"u64:5\"\n";
    fs::write(&file, format!("{text}{another}")).expect("another file");
    assert_eq!(
        post(&apply, Some("operate"), &json!({"dry_run": true})).problem().1,
        "role"
    );
    let planned = post(&apply, Some("deploy"), &json!({"dry_run": true})).json();
    check("Applied", &planned);
    assert_eq!(planned["outcome"], "planned", "{planned}");
    let added = json!({"action": "add", "of": "actors", "name": "other", "actors": 1});
    assert_eq!(planned["changes"], json!([added]));
    let other = format!("{url}/v1/actors/other");
    assert_eq!(get(&other, None).status, 404, "only the plan was asked for");
    let id = "00000000000000a7";
    let applied = post(&apply, Some("deploy"), &json!({"id": id})).json();
    assert_eq!(applied["outcome"], "applied", "{applied}");
    assert_eq!(get(&other, None).status, 200);
    let again = get(&format!("{url}/v1/requests/{id}"), None).json();
    check("Applied", &again);
    assert_eq!(again["outcome"], "applied");
    let repeated = post(&apply, Some("deploy"), &json!({"id": id})).problem();
    assert!(repeated.2.contains("was sent before"), "{repeated:?}");
    fs::write(&file, "[node]\nname = 7\n").expect("a wrong file");
    let wrong = post(&apply, Some("deploy"), &json!({})).json();
    check("Applied", &wrong);
    assert_eq!(wrong["outcome"], "wrong-file", "{wrong}");
    assert!(wrong["reasons"][0].is_string(), "{wrong}");
    fs::remove_dir_all(secrets).expect("the tokens were there");
}

#[test]
fn what_a_node_says_of_itself_is_as_the_openapi_document_says() {
    let mut alpha = kitchen();
    let url = url(&mut alpha);
    let _beta = HostNode::start("beta", &format!("peers = [{:?}]\n", alpha.address()));
    let links = || get(&format!("{url}/v1/links"), None).json();
    wait::until("a session", links, |links| links["links"][0]["figures"].is_object());
    for action in ["kill", "stop"] {
        let steer = json!({"action": action, "target": "counter"});
        assert_eq!(post(&format!("{url}/v1/steer"), Some("operate"), &steer).status, 200);
    }
    message(&url, "cast", "ThrowCast", &json!(["no soup"]));
    let failed = || get(&format!("{url}/v1/actors/one"), None).json();
    wait::until("the failure", failed, |shown| shown["last_failure"].is_object());
    let document = document();
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let schema = item.pointer("/get/responses/200/content/application~1json/schema");
        // What goes on, what only some requests have, and what isn't about the node.
        let is_other = path.contains("{id}") || ["/v1/stream", "/v1/openapi.json"].contains(&&**path);
        let Some(schema) = schema.filter(|_| !is_other) else {
            continue;
        };
        let address = format!("{url}{}", path.replace("{target}", "one"));
        let answered = ask("GET", &address, &[("accept", "application/json")], None);
        assert_eq!(answered.status, 200, "{path}: {}", answered.body);
        check_against(path, schema.clone(), &answered.json());
        checked += 1;
    }
    assert!(checked >= 13, "{checked} operations");
}
