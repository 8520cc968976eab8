//! `/v1/actors/{target}/checkpoints`: the kept states of an actor, and the way back to one.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use hyper::header::HeaderMap;
use serde::Deserialize;

use super::body;
use super::guard::Caller;
use super::operations::{Answered, Shared, carry_out};
use super::routes::may;
use super::segment::Segment;
use crate::control::{Request, Role};

pub(super) async fn list(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(actor): Segment,
) -> Answered {
    carry_out(&state, caller, Request::Checkpoints { actor }, Bytes::new()).await
}

/// The state that is gone back to: the newest that isn't what the actor knows now, unless there is a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackBody {
    number: Option<u64>,
}

pub(super) async fn go_back(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(actor): Segment,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Operate)?;
    let BackBody { number } = body::json(&state, caller, &headers, body).await?;
    carry_out(&state, caller, Request::GoBack { actor, number }, Bytes::new()).await
}
