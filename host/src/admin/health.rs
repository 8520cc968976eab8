//! `/healthz` and `/readyz`, for those who restart nodes and those who send them work.
//!
//! Both can be asked without a token, as probes do. The names of what is missing are for those who may look at the node.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use serde::Serialize;

use super::guard::Caller;
use super::state::{AdminState, Phase};
use crate::control::Role;

/// Whether a node is ready, and what it takes.
#[derive(Debug, Serialize)]
struct Readiness {
    /// The node's full name, for those who may look at it.
    node: Option<String>,
    ready: bool,
    phase: &'static str,
    /// Empty for those who may not look at the node.
    missing: Vec<Missing>,
    /// How many reasons there are.
    reasons: usize,
}

/// A reason for which a node is not ready.
#[derive(Debug, Serialize)]
struct Missing {
    what: &'static str,
    name: String,
    reason: String,
}

/// The process answers, which is all that it says.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

pub(super) async fn readyz(
    State(state): State<Arc<AdminState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let phase = state.phase();
    let mut missing = missing(&state).await;
    let reasons = missing.len() + usize::from(phase != Phase::Running);
    let may_look = caller.role >= Some(Role::Observe);
    if !may_look {
        missing.clear();
    }
    let readiness = Readiness {
        node: may_look.then(|| state.node_name.clone()),
        ready: reasons == 0,
        phase: match phase {
            Phase::Starting => "starting",
            Phase::Running => "running",
            Phase::Stopping => "stopping",
        },
        missing,
        reasons,
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let accepted = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    if accepted.contains("application/json") {
        let json = serde_json::to_vec(&readiness).unwrap_or_default();
        return (status, [(CONTENT_TYPE, "application/json")], json).into_response();
    }
    (status, readiness.in_words()).into_response()
}

/// What the node should have and doesn't.
async fn missing(state: &AdminState) -> Vec<Missing> {
    let Some(node) = state.node.get() else {
        return Vec::new();
    };
    let given_up = node.health.given_up().into_iter().map(|given_up| Missing {
        what: "actor",
        name: given_up.actor,
        reason: given_up.reason,
    });
    let not_joined = node.health.not_joined().map(|reason| Missing {
        what: "cluster",
        name: "membership".to_owned(),
        reason,
    });
    let mut missing: Vec<Missing> = given_up.chain(not_joined).collect();
    if state.required_peers.is_empty() {
        return missing;
    }
    let sessions = node.health.sessions().await;
    for name in &state.required_peers {
        let reason = match &sessions {
            Ok(sessions) if sessions.contains(name) => continue,
            Ok(_) => "there is no session with it".to_owned(),
            Err(reason) => reason.clone(),
        };
        let name = name.clone();
        missing.push(Missing {
            what: "peer",
            name,
            reason,
        });
    }
    missing
}

impl Readiness {
    fn in_words(&self) -> String {
        if self.ready {
            return "ready\n".to_owned();
        }
        let mut text = "not ready\n".to_owned();
        if self.phase != "running" {
            text += &format!("the node is {}\n", self.phase);
        }
        for Missing { what, name, reason } in &self.missing {
            text += &format!("{what} {name}: {reason}\n");
        }
        text
    }
}
