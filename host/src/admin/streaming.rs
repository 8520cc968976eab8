//! `/v1/stream`: the answer that goes on.

use std::convert::Infallible;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use futures_util::stream;
use hyper::header::CONTENT_TYPE;

use super::guard::Caller;
use super::operations::{Answered, Shared, up};
use super::problem::{Kind, Problem};
use super::routes::observes;

pub(super) async fn stream(State(state): Shared, Extension(caller): Extension<Caller>) -> Answered {
    observes(caller)?;
    let reader = up(&state)?.feed.read();
    let reader = reader.map_err(|full| Problem::new(Kind::Busy, full.to_string()))?;
    let begun = (reader, state.ending.clone(), state.access.proofs.changes());
    let frames = stream::unfold(begun, |(mut reader, mut ending, mut proofs)| async move {
        if reader.has_ended() {
            return None;
        }
        let frame = tokio::select! {
            frame = reader.next() => frame?,
            // The sender goes only with the server, which is the end too.
            _ = ending.wait_for(|ending| *ending) => reader.end("the node has stopped"),
            _ = proofs.changed() => reader.end("the tokens of the node were replaced"),
        };
        Some((Ok::<_, Infallible>(frame), (reader, ending, proofs)))
    });
    Ok(([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(frames)).into_response())
}
