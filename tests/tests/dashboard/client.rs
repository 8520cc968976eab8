//! How the driver of a browser is asked: HTTP on this machine, one request after the other.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use ureq::Agent;
use ureq::http::{Request, Response};

/// The longest that a browser may take for one thing: on a machine that has much else to do it takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Client(Agent);

impl Client {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self(config.into())
    }

    fn run(&self, request: Request<Body<'_>>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let answered = match body {
            Body::Empty => self.0.run(Request::from_parts(parts, ())),
            Body::Json(json) => self.0.run(Request::from_parts(parts, json.to_string())),
        };
        let (parts, mut body) = answered?.into_parts();
        let body = body.with_config().limit(64 << 20).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}

impl HttpClient for Client {
    // It blocks, and nothing else waits for this thread.
    fn send<'s, 'r, 't>(&'s self, request: Request<Body<'r>>) -> Later<'t, WebDriverResult<Response<Bytes>>>
    where
        's: 't,
        'r: 't,
        Self: 't,
    {
        let failed = |error: ureq::Error| WebDriverError::from(WebDriverErrorInner::RequestFailed(error.to_string()));
        Box::pin(async move { self.run(request).map_err(failed) })
    }

    fn new<'s, 't>(&'s self) -> Later<'t, Arc<dyn HttpClient>>
    where
        's: 't,
        Self: 't,
    {
        let another: Arc<dyn HttpClient> = Arc::new(self.clone());
        Box::pin(async move { another })
    }
}
