//! `/v1`: what the command line does, as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use hyper::header::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answers;
use super::body;
use super::guard::Caller;
use super::problem::{Kind, Problem};
use super::routes::may;
use super::segment::Segment;
use super::state::{AdminNode, AdminState, Phase};
use crate::control::{Asker, Request, RequestId, Role, SendFault, Sending, only_waits};
use crate::directory::trace::{self, TraceContext};
use crate::guest::{Digest, Mode};
use crate::supervision::reload::{OnFailure, Reload};

/// The longest that a request waits for a place among those that are worked on.
const PLACE_TIME: Duration = Duration::from_secs(10);

/// The header that says which idempotency key a call bears.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(super) type Shared = State<Arc<AdminState>>;
pub(super) type Answered = Result<Response, Problem>;

/// Has the node answer this request, which needs no words.
pub(super) fn asks(request: Request) -> MethodRouter<Arc<AdminState>> {
    get(
        move |State(state): Shared, Extension(caller): Extension<Caller>| async move {
            carry_out(&state, caller, request, Bytes::new()).await
        },
    )
}

/// Has the node carry out what a body of JSON says, for whoever has the role. Nobody else's body is read.
pub(super) fn takes<B>(role: Role, request: fn(B) -> Request) -> MethodRouter<Arc<AdminState>>
where
    B: DeserializeOwned + Send + 'static,
{
    post(
        move |State(state): Shared, Extension(caller): Extension<Caller>, headers: HeaderMap, body: Body| async move {
            may(caller, role)?;
            let request = request(body::json(&state, caller, &headers, body).await?);
            let request = with_key(request, &headers)?;
            let is_sent = matches!(request, Request::Call(_) | Request::Cast(_));
            let parent = is_sent.then(|| parent(&headers)).flatten();
            carry_out_in(&state, caller, request, Bytes::new(), parent).await
        },
    )
}

/// How a module is reloaded: what is not said is as in `ractor-host reload` without options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReloadBody {
    id: Option<RequestId>,
    digest: Option<String>,
    planned: Option<String>,
    mode: Option<Mode>,
    #[serde(default)]
    mixed: OnFailure,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    force: bool,
}

pub(super) async fn reload(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(module): Segment,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Deploy)?;
    let wanted: ReloadBody = body::json(&state, caller, &headers, body).await?;
    for digest in wanted.digest.iter().chain(&wanted.planned) {
        check_digest(digest)?;
    }
    let request = Request::Reload {
        id: wanted.id.unwrap_or_else(RequestId::random),
        digest: wanted.digest,
        planned: wanted.planned,
        reload: Reload {
            mode: wanted.mode,
            on_failure: wanted.mixed,
            dry_run: wanted.dry_run,
            force: wanted.force,
            ..Reload::of(module)
        },
    };
    carry_out(&state, caller, request, Bytes::new()).await
}

/// How a module goes back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackBody {
    id: Option<RequestId>,
    planned: Option<String>,
}

pub(super) async fn rollback(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(module): Segment,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Deploy)?;
    let RollbackBody { id, planned } = body::json(&state, caller, &headers, body).await?;
    planned.as_deref().map_or(Ok(()), check_digest)?;
    let request = Request::Rollback {
        id: id.unwrap_or_else(RequestId::random),
        module,
        planned,
    };
    carry_out(&state, caller, request, Bytes::new()).await
}

/// A component that is to be uploaded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadBody {
    size: u64,
}

pub(super) async fn begin_upload(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(digest): Segment,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    may(caller, Role::Deploy)?;
    check_digest(&digest)?;
    let UploadBody { size } = body::json(&state, caller, &headers, body).await?;
    carry_out(&state, caller, Request::BeginUpload { digest, size }, Bytes::new()).await
}

pub(super) async fn upload(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(digest): Segment,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answered {
    may(caller, Role::Deploy)?;
    check_digest(&digest)?;
    let query = query.unwrap_or_default();
    let offset = query.strip_prefix("offset=").and_then(|offset| offset.parse().ok());
    let offset = offset.ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            "say with `?offset=N` which byte of the component comes first",
        )
    })?;
    let piece = body::read(&state, caller, body).await?;
    carry_out(&state, caller, Request::Upload { digest, offset }, piece).await
}

pub(super) async fn outcome(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(id): Segment,
) -> Answered {
    may(caller, Role::Observe)?;
    let id = id
        .parse()
        .map_err(|error| Problem::new(Kind::BadRequest, format!("{error}")))?;
    carry_out(&state, caller, Request::Outcome { id }, Bytes::new()).await
}

fn check_digest(digest: &str) -> Result<(), Problem> {
    let parsed = digest.parse::<Digest>();
    parsed
        .map(drop)
        .map_err(|error| Problem::new(Kind::BadRequest, error.to_string()))
}

/// The node, once it is up.
pub(super) fn up(state: &AdminState) -> Result<&AdminNode, Problem> {
    let starting = || Problem::new(Kind::Starting, "its actors are not up yet; try again soon");
    state.node.get().ok_or_else(starting)
}

/// Has the node do it, and answers with what came of it.
pub(super) async fn carry_out(state: &AdminState, caller: Caller, request: Request, piece: Bytes) -> Answered {
    carry_out_in(state, caller, request, piece, None).await
}

/// The request with the idempotency key that its headers say.
fn with_key(request: Request, headers: &HeaderMap) -> Result<Request, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(request);
    };
    let bad = |reason: &str| Problem::new(Kind::Message(SendFault::BadKey), reason);
    match request {
        Request::Call(message) => {
            let text = key.to_str();
            let text = text.map_err(|_| bad("an idempotency key is of graphic ASCII characters and spaces"))?;
            Ok(Request::Call(Sending {
                idempotency_key: Some(text.to_owned()),
                ..message
            }))
        }
        Request::Cast(_) => Err(bad("a call can bear an idempotency key, and a cast can't")),
        other => Ok(other),
    }
}

/// The trace that whoever asks has named, if this node traces.
fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    let header = |name| headers.get(name).map_or(&[][..], HeaderValue::as_bytes);
    trace::is_on()
        .then(|| TraceContext::parse(header("traceparent"), header("tracestate")))
        .flatten()
}

/// As [`carry_out`], as part of this trace.
async fn carry_out_in(
    state: &AdminState,
    caller: Caller,
    request: Request,
    piece: Bytes,
    parent: Option<TraceContext>,
) -> Answered {
    let needed = Role::needed_for(&request);
    let role = may(caller, needed)?;
    if state.phase() == Phase::Stopping && needed > Role::Observe {
        let detail = "it takes nothing new, and may be asked what it is doing only";
        return Err(Problem::new(Kind::Stopping, detail));
    }
    let worker = up(state)?.worker.clone();
    let place = worker.place_within(Asker::Elsewhere(role), PLACE_TIME).await;
    let place = place.map_err(|refusal| Problem::new(Kind::Busy, refusal.to_string()))?;
    if only_waits(&request) {
        // Here, so that the wait ends with the connection of whoever asked.
        return answers::response(worker.carry_out(request, &piece, role, place).await);
    }
    // A task, so that what was begun is ended also if whoever asked has gone.
    let work = async move { worker.carry_out(request, &piece, role, place).await };
    let work = match parent {
        None => tokio::spawn(work),
        Some(parent) => tokio::spawn(trace::carry(Arc::new(parent), work)),
    };
    match work.await {
        Ok(answer) => answers::response(answer),
        Err(ended) => Err(Problem::new(Kind::BrokenOff, ended.to_string())),
    }
}
