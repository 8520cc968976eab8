//! One request, and all of its response.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::{OutputStream, StreamError};

/// The most bytes of a body that are read at once.
const READ: u64 = 64 << 10;

/// The most bytes that WASI takes at once from a guest that waits for it.
const WRITE: usize = 4096;

/// What went wrong, as it is shown.
pub(crate) struct Shown(pub(crate) String);

/// A request that was begun.
pub(crate) struct Pending {
    // Read during the wait for the response.
    response: FutureIncomingResponse,
    /// Where its body is written to.
    body: Option<OutgoingBody>,
}

/// What is asked for.
pub(crate) struct Ask<'u> {
    method: Method,
    url: &'u str,
    body: Option<Vec<u8>>,
    header_bytes: Option<u64>,
    within_ms: Option<u64>,
}

impl From<ErrorCode> for Shown {
    fn from(code: ErrorCode) -> Self {
        Self(format!("{code:?}"))
    }
}

fn failed(what: &str) -> Shown {
    Shown(what.to_owned())
}

impl<'u> Ask<'u> {
    pub(crate) fn get(url: &'u str) -> Self {
        Self {
            method: Method::Get,
            url,
            body: None,
            header_bytes: None,
            within_ms: None,
        }
    }

    pub(crate) fn post(url: &'u str, body: Vec<u8>) -> Self {
        Self {
            method: Method::Post,
            body: Some(body),
            ..Self::get(url)
        }
    }

    pub(crate) fn connect(url: &'u str) -> Self {
        Self {
            method: Method::Connect,
            ..Self::get(url)
        }
    }

    pub(crate) fn within(self, ms: u64) -> Self {
        Self {
            within_ms: Some(ms),
            ..self
        }
    }

    pub(crate) fn header(self, bytes: u64) -> Self {
        Self {
            header_bytes: Some(bytes),
            ..self
        }
    }

    /// The status and the body, or what went wrong.
    pub(crate) fn answer(self) -> String {
        match self.response() {
            Ok(text) => text,
            Err(Shown(error)) => error,
        }
    }

    fn response(mut self) -> Result<String, Shown> {
        let content = self.body.take();
        let mut pending = self.asking(content.is_some())?;
        if let (Some(body), Some(content)) = (pending.body.take(), content) {
            write(body, &content)?;
        }
        pending.response.subscribe().block();
        let response = pending.response.get().ok_or_else(|| failed("no response"))?;
        let response = response.map_err(|()| failed("taken already"))??;
        let body = read(&response)?;
        Ok(format!("{} {body}", response.status()))
    }

    /// Begins it, and does not wait.
    pub(crate) fn begin(self) -> Result<Pending, Shown> {
        self.asking(false)
    }

    fn asking(self, has_body: bool) -> Result<Pending, Shown> {
        let (scheme, rest) = self.url.split_once("://").ok_or_else(|| failed("no URL"))?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.to_owned()),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let headers = Fields::new();
        if let Some(bytes) = self.header_bytes {
            let value = vec![b'x'; usize::try_from(bytes).unwrap_or(usize::MAX)];
            headers
                .append("x-long", &value)
                .map_err(|error| Shown(format!("{error:?}")))?;
        }
        let request = OutgoingRequest::new(headers);
        let path = (!path.is_empty()).then_some(path);
        let authority = (!authority.is_empty()).then_some(authority);
        request
            .set_method(&self.method)
            .and_then(|()| request.set_scheme(Some(&scheme)))
            .and_then(|()| request.set_authority(authority))
            .and_then(|()| request.set_path_with_query(path))
            .map_err(|()| failed("no request"))?;
        let body = if has_body {
            Some(request.body().map_err(|()| failed("no body"))?)
        } else {
            None
        };
        let options = self.within_ms.map(|ms| ms * 1_000_000).map(|ns| {
            let options = RequestOptions::new();
            // Every host that this is run on takes them.
            options.set_connect_timeout(Some(ns)).ok();
            options.set_first_byte_timeout(Some(ns)).ok();
            options.set_between_bytes_timeout(Some(ns)).ok();
            options
        });
        let response = handle(request, options)?;
        Ok(Pending { response, body })
    }
}

/// Writes the whole body, or as much as is taken: why it isn't taken, the response says.
fn write(body: OutgoingBody, content: &[u8]) -> Result<(), Shown> {
    let stream = body.write().map_err(|()| failed("written already"))?;
    let all = content
        .chunks(WRITE)
        .all(|chunk| OutputStream::blocking_write_and_flush(&stream, chunk).is_ok());
    drop(stream);
    if all {
        OutgoingBody::finish(body, None)?;
    }
    Ok(())
}

/// Never ends by itself.
pub(crate) fn hoard(bytes: u64) {
    let value = vec![b'x'; usize::try_from(bytes).unwrap_or(usize::MAX)];
    let mut all = Vec::new();
    loop {
        let headers = Fields::new();
        headers.append("x-long", &value).ok();
        all.push(headers);
    }
}

fn read(response: &IncomingResponse) -> Result<String, Shown> {
    let body = response.consume().map_err(|()| failed("consumed already"))?;
    let stream = body.stream().map_err(|()| failed("read already"))?;
    let mut bytes = Vec::new();
    let failure = loop {
        match stream.blocking_read(READ) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => break None,
            Err(StreamError::LastOperationFailed(error)) => {
                break Some(match http_error_code(&error) {
                    Some(code) => code.into(),
                    None => Shown(error.to_debug_string()),
                });
            }
        }
    };
    drop(stream);
    drop(IncomingBody::finish(body));
    match failure {
        Some(failure) => Err(failure),
        None => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
