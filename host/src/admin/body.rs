//! The bodies of requests: as large as is taken, and as fast.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::guard::Caller;
use super::problem::{Kind, Problem};
use super::state::AdminState;
use crate::control::{MAX_PIECE, Role};

/// The largest body of a request, in bytes.
const MAX_BODY: usize = 5 << 20;

const _: () = assert!(MAX_BODY > MAX_PIECE, "a piece of an upload fits");

/// The most bodies that are read at once of those who may only look, and as many of all others. Further ones wait for a place.
const MOST_BODIES: usize = 16;

/// The longest that a body may take to arrive, with the wait for a place.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The places of bodies that are being read. Those who may only look have their own: with slow ones they would keep out those who may do
/// more.
pub(super) struct BodyRooms {
    of_observers: Semaphore,
    of_others: Semaphore,
}

impl Default for BodyRooms {
    fn default() -> Self {
        Self {
            of_observers: Semaphore::new(MOST_BODIES),
            of_others: Semaphore::new(MOST_BODIES),
        }
    }
}

impl BodyRooms {
    fn of(&self, caller: Caller) -> &Semaphore {
        if caller.role > Some(Role::Observe) {
            &self.of_others
        } else {
            &self.of_observers
        }
    }
}

/// All of a body.
pub(super) async fn read(state: &AdminState, caller: Caller, body: Body) -> Result<Bytes, Problem> {
    let arrived = timeout(BODY_TIME, async {
        // Closed never: it lives as long as the server.
        let _place = state.bodies.of(caller).acquire().await;
        Limited::new(body, MAX_BODY).collect().await
    });
    match arrived.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            Kind::TooLarge,
            format!("at most {MAX_BODY} bytes are taken"),
        )),
        Ok(Err(error)) => Err(Problem::new(Kind::BadRequest, format!("the body broke off: {error}"))),
        Err(_) => Err(Problem::new(Kind::Slow, format!("a body has {BODY_TIME:?} to arrive"))),
    }
}

/// The value that a body is as JSON. A body that is not declared as JSON is refused: a page of another site can't declare it so
/// without asking first, which is never granted.
pub(super) async fn json<T: DeserializeOwned>(
    state: &AdminState,
    caller: Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    let declared = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let essence = declared
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if !essence.eq_ignore_ascii_case(b"application/json") {
        return Err(Problem::new(
            Kind::MediaType,
            "send JSON, with the header `Content-Type: application/json`",
        ));
    }
    let bytes = read(state, caller, body).await?;
    let text = if bytes.trim_ascii().is_empty() {
        &b"{}"[..]
    } else {
        &bytes
    };
    serde_json::from_slice(text)
        .map_err(|error| Problem::new(Kind::BadRequest, format!("the body is not what is expected: {error}")))
}
