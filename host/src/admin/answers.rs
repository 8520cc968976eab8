//! What the node answers, as HTTP.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::json;

use super::problem::{Kind, Problem};
use crate::control::Answer;

/// The body of a success says what was asked for. Everything else is a problem.
pub(super) fn response(answer: Answer) -> Result<Response, Problem> {
    match answer {
        Answer::Status(status) => ok(&status),
        Answer::Nodes { nodes } => ok(&json!({ "nodes": nodes })),
        Answer::Actors { actors, left_out } => ok(&Listed {
            actors: &actors,
            left_out,
        }),
        Answer::Entities { types } => ok(&json!({ "types": types })),
        Answer::EntityKeys(listed) => ok(&listed),
        Answer::EntityDeleted { entity } => ok(&json!({ "deleted": entity })),
        Answer::Groups { groups, left_out } => ok(&json!({ "groups": groups, "left_out": left_out })),
        Answer::UploadProgress { offset, complete } => ok(&json!({ "offset": offset, "complete": complete })),
        Answer::Report { report, left_out } => ok(&json!({ "report": report, "left_out": left_out })),
        Answer::Reply(reply) => ok(&reply),
        Answer::Sent { actors } => ok(&json!({ "actors": actors })),
        Answer::NotSent(not_sent) => Err(Problem::new(Kind::Message(not_sent.fault), not_sent.reason)),
        Answer::Steered { actors } => ok(&json!({ "actors": actors })),
        Answer::Stopped { actors } => ok(&json!({ "actors": actors })),
        Answer::LogLevels(levels) => ok(&levels),
        Answer::Logs(lines) => ok(&lines),
        Answer::Leaving => ok(&json!({ "leaving": true })),
        Answer::Figures { figures } => ok(&figures),
        Answer::ClusterLinks { nodes } => ok(&json!({ "nodes": nodes })),
        Answer::Links { links } => ok(&json!({ "links": links })),
        Answer::Show { actor } => ok(&actor),
        Answer::Applied { report } => ok(&report),
        Answer::TraceBegun(begun) => ok(&begun),
        Answer::Traced(events) => ok(&events),
        Answer::TraceEnded => ok(&json!({ "ended": true })),
        Answer::Checkpoints { checkpoints } => ok(&json!({ "checkpoints": checkpoints })),
        Answer::WentBack(went_back) => ok(&went_back),
        Answer::Spawned(actor) => ok(&actor),
        Answer::Described(described) => ok(&described),
        Answer::Delivered(delivered) => ok(&delivered),
        Answer::Events(page) => ok(&page),
        Answer::Busy { reason } => Err(Problem::new(Kind::Busy, reason)),
        Answer::Failed { reason } => Err(Problem::new(Kind::Refused, reason)),
        Answer::BrokenOff { reason } => Err(Problem::new(Kind::BrokenOff, reason)),
        Answer::NoRecord => {
            let detail = "it did not arrive, or was forgotten";
            Err(Problem::new(Kind::NoRecord, detail))
        }
    }
}

/// Written as it is: a node may have very many.
#[derive(Serialize)]
struct Listed<'a, T> {
    actors: &'a [T],
    /// How many more there are.
    left_out: usize,
}

fn ok(value: &impl Serialize) -> Result<Response, Problem> {
    let json = serde_json::to_vec(value);
    let json = json.map_err(|error| Problem::new(Kind::Unexpected, error.to_string()))?;
    Ok((StatusCode::OK, [(CONTENT_TYPE, "application/json")], json).into_response())
}
