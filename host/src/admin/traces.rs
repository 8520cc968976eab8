//! `/v1/traces`: what passes actors, begun by one request and followed by others.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use serde::Deserialize;

use super::guard::Caller;
use super::operating::wait_ms;
use super::operations::{Answered, Shared, carry_out};
use super::problem::{Kind, Problem};
use super::query::Query;
use super::routes::may;
use super::segment::Segment;
use crate::control::{Request, RequestId, Role, Target, TraceQuery, TraceStart};

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
pub(super) struct TraceBody {
    target: Target,
    message: Option<String>,
    #[serde(default)]
    values: bool,
    each_second: Option<u32>,
    most: Option<u64>,
    for_ms: Option<u64>,
}

impl TraceBody {
    pub(super) fn request(self) -> Request {
        Request::BeginTrace(TraceStart {
            target: self.target,
            message: self.message,
            values: self.values,
            each_second: self.each_second.unwrap_or(USUAL_EACH_SECOND),
            most: self.most.unwrap_or(USUAL_MOST),
            for_ms: self.for_ms.unwrap_or(USUAL_FOR_MS),
        })
    }
}

pub(super) async fn read(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(trace): Segment,
    RawQuery(query): RawQuery,
) -> Answered {
    may(caller, Role::Observe)?;
    let trace = parse(&trace)?;
    let query = Query::parse(query.as_deref(), &["next", "values", "wait_ms"])?;
    let asked = TraceQuery {
        trace,
        next: query.value("next", "the number of an event")?.unwrap_or(0),
        values: query.value("values", "true or false")?.unwrap_or(false),
        wait_ms: wait_ms(&query)?,
    };
    carry_out(&state, caller, Request::Trace(asked), Bytes::new()).await
}

/// Ends a trace at the node: nothing of it is kept.
pub(super) async fn end(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(trace): Segment,
) -> Answered {
    may(caller, Role::Observe)?;
    let trace = parse(&trace)?;
    carry_out(&state, caller, Request::EndTrace { trace }, Bytes::new()).await
}

fn parse(trace: &str) -> Result<RequestId, Problem> {
    trace
        .parse()
        .map_err(|error| Problem::new(Kind::BadRequest, format!("{error}")))
}
