//! An OTLP collector on the loopback interface, which keeps what it is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// A collector.
#[derive(Debug)]
pub(crate) struct Collector {
    port: u16,
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
    /// It reads nothing, and answers nothing.
    Hangs,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::with(Manners::Takes)
    }

    pub(crate) fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let kept = Arc::<Mutex<Kept>>::default();
        let keeps = kept.clone();
        thread::spawn(move || {
            let mut hung = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if manners == Manners::Hangs {
                    hung.push(stream);
                    continue;
                }
                let keeps = keeps.clone();
                thread::spawn(move || while serve(&stream, &keeps).is_some() {});
            }
        });
        Self { port, kept }
    }

    /// The variables that have a node export everything to it at once.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        variables(self.port)
    }

    pub(crate) fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The variables that have a node export everything to this port at once.
pub(crate) fn variables(port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}")),
        ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "50".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200".to_owned()),
    ]
}

/// Serves one request. None when the connection ends.
fn serve(mut stream: &TcpStream, kept: &Mutex<Kept>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(given) = line.strip_prefix("content-length:") {
            length = given.trim().parse().ok()?;
        }
        headers.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.headers.extend(headers);
        kept.take(&path, &body);
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")
        .ok()
}

impl Kept {
    fn take(&mut self, path: &str, body: &[u8]) {
        match path {
            "/v1/traces" => {
                let sent = ExportTraceServiceRequest::decode(body).expect("spans");
                for all in sent.resource_spans {
                    self.resources
                        .extend(all.resource.iter().flat_map(|resource| texts(&resource.attributes)));
                    for scope in all.scope_spans {
                        self.schemas.push(scope.schema_url);
                        self.spans.extend(scope.spans.iter().map(found));
                    }
                }
            }
            "/v1/logs" => {
                let sent = ExportLogsServiceRequest::decode(body).expect("records");
                let scopes = sent.resource_logs.into_iter().flat_map(|all| all.scope_logs);
                self.logs.extend(scopes.flat_map(|scope| scope.log_records));
            }
            "/v1/metrics" => {
                let sent = ExportMetricsServiceRequest::decode(body).expect("metrics");
                let scopes = sent.resource_metrics.into_iter().flat_map(|all| all.scope_metrics);
                self.metrics.extend(scopes.flat_map(|scope| scope.metrics));
            }
            other => panic!("nobody exports to {other}"),
        }
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
