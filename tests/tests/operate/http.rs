//! The admin HTTP of a node, and a client that asks it.

use std::time::Duration;

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{COOKIE, wait};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};

/// The tokens that [`admin_node`] gives its roles, by their names.
pub(crate) const TOKENS: [(&str, &str); 3] = [
    ("observe", "observe-0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("operate", "operate-0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("deploy", "deploy-0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
];

/// A node with a guest `counter`, a state directory, and an admin HTTP with a token for each of these roles.
#[track_caller]
pub(crate) fn admin_node(name: &str, roles: &[&str], more: &str) -> HostNode {
    admin_node_in(name, roles, more, &[])
}

/// The same with these variables in its environment.
#[track_caller]
pub(crate) fn admin_node_in(name: &str, roles: &[&str], more: &str, variables: &[(&str, String)]) -> HostNode {
    let secrets = tempfile::tempdir().expect("a folder").keep();
    let mut admin = "[admin]\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for (role, token) in TOKENS.into_iter().filter(|(role, _)| roles.contains(role)) {
        let path = secrets.join(role);
        std::fs::write(&path, token).expect("a token");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("permissions");
        admin += &format!("{role}_token_file = {path:?}\n");
    }
    let counter = guest_counter("counter", "counters", 0);
    let rest = format!("{admin}{more}\n[runtime]\nstate_dir = \"state\"\n{counter}");
    let node = HostNode::start_by(name, COOKIE, &rest, |mut command| {
        let label = format!("{name} (ractor-host run)");
        Process::start(&label, command.envs(variables.iter().cloned()))
    });
    std::fs::remove_dir_all(secrets).expect("the tokens were read");
    node
}

/// Where the ready line says that the admin HTTP is.
#[track_caller]
pub(crate) fn url(node: &mut HostNode) -> String {
    let lines = node.process().lines(Stream::Stdout);
    let words = lines.iter().flat_map(|line| line.split(' '));
    let url = words.filter_map(|word| word.strip_prefix("admin=")).next();
    url.unwrap_or_else(|| panic!("no admin= in {lines:?}")).to_owned()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) response: Response<()>,
    pub(crate) body: String,
}

impl Answered {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {self:?}"),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The kind of problem that it is, and its words.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert!(problem["title"].is_string(), "{self:?}");
        let kind = problem["type"].as_str().unwrap_or_default();
        let kind = kind.strip_prefix("urn:ractor-host:problem:").unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or_default();
        (self.status, kind.to_owned(), detail.to_owned())
    }
}

/// Asks with these headers, and a body if there is one.
#[track_caller]
pub(crate) fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answered {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(wait::PATIENCE + Duration::from_secs(30)))
        .build();
    let agent: Agent = config.into();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answered = match body {
        Some(body) => agent.run(request.body(body.to_vec()).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let response = answered.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let (parts, mut body) = response.into_parts();
    let body = body.with_config().limit(64 << 20).read_to_string().expect("text");
    Answered {
        status: parts.status.as_u16(),
        response: Response::from_parts(parts, ()),
        body,
    }
}

/// As one who has the token of this role, or none.
#[track_caller]
pub(crate) fn get(url: &str, role: Option<&str>) -> Answered {
    let token = bearer(role);
    let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
    ask("GET", url, &headers, None)
}

/// Sends JSON.
#[track_caller]
pub(crate) fn post(url: &str, role: Option<&str>, body: &Value) -> Answered {
    let token = bearer(role);
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(token.iter().map(|token| ("authorization", token.as_str())));
    ask("POST", url, &headers, Some(body.to_string().as_bytes()))
}

pub(crate) fn bearer(role: Option<&str>) -> Option<String> {
    let (_, token) = TOKENS.into_iter().find(|(name, _)| Some(*name) == role)?;
    Some(format!("Bearer {token}"))
}
