//! Sends the requests of one guest: those that are granted, each over a connection of its own. No redirect is followed.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper::http::uri::Uri;
use hyper::{Method, Request, Response};
use tokio::sync::Semaphore;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::body::{Bounded, Paced};
use super::failure;
use super::slot::Slot;
use super::target::Target;
use super::wait::Waits;
use crate::accounting::family::{Family, Quota};
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::policy::denied::Denied;
use crate::policy::grants::{Grants, HttpOrigin};
use crate::policy::http_trust::HttpTrust;
use crate::policy::limits::{Common, Limit, Limits};

/// What hyper reads into at least, in bytes.
const SMALLEST_BUFFER: usize = 8 << 10;

/// The response, and what drives its connection.
pub(super) type Sent = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// Sends the requests of one guest.
pub(in crate::store::wasi) struct Client {
    pub(super) label: Label,
    /// None while the component only describes itself, when nothing is granted.
    pub(super) family: Option<Family>,
    grants: Arc<Grants>,
    pub(super) trust: HttpTrust,
    places: Arc<Semaphore>,
    requests: usize,
    /// The family's part; none if there is no actor.
    quota: Option<Arc<Quota>>,
    request_bytes: usize,
    response_bytes: usize,
    header_bytes: usize,
    wait: Duration,
}

/// A request that may be sent.
pub(super) struct Admitted {
    request: Request<WasiBody>,
    target: Target,
    place: Slot,
    waits: Waits,
}

impl Client {
    pub(in crate::store::wasi) fn new(
        label: Label,
        family: Option<Family>,
        limits: &Limits,
        grants: Arc<Grants>,
        trust: HttpTrust,
    ) -> Self {
        Self {
            quota: family.as_ref().map(|family| family.quota().clone()),
            label,
            family,
            grants,
            trust,
            places: Arc::new(Semaphore::new(limits.http_requests.min(Semaphore::MAX_PERMITS))),
            requests: limits.http_requests,
            request_bytes: limits.http_request_bytes,
            response_bytes: limits.http_response_bytes,
            header_bytes: limits.http_header_bytes,
            wait: limits.http_wait,
        }
    }

    pub(super) fn origins(&self) -> &[HttpOrigin] {
        self.grants.http.as_deref().unwrap_or_default()
    }

    /// Whether the request may be sent: it is granted, and there is a place for it.
    pub(super) fn admit(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Admitted, ErrorCode> {
        let target = Target::of(request.uri()).ok_or(ErrorCode::HttpRequestUriInvalid)?;
        if !target.is_granted(self.origins()) {
            telemetry::denied(&self.label, Denied::Http(&target.to_string()));
            return Err(ErrorCode::HttpRequestDenied);
        }
        // A tunnel would lead to whom no grant names.
        if request.method() == Method::CONNECT {
            return Err(ErrorCode::HttpRequestMethodInvalid);
        }
        let place = self.place().map_err(|limit| {
            telemetry::limit(&self.label, limit);
            ErrorCode::ConnectionLimitReached
        })?;
        Ok(Admitted {
            request,
            target,
            place,
            waits: Waits::new(options, self.wait),
        })
    }

    fn place(&self) -> Result<Slot, Limit> {
        let own = self.places.clone().try_acquire_owned();
        // Its own first. If the family has none left, this is given back as it is dropped.
        let _own = own.map_err(|_| Limit::HttpRequests(self.requests))?;
        let share = |quota: &Arc<Quota>| quota.share(Common::HttpRequests, 1);
        let _family = self.quota.as_ref().map(share).transpose()?;
        Ok(Slot { _own, _family })
    }

    /// Sends it, and waits until the response begins.
    pub(super) async fn send(&self, admitted: Admitted) -> Result<Sent, Error> {
        let Admitted {
            request,
            target,
            place,
            waits,
        } = admitted;
        let connecting = waits.connection.wait_for(&self.label, self.connect(&target));
        let stream = connecting.await.ok_or(Error::ConnectionTimeout)??;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(self.header_bytes.max(SMALLEST_BUFFER))
            .max_header_size(self.header_bytes)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failure::of_hyper(&error))?;
        // Ends with the response, or with this future.
        let connection = wasmtime_wasi::runtime::spawn(connection);
        let response = waits
            .first_byte
            .wait_for(&self.label, sender.send_request(self.bounded(request)));
        let response = response.await.ok_or(Error::ConnectionReadTimeout)?;
        let response = response.map_err(|error| failure::of_hyper(&error))?;
        let response = response.map(|body| {
            let body = body.map_err(|error| failure::of_hyper(&error));
            let body = Bounded::response(body, self.response_bytes, self.label.clone());
            Paced::new(body, waits.next_byte, self.label.clone(), place).boxed_unsync()
        });
        let connection = async move {
            // Whatever becomes of it, the body tells.
            drop(connection.await);
            Ok(())
        };
        Ok((response, Box::new(connection)))
    }

    fn bounded(&self, request: Request<WasiBody>) -> Request<Bounded<WasiBody>> {
        let (mut parts, body) = request.into_parts();
        // Where it goes is said by the connection, and by the header `host`.
        parts.uri = parts.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
        Request::from_parts(parts, Bounded::request(body, self.request_bytes, self.label.clone()))
    }
}
