//! `/v1`: steering the node and its actors, its log and its history.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse as _;
use hyper::header::CONTENT_TYPE;
use serde::Deserialize;

use super::guard::Caller;
use super::operations::{Answered, Shared, carry_out};
use super::problem::{Kind, Problem};
use super::query::Query;
use super::routes::may;
use super::segment::Segment;
use crate::control::{ActorLevel, LevelChange, LogLevel, LogQuery, Request, Role, SendFault, Steer, Target};
use crate::events::EventQuery;
use crate::supervision::SteerAction;

/// The number of lines or events that are given if the request doesn't say.
const USUAL_LAST: usize = 100;

/// The longest that a request waits for news, in milliseconds, whatever it says. Proxies close connections on which nothing comes.
const MOST_WAIT_MS: u64 = 25_000;

/// What may be done with the token that the request shows, or without one.
pub(super) async fn role(Extension(caller): Extension<Caller>) -> Answered {
    let role = caller.role.map(|role| role.to_string());
    let body = serde_json::json!({ "role": role }).to_string();
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

pub(super) async fn show(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    Segment(target): Segment,
) -> Answered {
    let shown = carry_out(&state, caller, Request::Show { target }, Bytes::new()).await;
    // There is nothing else for which a node doesn't show an actor.
    shown.map_err(|problem| problem.turned(Kind::Refused, Kind::Message(SendFault::NoTarget)))
}

/// Who is to be steered, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SteerBody {
    action: SteerAction,
    target: Target,
    #[serde(default)]
    all: bool,
}

impl SteerBody {
    pub(super) fn request(self) -> Request {
        let Self { action, target, all } = self;
        Request::Steer(Steer { action, target, all })
    }
}

/// Nothing is to be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoBody {}

/// What is to be logged, and for how long.
#[derive(Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum LevelBody {
    All {
        directive: String,
        seconds: Option<u64>,
    },
    Actor {
        actor: String,
        level: Option<ActorLevel>,
        seconds: Option<u64>,
    },
    Reset {
        seconds: Option<u64>,
    },
}

impl LevelBody {
    pub(super) fn request(self) -> Request {
        let (change, seconds) = match self {
            Self::All { directive, seconds } => (LevelChange::All { directive }, seconds),
            Self::Actor { actor, level, seconds } => (LevelChange::Actor { actor, level }, seconds),
            Self::Reset { seconds } => (LevelChange::Reset, seconds),
        };
        Request::LogLevels {
            change: Some(change),
            seconds,
        }
    }
}

pub(super) async fn logs(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    may(caller, Role::Observe)?;
    let query = Query::parse(query.as_deref(), &["next", "last", "target", "level", "wait_ms"])?;
    let asked = LogQuery {
        next: query.value("next", "the number of a line")?,
        last: query.value("last", "a number of lines")?.unwrap_or(USUAL_LAST),
        target: query.value("target", "an actor's name, `group:NAME` or `pid:N`")?,
        level: level(&query)?,
        wait_ms: wait_ms(&query)?,
    };
    carry_out(&state, caller, Request::Logs(asked), Bytes::new()).await
}

fn level(query: &Query) -> Result<Option<LogLevel>, Problem> {
    match query.text("level") {
        None => Ok(None),
        Some("error") => Ok(Some(LogLevel::Error)),
        Some("warn") => Ok(Some(LogLevel::Warn)),
        Some("info") => Ok(Some(LogLevel::Info)),
        Some("debug") => Ok(Some(LogLevel::Debug)),
        Some("trace") => Ok(Some(LogLevel::Trace)),
        Some(other) => {
            let detail = format!("`level` is {other:?}; expected error, warn, info, debug or trace");
            Err(Problem::new(Kind::BadRequest, detail))
        }
    }
}

pub(super) async fn events(
    State(state): Shared,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    may(caller, Role::Observe)?;
    let query = Query::parse(query.as_deref(), &["next", "last", "wait_ms"])?;
    let asked = EventQuery {
        next: query.value("next", "the number of an event")?,
        last: query.value("last", "a number of events")?.unwrap_or(USUAL_LAST),
        wait_ms: wait_ms(&query)?,
    };
    carry_out(&state, caller, Request::Events(asked), Bytes::new()).await
}

/// The longest that the answer may wait for news.
pub(super) fn wait_ms(query: &Query) -> Result<u64, Problem> {
    let wait_ms = query.value::<u64>("wait_ms", "a number of milliseconds")?;
    Ok(wait_ms.unwrap_or(0).min(MOST_WAIT_MS))
}
