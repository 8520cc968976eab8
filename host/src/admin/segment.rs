//! The part of an address that says which one is meant.

use axum::extract::{FromRequestParts, Path};
use hyper::http::request::Parts;

use super::problem::{Kind, Problem};

/// The part, as text. What is no text in UTF-8 is refused as every other mistake is.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(text)| Self(text))
            .map_err(|rejection| Problem::new(Kind::BadRequest, rejection.body_text()))
    }
}
