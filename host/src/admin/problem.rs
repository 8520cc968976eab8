//! What goes wrong, as RFC 9457 has it: a kind for programs, a status for what stands between, and words for people.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use crate::control::SendFault;

/// What stands before the kind in the `type` of a problem.
const NAMESPACE: &str = "urn:ractor-host:problem:";

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BadRequest,
    NoToken,
    WrongToken,
    Role,
    ForeignOrigin,
    Host,
    NotFound,
    Method,
    Slow,
    TooLarge,
    MediaType,
    Refused,
    NoRecord,
    BrokenOff,
    Busy,
    Starting,
    Stopping,
    NoMetrics,
    Unexpected,
    Message(SendFault),
}

impl Kind {
    /// Its name, its status and its title.
    fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => (
                "bad-request",
                StatusCode::BAD_REQUEST,
                "The request can't be understood",
            ),
            Self::NoToken => ("no-token", StatusCode::UNAUTHORIZED, "This takes a token"),
            Self::WrongToken => (
                "wrong-token",
                StatusCode::UNAUTHORIZED,
                "The token is none of the node's",
            ),
            Self::Role => ("role", StatusCode::FORBIDDEN, "This takes another role"),
            Self::ForeignOrigin => (
                "foreign-origin",
                StatusCode::FORBIDDEN,
                "The request comes from another site",
            ),
            Self::Host => (
                "host",
                StatusCode::MISDIRECTED_REQUEST,
                "The node is called by a name that is not its own",
            ),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::Method => (
                "method",
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not one of this address",
            ),
            Self::Slow => (
                "slow",
                StatusCode::REQUEST_TIMEOUT,
                "The request took too long to arrive",
            ),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::MediaType => (
                "media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is of another type than is taken here",
            ),
            Self::Refused => ("refused", StatusCode::CONFLICT, "The node did not do it"),
            Self::NoRecord => ("no-record", StatusCode::NOT_FOUND, "Nothing is known of this request"),
            Self::BrokenOff => (
                "broken-off",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The request was broken off, and what it had done by then is not known",
            ),
            Self::Busy => (
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "The node is busy with others' requests",
            ),
            Self::Starting => ("starting", StatusCode::SERVICE_UNAVAILABLE, "The node is starting"),
            Self::Stopping => ("stopping", StatusCode::SERVICE_UNAVAILABLE, "The node is stopping"),
            Self::NoMetrics => (
                "no-metrics",
                StatusCode::NOT_IMPLEMENTED,
                "The program collects its metrics elsewhere",
            ),
            Self::Unexpected => (
                "unexpected",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The node gave an answer that doesn't belong to the request",
            ),
            Self::Message(fault) => of_message(fault),
        }
    }
}

fn of_message(fault: SendFault) -> (&'static str, StatusCode, &'static str) {
    match fault {
        SendFault::BadTarget => (
            "bad-target",
            StatusCode::BAD_REQUEST,
            "The target is not written as one",
        ),
        SendFault::NoTarget => ("no-target", StatusCode::NOT_FOUND, "There is no such actor"),
        SendFault::NoMessage => (
            "no-message",
            StatusCode::UNPROCESSABLE_ENTITY,
            "The actor has no such message",
        ),
        SendFault::BadArguments => (
            "bad-arguments",
            StatusCode::UNPROCESSABLE_ENTITY,
            "The arguments are not those of the message",
        ),
        SendFault::BadKey => (
            "bad-key",
            StatusCode::BAD_REQUEST,
            "The message can't bear this idempotency key",
        ),
        SendFault::Overloaded => (
            "overloaded",
            StatusCode::SERVICE_UNAVAILABLE,
            "Too much waits already, and the message was not sent",
        ),
        SendFault::Ended => ("ended", StatusCode::BAD_GATEWAY, "The actor ended without a reply"),
        SendFault::Failed => ("failed", StatusCode::BAD_GATEWAY, "The actor failed the call"),
        SendFault::NoReply => ("no-reply", StatusCode::GATEWAY_TIMEOUT, "There was no reply in time"),
        SendFault::BadReply => ("bad-reply", StatusCode::BAD_GATEWAY, "The reply is of another type"),
    }
}

/// What went wrong, and what to do about it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail }
    }

    /// The same, as another kind if it is of this one.
    pub(super) fn turned(self, from: Kind, to: Kind) -> Self {
        let kind = if self.kind == from { to } else { self.kind };
        Self { kind, ..self }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// A header that this kind of problem has besides.
    fn header(&self) -> Option<(HeaderName, &'static str)> {
        match self.kind {
            Kind::NoToken => Some((WWW_AUTHENTICATE, "Bearer")),
            Kind::WrongToken => Some((WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")),
            Kind::Busy | Kind::Starting | Kind::Message(SendFault::Overloaded) => Some((RETRY_AFTER, "1")),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, status, title) = self.kind.row();
        let body = json!({
            "type": format!("{NAMESPACE}{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        let mut response = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, "application/problem+json");
        if let Some((header, value)) = self.header() {
            response = response.header(header, value);
        }
        // Nothing of it can be wrong, so this never falls back to an empty answer.
        response.body(Body::from(body.to_string())).unwrap_or_default()
    }
}
