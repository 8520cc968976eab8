//! `/v1/traces`: what passes actors, begun by one request and followed by others.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use hyper::header::HeaderMap;
use serde::Deserialize;

use super::body;
use super::guard::Caller;
use super::operating::wait_ms;
use super::operations::{Answered, Shared, carry_out};
use super::problem::{Kind, Problem};
use super::query::Query;
use super::routes::may;
use crate::control::{Request, Role, Target, TraceQuery, TraceStart};

/// The events of a trace in one second if the request doesn't say.
const USUAL_EACH_SECOND: u32 = 100;

/// The events of a trace altogether if the request doesn't say.
const USUAL_MOST: u64 = 1000;

/// The time that a trace lasts if the request doesn't say, in milliseconds.
const USUAL_FOR_MS: u64 = 60_000;

/// Who is to be traced, and within which bounds: what is not said is as in `ractor-host trace` without options, except that
/// values have to be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TraceBody {
    target: Target,
    message: Option<String>,
    #[serde(default)]
    values: bool,
    each_second: Option<u32>,
    most: Option<u64>,
    for_ms: Option<u64>,
}

pub(super) async fn begin(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Observe)?;
    let wanted: TraceBody = body::json(&state, &headers, body).await?;
    let start = TraceStart {
        target: wanted.target,
        message: wanted.message,
        values: wanted.values,
        each_second: wanted.each_second.unwrap_or(USUAL_EACH_SECOND),
        most: wanted.most.unwrap_or(USUAL_MOST),
        for_ms: wanted.for_ms.unwrap_or(USUAL_FOR_MS),
    };
    carry_out(&state, caller, Request::BeginTrace(start), Bytes::new()).await
}

pub(super) async fn read(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Path(trace): Path<String>,
    RawQuery(query): RawQuery,
) -> Answered {
    may(caller, Role::Observe)?;
    let trace = trace
        .parse()
        .map_err(|error| Problem::new(Kind::BadRequest, format!("{error}")))?;
    let query = Query::parse(query.as_deref(), &["next", "values", "wait_ms"])?;
    let asked = TraceQuery {
        trace,
        next: query.value("next", "the number of an event")?.unwrap_or(0),
        values: query.value("values", "true or false")?.unwrap_or(false),
        wait_ms: wait_ms(&query)?,
    };
    carry_out(&state, caller, Request::Trace(asked), Bytes::new()).await
}
