//! Nodes of a cluster with counters that are entities, and messages to them by each node's admin HTTP.

use std::fs;
use std::time::Duration;

use ractor_host_tests::COOKIE;
use ractor_host_tests::cli::{self, Ended};
use ractor_host_tests::host::{HostNode, keep_private};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::{VARIABLE, cluster, free_port};

const TOKEN: &str = "operate-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// One of the nodes.
pub(crate) struct Member {
    pub(crate) node: HostNode,
    url: String,
    agent: Agent,
    _secrets: TempDir,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Count(u64),
    /// The status, and what was said.
    Failed(u16, String),
    /// There is nobody.
    Gone,
}

impl Member {
    /// A node with entities of the type `count`, with these lines in their table.
    #[track_caller]
    pub(crate) fn start(name: &str, store: &str, lines: &str) -> Self {
        Self::start_set(name, store, lines, &[])
    }

    /// The same with keys of its file that are set to something else.
    #[track_caller]
    pub(crate) fn start_set(name: &str, store: &str, lines: &str, set: &[&str]) -> Self {
        let counter = programs::guest("counter");
        let entities = format!(
            "[modules.counter]\npath = {counter:?}\n[entities.count]\nmodule = \"counter\"\narguments = \"u64:0\"\nshards = 32\n{lines}"
        );
        Self::start_node_set(name, store, &entities, set)
    }

    /// A node of the cluster with this in its file.
    #[track_caller]
    pub(crate) fn start_node(name: &str, store: &str, rest: &str) -> Self {
        Self::start_node_set(name, store, rest, &[])
    }

    #[track_caller]
    fn start_node_set(name: &str, store: &str, rest: &str, set: &[&str]) -> Self {
        let secrets = tempfile::tempdir().expect("a folder");
        let token = secrets.path().join("token");
        fs::write(&token, TOKEN).expect("a token");
        keep_private(&token);
        let port = free_port();
        let rest = format!(
            "{}[runtime]\nstate_dir = \"state\"\n[admin]\nlisten = '127.0.0.1:0'\noperate_token_file = {token:?}\n{rest}",
            cluster(port)
        );
        let mut node = HostNode::start_by(name, COOKIE, &rest, |mut command| {
            let listen = format!("node.listen=\"127.0.0.1:{port}\"");
            command.args(["--set", &listen]).env(VARIABLE, store);
            command.args(set.iter().flat_map(|key| ["--set", key]));
            Process::start(&format!("{name} (ractor-host run)"), &mut command)
        });
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(wait::PATIENCE + Duration::from_secs(30)))
            .build();
        let lines = node.process().lines(Stream::Stdout);
        let words = lines.iter().flat_map(|line| line.split(' '));
        let url = words.filter_map(|word| word.strip_prefix("admin=")).next();
        let url = url.unwrap_or_else(|| panic!("no admin= in {lines:?}")).to_owned();
        Self {
            url,
            node,
            agent: config.into(),
            _secrets: secrets,
        }
    }

    pub(crate) fn call(&self, target: &str, message: &str, arguments: &Value) -> Answer {
        self.send(target, message, arguments, None)
    }

    fn send(&self, target: &str, message: &str, arguments: &Value, idempotency_key: Option<&str>) -> Answer {
        let Some((status, said)) = self.post("call", target, message, arguments, idempotency_key) else {
            return Answer::Gone;
        };
        let number = serde_json::from_str::<Value>(&said)
            .ok()
            .and_then(|said| said["reply"].as_u64());
        match number {
            Some(number) if status == 200 => Answer::Count(number),
            _ => Answer::Failed(status, said),
        }
    }

    /// The reply to a call as JSON; what was said if there is none.
    pub(crate) fn ask(&self, target: &str, message: &str, arguments: &Value) -> Result<Value, String> {
        match self.post("call", target, message, arguments, None) {
            Some((200, said)) => Ok(serde_json::from_str::<Value>(&said).expect("JSON")["reply"].clone()),
            answer => Err(format!("{answer:?}")),
        }
    }

    #[track_caller]
    pub(crate) fn cast(&self, target: &str, message: &str, arguments: &Value) {
        let answer = self.post("cast", target, message, arguments, None);
        assert!(matches!(answer, Some((200, _))), "{message}: {answer:?}");
    }

    /// The status and the body of the answer; none if nobody is there.
    fn post(
        &self,
        verb: &str,
        target: &str,
        message: &str,
        arguments: &Value,
        idempotency_key: Option<&str>,
    ) -> Option<(u16, String)> {
        let body = json!({"target": target, "message": message, "arguments": arguments}).to_string();
        let request = self.agent.post(format!("{}/v1/{verb}", self.url));
        let request = request
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json");
        let request = match idempotency_key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let mut answered = request.send(body).ok()?;
        let status = answered.status().as_u16();
        Some((status, answered.body_mut().read_to_string().ok()?))
    }

    pub(crate) fn add(&self, key: &str) -> Answer {
        self.call(&format!("entity:count/{key}"), "AddAndGet", &json!([1]))
    }

    /// The same as a call that may be repeated.
    pub(crate) fn add_once(&self, key: &str, idempotency_key: &str) -> Answer {
        self.send(
            &format!("entity:count/{key}"),
            "AddAndGet",
            &json!([1]),
            Some(idempotency_key),
        )
    }

    /// The count of an entity, as soon as some node has it.
    #[track_caller]
    pub(crate) fn get(&self, key: &str) -> u64 {
        let get = || self.call(&format!("entity:count/{key}"), "Get", &json!([]));
        match wait::until(&format!("the count of {key}"), get, |got| {
            matches!(got, Answer::Count(_))
        }) {
            Answer::Count(count) => count,
            other => panic!("{other:?}"),
        }
    }

    /// Its entities that are active.
    pub(crate) fn active(&self) -> u64 {
        let all = self.json(&["entities"]);
        let types = all[0]["types"].as_array().expect("types");
        types.iter().filter_map(|of| of["active"].as_u64()).sum()
    }

    /// What a command says of this node as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(self.run(words).answer()).expect("JSON")
    }

    /// A command to this node.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        let mut command = programs::ractor_host();
        command
            .current_dir(self.node.file(""))
            // It asks the node, and not the store.
            .env(VARIABLE, "postgres://nobody@127.0.0.1/nothing")
            .args(words)
            .args(["--output", "json"]);
        cli::end(&format!("ractor-host {}", words.join(" ")), &mut command)
    }
}
