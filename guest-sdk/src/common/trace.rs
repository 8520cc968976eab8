//! How a place in a trace looks.

/// A place in a trace, in the texts of [W3C Trace Context](https://www.w3.org/TR/trace-context/).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The `traceparent`: version, trace, span and flags, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
    pub parent: String,
    /// The `tracestate`: what makers of traces add; empty if there is nothing.
    pub state: String,
}
