//! `tracing`: the trace that the guest's present work belongs to, and the spans of what it sends.

use std::fmt::Display;

use ractor::message::SerializedMessage;
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::tracing;
use crate::component::bindings::types::Pid;
use crate::component::imports::Import;
use crate::directory::trace::{self, ActiveSpan, Operation, OperationKind};
use crate::directory::{self, node_of};
use crate::store::data::StoreData;
use crate::store::interface;
use crate::store::pid;

/// The interface `tracing`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/tracing", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        tracing::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl tracing::Host for StoreData {
    fn current(&mut self) -> wasmtime::Result<Option<tracing::TraceContext>> {
        self.context()?;
        Ok(self.span.as_ref().map(|span| {
            let context = span.context();
            tracing::TraceContext {
                traceparent: context.parent(),
                tracestate: context.state().to_owned(),
            }
        }))
    }
}

impl StoreData {
    /// Begins the span of a message that the guest sends; none if what it does belongs to no trace.
    pub(super) fn begin_span(&self, to: Pid, message: &SerializedMessage) -> Option<ActiveSpan> {
        self.begin_span_to(|| shown(to), message)
    }

    /// The same for a receiver that is shown like this.
    pub(super) fn begin_span_to(
        &self,
        shown: impl FnOnce() -> String,
        message: &SerializedMessage,
    ) -> Option<ActiveSpan> {
        let parent = self.span.as_ref()?;
        let kind = OperationKind::sending(message);
        trace::begin(Some(parent.context()), &Operation::of(kind, &shown(), message))
    }
}

/// The receiver of a message, as a span names it: a name if it has one, or else its pid, with the node if that is another.
fn shown(to: Pid) -> String {
    let Some(id) = pid::to_id(to) else {
        return to.id.to_string();
    };
    if directory::is_ours(id) {
        let name = directory::local_actor(id.pid()).and_then(|actor| actor.get_name());
        return name.unwrap_or_else(|| id.pid().to_string());
    }
    match node_of(id) {
        Some(node) => format!("{}@{}", id.pid(), node.name),
        None => id.pid().to_string(),
    }
}

/// What the span is about has failed.
pub(super) fn failed(span: Option<&ActiveSpan>, error: &impl Display) {
    if let Some(span) = span {
        span.failed(&error.to_string());
    }
}
