//! `/metrics`: what Prometheus and others collect.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, VARY};

use super::guard::Caller;
use super::problem::{Kind, Problem};
use super::routes::observes;
use super::state::AdminState;
use crate::metrics::Exposition;

pub(super) async fn metrics(
    State(state): State<Arc<AdminState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    observes(caller)?;
    let Some(page) = &state.metrics else {
        let detail = "this program has installed a recorder of its own; ask it for its metrics";
        return Err(Problem::new(Kind::NoMetrics, detail));
    };
    let look = match state.node.get() {
        Some(node) => Some(node.collector.lock().await.collect().await),
        None => None,
    };
    let accept = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let exposition = Exposition::accepted(accept);
    let headers = [(CONTENT_TYPE, exposition.media_type()), (VARY, "Accept")];
    Ok((headers, page.render(look.as_ref(), exposition)).into_response())
}
