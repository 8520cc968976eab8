//! An OTLP collector on the loopback interface, which keeps what it is sent.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use ractor_host_tests::certificates::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

/// A collector.
#[derive(Debug)]
pub(crate) struct Collector {
    port: u16,
    manners: Manners,
    is_secure: bool,
    kept: Arc<Mutex<Kept>>,
}

/// What came.
#[derive(Debug, Default, Clone)]
pub(crate) struct Kept {
    pub(crate) spans: Vec<Found>,
    pub(crate) logs: Vec<LogRecord>,
    pub(crate) metrics: Vec<Metric>,
    /// The schemas that spans are described by.
    pub(crate) schemas: Vec<String>,
    /// Every header that a request had, as `name: value`.
    pub(crate) headers: Vec<String>,
    /// Requests whose bodies were compressed.
    pub(crate) compressed: usize,
    /// What the sender says of itself, as `key=value`.
    pub(crate) resources: Vec<String>,
}

/// A span, in numbers and words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) trace: String,
    pub(crate) span: String,
    /// Empty for the first of a trace.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    pub(crate) state: String,
    pub(crate) error: Option<String>,
    pub(crate) attributes: Vec<String>,
}

/// How a collector treats those who come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    Takes,
    /// It speaks gRPC.
    TakesGrpc,
    /// It reads nothing, and answers nothing.
    Hangs,
    /// It begins to answer, and never ends.
    HangsWithin,
    /// The same in gRPC.
    HangsWithinGrpc,
}

impl Manners {
    fn is_grpc(self) -> bool {
        matches!(self, Self::TakesGrpc | Self::HangsWithinGrpc)
    }
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::with(Manners::Takes)
    }

    pub(crate) fn with(manners: Manners) -> Self {
        Self::behind(manners, None)
    }

    /// One that is reached over TLS, if it says how.
    pub(crate) fn behind(manners: Manners, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let kept = Arc::<Mutex<Kept>>::default();
        let (keeps, is_secure) = (kept.clone(), tls.is_some());
        thread::spawn(move || {
            if manners == Manners::Hangs {
                let mut hung = Vec::new();
                hung.extend(listener.incoming().map_while(Result::ok));
                return;
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime")
                .block_on(accept(listener, manners, tls.map(TlsAcceptor::from), keeps));
        });
        Self {
            port,
            manners,
            is_secure,
            kept,
        }
    }

    /// The variables that have a node export everything to it at once.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut all = variables(self.port);
        if self.is_secure {
            all.retain(|(name, _)| *name != ENDPOINT);
            all.push((ENDPOINT, format!("https://localhost:{}", self.port)));
        }
        if self.manners.is_grpc() {
            all.push(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()));
        }
        all
    }

    pub(crate) fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The variables that have a node export everything to this port at once.
pub(crate) fn variables(port: u16) -> Vec<(&'static str, String)> {
    vec![
        (ENDPOINT, format!("http://127.0.0.1:{port}")),
        ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "50".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200".to_owned()),
    ]
}

async fn accept(listener: TcpListener, manners: Manners, tls: Option<TlsAcceptor>, kept: Arc<Mutex<Kept>>) {
    listener.set_nonblocking(true).expect("a listener");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (tls, kept) = (tls.clone(), kept.clone());
        tokio::spawn(async move {
            let Some(tls) = tls else {
                return serve(stream, manners, kept).await;
            };
            // A client that doesn't trust this one is what some tests are about.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, manners, kept).await;
            }
        });
    }
}

async fn serve<S>(stream: S, manners: Manners, kept: Arc<Mutex<Kept>>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| answer(request, manners, kept.clone()));
    let stream = TokioIo::new(stream);
    // How a connection ends is the client's affair.
    if manners.is_grpc() {
        let serving = http2::Builder::new(TokioExecutor::new());
        drop(serving.serve_connection(stream, service).await);
    } else {
        drop(http1::Builder::new().serve_connection(stream, service).await);
    }
}

async fn answer(
    request: Request<Incoming>,
    manners: Manners,
    kept: Arc<Mutex<Kept>>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let mut body = body.collect().await?.to_bytes().to_vec();
    let is_grpc = manners.is_grpc();
    let mut is_compressed = parts
        .headers
        .get("content-encoding")
        .is_some_and(|coding| coding == "gzip");
    if is_grpc {
        // A message of gRPC has a mark for compression and its length before it.
        is_compressed = body[0] == 1;
        body.drain(..5);
    }
    if is_compressed {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).expect("gzip");
        body = plain;
    }
    {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = parts.headers.iter();
        kept.headers
            .extend(headers.map(|(name, value)| format!("{name}: {}", text(value))));
        kept.compressed += usize::from(is_compressed);
        kept.take(parts.uri.path(), &body);
    }
    let media = if is_grpc {
        "application/grpc"
    } else {
        "application/x-protobuf"
    };
    let mut answer = if matches!(manners, Manners::HangsWithin | Manners::HangsWithinGrpc) {
        let begun = stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0]))) });
        Response::new(BodyExt::boxed(StreamBody::new(begun.chain(stream::pending()))))
    } else if is_grpc {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let empty = Frame::data(Bytes::from_static(&[0; 5]));
        let frames = [empty, Frame::trailers(trailers)].map(Ok::<_, Infallible>);
        Response::new(BodyExt::boxed(StreamBody::new(stream::iter(frames))))
    } else {
        Response::new(BodyExt::boxed(Empty::new()))
    };
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media));
    Ok(answer)
}

impl Kept {
    fn take(&mut self, path: &str, body: &[u8]) {
        match path {
            "/v1/traces" | "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
                let sent = ExportTraceServiceRequest::decode(body).expect("spans");
                for all in sent.resource_spans {
                    self.comes_from(all.resource.as_ref());
                    for scope in all.scope_spans {
                        self.schemas.push(scope.schema_url);
                        self.spans.extend(scope.spans.iter().map(found));
                    }
                }
            }
            "/v1/logs" | "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => {
                let sent = ExportLogsServiceRequest::decode(body).expect("records");
                for all in sent.resource_logs {
                    self.comes_from(all.resource.as_ref());
                    self.logs
                        .extend(all.scope_logs.into_iter().flat_map(|scope| scope.log_records));
                }
            }
            "/v1/metrics" | "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
                let sent = ExportMetricsServiceRequest::decode(body).expect("metrics");
                for all in sent.resource_metrics {
                    self.comes_from(all.resource.as_ref());
                    self.metrics
                        .extend(all.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
                }
            }
            other => panic!("nobody exports to {other}"),
        }
    }

    fn comes_from(&mut self, sender: Option<&Resource>) {
        self.resources
            .extend(sender.iter().flat_map(|resource| texts(&resource.attributes)));
    }

    /// The one span of this trace that has this name and kind.
    #[track_caller]
    pub(crate) fn span(&self, trace: &str, name: &str, kind: i32) -> &Found {
        let found: Vec<_> = self
            .of(trace)
            .into_iter()
            .filter(|span| span.name == name && span.kind == kind)
            .collect();
        match found[..] {
            [span] => span,
            _ => panic!("{name:?} of kind {kind}: {found:?} of {:#?}", self.of(trace)),
        }
    }

    pub(crate) fn of(&self, trace: &str) -> Vec<&Found> {
        self.spans.iter().filter(|span| span.trace == trace).collect()
    }
}

fn found(span: &Span) -> Found {
    Found {
        trace: hex(&span.trace_id),
        span: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name.clone(),
        kind: span.kind,
        state: span.trace_state.clone(),
        error: span
            .status
            .clone()
            .filter(|status| status.code == 2)
            .map(|status| status.message),
        attributes: texts(&span.attributes),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Attributes as `key=value`.
pub(crate) fn texts(attributes: &[KeyValue]) -> Vec<String> {
    let text = |value: &AnyValue| match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        other => format!("{other:?}"),
    };
    let shown = attributes.iter().map(|attribute| {
        let value = attribute.value.as_ref().map(text).unwrap_or_default();
        format!("{}={value}", attribute.key)
    });
    shown.collect()
}

/// The text of a record.
pub(crate) fn body(record: &LogRecord) -> &str {
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}
