//! The addresses, and what is behind each.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::applying::{ApplyBody, SpawnBody};
use super::checkpoints;
use super::guard::{Caller, guard};
use super::health;
use super::openapi;
use super::operating::{self, LevelBody, NoBody, SteerBody};
use super::operations::{self, asks, takes};
use super::page;
use super::problem::{Kind, Problem};
use super::scrape;
use super::state::AdminState;
use super::streaming;
use super::traces::{self, TraceBody};
use crate::control::{Request, Role};

/// What is logged?
const LOG_LEVELS: Request = Request::LogLevels {
    change: None,
    seconds: None,
};

/// Everything, for whoever passes the guard.
pub(super) fn router(state: Arc<AdminState>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(scrape::metrics))
        .route("/v1/openapi.json", get(openapi::document))
        .route("/v1/status", asks(Request::Status))
        .route("/v1/nodes", asks(Request::Nodes))
        .route("/v1/actors", asks(Request::Actors))
        .route("/v1/groups", asks(Request::Groups))
        .route("/v1/entities", asks(Request::Entities))
        .route("/v1/call", takes(Role::Operate, Request::Call))
        .route("/v1/cast", takes(Role::Operate, Request::Cast))
        .route("/v1/modules/{module}/reload", post(operations::reload))
        .route("/v1/modules/{module}/rollback", post(operations::rollback))
        .route(
            "/v1/components/{digest}",
            post(operations::begin_upload).put(operations::upload),
        )
        .route("/v1/requests/{id}", get(operations::outcome))
        .route("/v1/ask", takes(Role::Observe, |request: Request| request))
        .route("/v1/role", get(operating::role))
        .route("/v1/figures", asks(Request::Figures))
        .route("/v1/links", asks(Request::Links))
        .route("/v1/cluster", asks(Request::ClusterLinks))
        .route("/v1/actors/{target}", get(operating::show))
        .route("/v1/stopped", asks(Request::Stopped))
        .route("/v1/steer", takes(Role::Operate, SteerBody::request))
        .route("/v1/drain", takes(Role::Operate, |NoBody {}| Request::Leave))
        .route(
            "/v1/loglevels",
            asks(LOG_LEVELS).merge(takes(Role::Operate, LevelBody::request)),
        )
        .route("/v1/logs", get(operating::logs))
        .route("/v1/events", get(operating::events))
        .route("/v1/stream", get(streaming::stream))
        .route("/v1/traces", takes(Role::Observe, TraceBody::request))
        .route("/v1/traces/{id}", get(traces::read).delete(traces::end))
        .route("/v1/actors/{target}/checkpoints", get(checkpoints::list))
        .route("/v1/actors/{target}/back", post(checkpoints::go_back))
        .route("/v1/spawn", takes(Role::Operate, SpawnBody::request))
        .route("/v1/apply", takes(Role::Deploy, ApplyBody::request))
        .route("/", get(page::index))
        .route("/page/{part}", get(page::part))
        .fallback(|| async { Problem::new(Kind::NotFound, "/v1/openapi.json says what there is") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::Method, "/v1/openapi.json says which methods there are")
        })
        .layer(from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

/// Refuses those who may not look at the node.
pub(super) fn observes(caller: Caller) -> Result<Role, Problem> {
    may(caller, Role::Observe)
}

/// Refuses those who don't have this role. Gives the one that they have.
pub(super) fn may(caller: Caller, needed: Role) -> Result<Role, Problem> {
    match caller.role {
        Some(role) if role >= needed => Ok(role),
        Some(role) => {
            let detail = format!(
                "this takes the role `{needed}`, and the request has `{role}`; send the token that `{needed}_token_file` in [admin] \
                 of node.toml names"
            );
            Err(Problem::new(Kind::Role, detail))
        }
        None => {
            let detail = format!(
                "send `Authorization: Bearer TOKEN` with the token that `{needed}_token_file` in [admin] of node.toml names"
            );
            Err(Problem::new(Kind::NoToken, detail))
        }
    }
}
