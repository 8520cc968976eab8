//! A node with counters that are entities, and messages to them by its admin HTTP.

use std::fs;
use std::time::Duration;

use ractor_host_tests::host::{HostNode, keep_private, node_toml};
use ractor_host_tests::process::Stream;
use ractor_host_tests::{cli, programs, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

const TOKEN: &str = "operate-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// See the module.
pub(crate) struct Lab {
    node: HostNode,
    url: String,
    process: Pid,
    rest: String,
    agent: Agent,
    _secrets: TempDir,
}

impl Lab {
    /// With these lines in the table of the entities.
    #[track_caller]
    pub(crate) fn start(lines: &str) -> Self {
        Self::start_as("alpha", "", lines)
    }

    /// The same under this name, with more keys of the node.
    #[track_caller]
    pub(crate) fn start_as(name: &str, keys: &str, lines: &str) -> Self {
        Self::start_node(
            name,
            keys,
            &types_of("counter", &format!("arguments = \"u64:0\"\n{lines}")),
        )
    }

    /// The same with this module.
    #[track_caller]
    pub(crate) fn start_of(module: &str, lines: &str) -> Self {
        Self::start_node("alpha", "", &types_of(module, lines))
    }

    /// A node without entities.
    #[track_caller]
    pub(crate) fn start_without(name: &str, keys: &str) -> Self {
        Self::start_node(name, keys, "")
    }

    #[track_caller]
    fn start_node(name: &str, keys: &str, rest: &str) -> Self {
        let secrets = tempfile::tempdir().expect("a folder");
        let token = secrets.path().join("token");
        fs::write(&token, TOKEN).expect("a token");
        keep_private(&token);
        // In other quotes than the port of the node, which stays the same when the node is started again.
        let rest = format!("{keys}[admin]\nlisten = '127.0.0.1:0'\noperate_token_file = {token:?}\n{rest}");
        let mut node = HostNode::start(name, &rest);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(wait::PATIENCE + Duration::from_secs(30)))
            .build();
        Self {
            url: url(&mut node),
            process: pid(&mut node),
            node,
            rest,
            agent: config.into(),
            _secrets: secrets,
        }
    }

    /// Calls whoever this is, and gives the status and the body.
    pub(crate) fn call(&self, target: &str, message: &str, arguments: &Value) -> (u16, String) {
        self.try_call(target, message, arguments, None)
            .unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    /// Does so with an idempotency key, if there is one. An error if the node is gone.
    pub(crate) fn try_call(
        &self,
        target: &str,
        message: &str,
        arguments: &Value,
        key: Option<&str>,
    ) -> Result<(u16, String), ureq::Error> {
        let body = json!({"target": target, "message": message, "arguments": arguments}).to_string();
        let request = self.agent.post(format!("{}/v1/call", self.url));
        let request = request
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json");
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let mut answered = request.send(body)?;
        Ok((answered.status().as_u16(), answered.body_mut().read_to_string()?))
    }

    #[track_caller]
    fn number(&self, key: &str, message: &str, arguments: &Value) -> u64 {
        let (status, body) = self.call(&format!("entity:count/{key}"), message, arguments);
        assert_eq!(status, 200, "{key}: {body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        answer["reply"].as_u64().unwrap_or_else(|| panic!("no number: {body}"))
    }

    #[track_caller]
    pub(crate) fn add(&self, key: &str, number: u64) -> u64 {
        self.number(key, "AddAndGet", &json!([number]))
    }

    #[track_caller]
    pub(crate) fn get(&self, key: &str) -> u64 {
        self.number(key, "Get", &json!([]))
    }

    /// Counts up by one; none if the node is gone.
    pub(crate) fn try_add(&self, key: &str) -> Option<u64> {
        let answered = self.try_call(&format!("entity:count/{key}"), "AddAndGet", &json!([1]), None);
        let (status, body) = answered.ok()?;
        let answer: Value = serde_json::from_str(&body).ok()?;
        answer["reply"].as_u64().filter(|_| status == 200)
    }

    /// Sends a message and doesn't wait for what it does.
    #[track_caller]
    pub(crate) fn cast(&self, key: &str, message: &str, arguments: &Value) {
        let body =
            json!({"target": format!("entity:count/{key}"), "message": message, "arguments": arguments}).to_string();
        let request = self.agent.post(format!("{}/v1/cast", self.url));
        let request = request
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json");
        let mut answered = request.send(body).expect("the node answers");
        let said = answered.body_mut().read_to_string().expect("a body");
        assert!(answered.status().is_success(), "{message}: {said}");
    }

    /// What a command says of this node as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let mut command = programs::ractor_host();
        command
            .current_dir(self.node.file(""))
            .args(words)
            .args(["--output", "json"]);
        let ended = cli::end(&format!("ractor-host {}", words.join(" ")), &mut command);
        serde_json::from_str(ended.answer()).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// What a command says.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) -> String {
        let mut command = programs::ractor_host();
        command.current_dir(self.node.file("")).args(words);
        let ended = cli::end(&format!("ractor-host {}", words.join(" ")), &mut command);
        ended.answer().trim().to_owned()
    }

    /// The status and the body of a request with an idempotency key.
    #[track_caller]
    pub(crate) fn post_with_key(&self, path: &str, body: &Value, key: &str) -> (u16, String) {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = request
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        let mut answered = request.send(body.to_string()).expect("the node answers");
        let said = answered.body_mut().read_to_string().expect("text");
        (answered.status().as_u16(), said)
    }

    /// What a command says that fails.
    #[track_caller]
    pub(crate) fn fails(&self, words: &[&str]) -> String {
        let mut command = programs::ractor_host();
        command.current_dir(self.node.file("")).args(words);
        let ended = cli::end(&format!("ractor-host {}", words.join(" ")), &mut command);
        assert_ne!(ended.code, Some(0), "{words:?}: {}", ended.stdout);
        ended.stderr
    }

    /// The status and the body of a page.
    #[track_caller]
    fn page(&self, path: &str) -> (u16, String) {
        let request = self.agent.get(format!("{}{path}", self.url));
        let answered = request.header("authorization", format!("Bearer {TOKEN}")).call();
        let mut answered = answered.unwrap_or_else(|error| panic!("{path}: {error}"));
        let body = answered.body_mut().read_to_string().expect("text");
        (answered.status().as_u16(), body)
    }

    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        self.page("/metrics").1
    }

    #[track_caller]
    pub(crate) fn get_json(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.page(path);
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// What the node says of its types.
    #[track_caller]
    pub(crate) fn types(&self) -> Value {
        self.json(&["entities"])[0]["types"].clone()
    }

    /// Ends the process, which others may be asking.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        self.node.process().wait_exit();
    }

    #[track_caller]
    fn signal(&self, signal: Signal) {
        kill_process(self.process, signal).expect("the node is there");
    }

    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.node.crash_and_restart(&self.rest);
        (self.url, self.process) = (url(&mut self.node), pid(&mut self.node));
    }
}

#[track_caller]
fn pid(node: &mut HostNode) -> Pid {
    let id = i32::try_from(node.process().id()).ok();
    id.and_then(Pid::from_raw).expect("a process has a number")
}

#[track_caller]
fn url(node: &mut HostNode) -> String {
    let lines = node.process().lines(Stream::Stdout);
    let words = lines.iter().flat_map(|line| line.split(' '));
    let url = words.filter_map(|word| word.strip_prefix("admin=")).next();
    url.unwrap_or_else(|| panic!("no admin= in {lines:?}")).to_owned()
}

impl Lab {
    /// The node itself, for its address and its log.
    pub(crate) fn node(&mut self) -> &mut HostNode {
        &mut self.node
    }

    /// `ractor-host` with this verb, as a peer of the node.
    #[track_caller]
    pub(crate) fn message(&self, verb: &str, words: &[&str]) -> cli::Ended {
        cli::message(verb, self.node.address(), &self.node.cookie_file(), words)
    }
}

/// The tables of a type `count` that this module is.
fn types_of(module: &str, lines: &str) -> String {
    format!(
        "[runtime]\nstate_dir = \"state\"\n[modules.code]\npath = {:?}\n[entities.count]\nmodule = \"code\"\n{lines}",
        programs::guest(module)
    )
}

/// What `check` says of entities of this module.
#[track_caller]
pub(crate) fn check(module: &str, lines: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("node.toml");
    let rest = format!(
        "[runtime]\nstate_dir = \"state\"\n[modules.m]\npath = {:?}\n[entities.e]\nmodule = \"m\"\n{lines}",
        programs::guest(module)
    );
    fs::write(&path, node_toml("alpha", &rest)).expect("node.toml");
    let cookie = folder.path().join("cookie");
    fs::write(&cookie, ractor_host_tests::COOKIE).expect("a cookie");
    keep_private(&cookie);
    let ended = cli::ractor_host(&["check", path.to_str().expect("a path of text")]);
    ended.stderr.clone()
}
