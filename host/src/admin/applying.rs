//! `/v1/spawn` and `/v1/apply`: actors besides those that run, one by one or as node.toml has them now.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use hyper::header::HeaderMap;
use serde::Deserialize;

use super::body;
use super::guard::Caller;
use super::operations::{Answered, Shared, carry_out};
use super::routes::may;
use crate::control::{Request, RequestId, Role, Spawning};

/// A guest that is to start.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpawnBody {
    module: String,
    name: String,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

pub(super) async fn spawn(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Operate)?;
    let wanted: SpawnBody = body::json(&state, &headers, body).await?;
    let spawning = Spawning {
        module: wanted.module,
        name: wanted.name,
        arguments: wanted.arguments,
        groups: wanted.groups,
    };
    carry_out(&state, caller, Request::Spawn(spawning), Bytes::new()).await
}

/// Whether node.toml is applied, or only what that would do is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplyBody {
    id: Option<RequestId>,
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn apply(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Deploy)?;
    let ApplyBody { id, dry_run } = body::json(&state, &headers, body).await?;
    let id = id.unwrap_or_else(RequestId::random);
    carry_out(&state, caller, Request::Apply { id, dry_run }, Bytes::new()).await
}
