//! Spans of messages, named and described as the semantic conventions for messaging and RPC have it.

use std::borrow::Cow;
use std::sync::OnceLock;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use parking_lot::Mutex;
use ractor::ActorId;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::directory;
use crate::directory::trace::{ActiveSpan, Operation, OperationKind, Recorder, TraceContext, Tracer};

/// The most bytes of a text in an attribute: of what a peer or a guest makes up.
const TEXT_BYTES: usize = 512;

/// What the conventions call this system.
const SYSTEM: &str = "ractor";

/// See the module.
pub(super) struct OtelTracer {
    tracer: SdkTracer,
    /// The full name of this process's node, once it has one.
    node: OnceLock<String>,
}

impl OtelTracer {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self {
            tracer,
            node: OnceLock::new(),
        }
    }

    fn node(&self) -> Option<&String> {
        if self.node.get().is_none()
            && let Some(node) = directory::node_of(ActorId::Local(0))
        {
            // Somebody else may have been first, with the same name.
            drop(self.node.set(node.name));
        }
        self.node.get()
    }

    fn attributes(&self, operation: &Operation<'_>) -> Vec<KeyValue> {
        let (actor, variant) = (
            shorten(operation.actor).into_owned(),
            shorten(operation.variant).into_owned(),
        );
        let mut attributes = match operation.kind {
            OperationKind::Send | OperationKind::Process => {
                let (name, kind) = match operation.kind {
                    OperationKind::Send => ("cast", "send"),
                    _ => ("handle", "process"),
                };
                vec![
                    KeyValue::new("messaging.system", SYSTEM),
                    KeyValue::new("messaging.operation.name", name),
                    KeyValue::new("messaging.operation.type", kind),
                    KeyValue::new("messaging.destination.name", actor),
                    KeyValue::new("messaging.message.body.size", size(operation.bytes)),
                    KeyValue::new("ractor.message.variant", variant),
                ]
            }
            OperationKind::Call | OperationKind::Serve => vec![
                KeyValue::new("rpc.system", SYSTEM),
                KeyValue::new("rpc.service", actor),
                KeyValue::new("rpc.method", variant),
                KeyValue::new("ractor.message.body.size", size(operation.bytes)),
            ],
        };
        attributes.extend(self.node().map(|node| KeyValue::new("ractor.node", node.clone())));
        attributes
    }
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The name of a span: few that differ, as the conventions ask for.
fn name(operation: &Operation<'_>) -> String {
    let actor = shorten(operation.actor);
    match operation.kind {
        OperationKind::Send => format!("send {actor}"),
        OperationKind::Process => format!("process {actor}"),
        OperationKind::Call | OperationKind::Serve => format!("{actor}/{}", shorten(operation.variant)),
    }
}

fn kind(operation: &Operation<'_>) -> SpanKind {
    match operation.kind {
        OperationKind::Send => SpanKind::Producer,
        OperationKind::Process => SpanKind::Consumer,
        OperationKind::Call => SpanKind::Client,
        OperationKind::Serve => SpanKind::Server,
    }
}

fn shorten(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_BYTES {
        return text.into();
    }
    let end = text.floor_char_boundary(TEXT_BYTES);
    format!("{}…", text.get(..end).unwrap_or_default()).into()
}

impl Tracer for OtelTracer {
    fn begin(&self, parent: Option<&TraceContext>, operation: &Operation<'_>) -> Option<ActiveSpan> {
        let builder = SpanBuilder::from_name(name(operation))
            .with_kind(kind(operation))
            .with_attributes(self.attributes(operation));
        let parent = parent.map_or_else(Context::new, remote);
        let span = self.tracer.build_with_context(builder, &parent);
        let context = ours(span.span_context())?;
        Some(ActiveSpan::new(context, Box::new(Recorded(Mutex::new(span)))))
    }

    fn current(&self) -> Option<TraceContext> {
        let span = tracing::Span::current();
        if span.is_none() {
            return None;
        }
        ours(span.context().span().span_context())
    }

    fn native(&self, parent: &TraceContext, operation: &Operation<'_>) -> tracing::Span {
        let kind = match operation.kind {
            OperationKind::Serve | OperationKind::Call => "server",
            OperationKind::Process | OperationKind::Send => "consumer",
        };
        // Of the highest level, so that it is there whatever is logged.
        let span = tracing::error_span!(
            target: "ractor_host::message",
            "message",
            otel.name = name(operation),
            otel.kind = kind
        );
        // It has not begun, so it takes a parent.
        span.set_parent(remote(parent)).ok();
        for KeyValue { key, value, .. } in self.attributes(operation) {
            span.set_attribute(key, value);
        }
        span
    }
}

/// The context as that of a parent.
fn remote(context: &TraceContext) -> Context {
    let state = context.state().parse().unwrap_or(TraceState::NONE);
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from(context.trace()),
        SpanId::from(context.span()),
        TraceFlags::new(context.flags()),
        true,
        state,
    ))
}

/// None of a span that belongs to no trace.
fn ours(context: &SpanContext) -> Option<TraceContext> {
    TraceContext::new(
        u128::from_be_bytes(context.trace_id().to_bytes()),
        u64::from_be_bytes(context.span_id().to_bytes()),
        context.trace_flags().to_u8(),
        &context.trace_state().header(),
    )
}

/// A span of the SDK, which ends it when it is dropped.
#[derive(Debug)]
struct Recorded(Mutex<Span>);

impl Recorder for Recorded {
    fn failed(&self, reason: &str) {
        let mut span = self.0.lock();
        span.set_attribute(KeyValue::new("error.type", "_OTHER"));
        span.set_status(Status::error(shorten(reason).into_owned()));
    }
}
