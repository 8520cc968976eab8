//! `/v1/openapi.json`: what the admin HTTP offers, as OpenAPI 3.1. It is kept in `docs/`.

use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;

/// The document.
pub(super) const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json"));

pub(super) async fn document() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
