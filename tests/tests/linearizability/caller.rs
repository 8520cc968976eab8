//! Messages to entities by one node's admin HTTP, and whether they were handled, as far as the node says.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::{Agent, Error};

/// Whoever has it may send messages.
pub(crate) const TOKEN: &str = "operate-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// The type that all entities are of.
pub(crate) const TYPE: &str = "vault";

/// The time that a node has for a call. Longer than any node stands still: what came in meanwhile is handled, or refused, behind that.
const WAIT_MS: u64 = 10_000;
/// The longest wait for a node.
const PATIENCE: Duration = Duration::from_secs(14);

/// Of what went wrong, the kinds where nothing was sent.
const NOT_SENT: [&str; 7] = [
    "bad-target",
    "busy",
    "host",
    "no-target",
    "overloaded",
    "starting",
    "stopping",
];

/// Words of a call that failed and wasn't handled, or whose effect is undone.
const UNDONE: [&str; 7] = [
    "the call had no effect",
    "no node of the cluster has it",
    "could not be activated",
    "before the state that its reply follows from was durable",
    "the entity has ended, or its mailbox is full",
    "the node stops",
    "was not handled",
];

/// What came of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It was handled, with this reply; a cast was taken.
    Done(Value),
    /// It wasn't, and won't be.
    NotHandled(String),
    /// Nobody knows.
    Unknown(String),
}

/// A client of one node.
#[derive(Clone)]
pub(crate) struct Caller {
    agent: Agent,
    url: String,
}

impl Caller {
    /// For the node whose admin HTTP is here, which may be down at times.
    pub(crate) fn new(url: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections_per_host(32)
            .max_idle_connections(32)
            .build();
        Self {
            agent: config.into(),
            url,
        }
    }

    pub(crate) fn call(&self, key: &str, message: &str, arguments: &Value, idempotency_key: Option<&str>) -> Outcome {
        self.send("call", (key, message, arguments), idempotency_key)
    }

    pub(crate) fn cast(&self, key: &str, message: &str, arguments: &Value) -> Outcome {
        self.send("cast", (key, message, arguments), None)
    }

    fn send(
        &self,
        verb: &str,
        (key, message, arguments): (&str, &str, &Value),
        idempotency_key: Option<&str>,
    ) -> Outcome {
        let target = format!("entity:{TYPE}/{key}");
        let body = json!({"target": target, "message": message, "arguments": arguments, "timeout_ms": WAIT_MS});
        let request = self
            .agent
            .post(format!("{}/v1/{verb}", self.url))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json");
        let request = match idempotency_key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        match request.send(body.to_string()) {
            Ok(mut answered) => {
                let status = answered.status().as_u16();
                match answered.body_mut().read_to_string() {
                    Ok(said) => outcome(status, &said),
                    Err(error) => Outcome::Unknown(format!("HTTP: {error}")),
                }
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Outcome::NotHandled("nobody listens".to_owned())
            }
            Err(error) => Outcome::Unknown(format!("HTTP: {error}")),
        }
    }
}

/// What an answer means.
fn outcome(status: u16, said: &str) -> Outcome {
    let Ok(said) = serde_json::from_str::<Value>(said) else {
        return Outcome::Unknown(format!("{status}: {said}"));
    };
    if status == 200 {
        return Outcome::Done(said["reply"].clone());
    }
    let text = |name: &str| said[name].as_str().unwrap_or_default();
    let (kind, detail) = (text("type").rsplit(':').next().unwrap_or_default(), text("detail"));
    let told = format!("{kind}: {detail}");
    let is_undone = kind == "failed" && UNDONE.iter().any(|words| detail.contains(words));
    if NOT_SENT.contains(&kind) || is_undone {
        Outcome::NotHandled(told)
    } else {
        Outcome::Unknown(told)
    }
}

#[test]
fn what_a_node_says_of_a_call_that_failed_is_understood() {
    let problem = |kind: &str, detail: &str| {
        json!({"type": format!("urn:ractor-host:problem:{kind}"), "detail": detail}).to_string()
    };
    assert_eq!(outcome(200, r#"{"reply": 7}"#), Outcome::Done(json!(7)));
    for (kind, detail) in [
        ("overloaded", "as much waits for the entity as its limits allow"),
        (
            "failed",
            "entity:vault/a failed the call: the entity is on another node by now: the call had no effect and may be made again",
        ),
    ] {
        assert!(
            matches!(outcome(503, &problem(kind, detail)), Outcome::NotHandled(_)),
            "{detail}"
        );
    }
    for (kind, detail) in [
        ("no-reply", "no reply within 10s"),
        ("ended", "it ended without a reply"),
        (
            "failed",
            "the session with its node ended meanwhile: whether the message was handled is not known",
        ),
    ] {
        assert!(
            matches!(outcome(502, &problem(kind, detail)), Outcome::Unknown(_)),
            "{detail}"
        );
    }
    assert!(matches!(outcome(500, "no JSON"), Outcome::Unknown(_)));
}
