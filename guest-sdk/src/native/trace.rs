//! The trace that the present message belongs to. Natively it is that of the current `tracing` span, if the program traces.

use ractor_host_directory::trace;

pub use crate::common::trace::TraceContext;

/// The span of the present handler, as the parent of spans of your own, or for the headers of a request. What the handler sends to actors
/// carries it anyway. None if the node doesn't trace, or nothing that is traced has led here.
pub fn current() -> Option<TraceContext> {
    trace::current().map(|context| TraceContext {
        parent: context.parent(),
        state: context.state().to_owned(),
    })
}
