//! The trace that the present message belongs to.

use crate::guest::bindings::ractor::actor::tracing;

pub use crate::common::trace::TraceContext;

/// The span of the present handler, as the parent of spans of your own, or for the headers of a request. What the handler sends to actors
/// carries it anyway. None if the node doesn't trace, or nothing that is traced has led here.
pub fn current() -> Option<TraceContext> {
    tracing::current().map(|context| TraceContext {
        parent: context.traceparent,
        state: context.tracestate,
    })
}
