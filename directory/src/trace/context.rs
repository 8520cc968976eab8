//! What a message says of the trace that it belongs to: [W3C Trace Context](https://www.w3.org/TR/trace-context/), level 1.

use std::fmt;

/// The bytes of a `traceparent` of version 00.
const PARENT_BYTES: usize = 55;

/// The most bytes of a `tracestate` that go along: what the standard has every party pass on at least.
const STATE_BYTES: usize = 512;

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// Which span is the parent of what follows from a message.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
    state: Box<str>,
}

impl TraceContext {
    /// A context of these ids, flags and `tracestate`. None if an id is zero, which stands for none. A state that isn't one, or is longer
    /// than 512 bytes, is left out.
    pub fn new(trace: u128, span: u64, flags: u8, state: &str) -> Option<Self> {
        let is_state = state.len() <= STATE_BYTES && state.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (trace != 0 && span != 0).then(|| Self {
            trace,
            span,
            flags,
            state: if is_state { state } else { "" }.into(),
        })
    }

    /// Reads a `traceparent` and a `tracestate`, which may be empty. None if the first isn't one: then there is no trace, as the standard
    /// says. Of versions to come, what version 00 has is read.
    pub fn parse(parent: &[u8], state: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(parent.get(..PARENT_BYTES)?).ok()?;
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let known = match version {
            "00" => parent.len() == PARENT_BYTES,
            "ff" => false,
            _ => parent.get(PARENT_BYTES).is_none_or(|next| *next == b'-'),
        };
        let has_lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !known || !has_lengths || parts.next().is_some() || ![version, trace, span, flags].into_iter().all(is_hex) {
            return None;
        }
        Self::new(
            u128::from_str_radix(trace, 16).ok()?,
            u64::from_str_radix(span, 16).ok()?,
            u8::from_str_radix(flags, 16).ok()?,
            std::str::from_utf8(state).unwrap_or_default(),
        )
    }

    /// As `traceparent`, version 00.
    pub fn parent(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }

    /// As `tracestate`; empty if there is none.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The number of the trace.
    pub fn trace(&self) -> u128 {
        self.trace
    }

    /// The number of the span.
    pub fn span(&self) -> u64 {
        self.span
    }

    /// The flags of the trace.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// True if the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The memory that it takes while its message waits.
    pub fn retained_bytes(&self) -> usize {
        // With the two counts of the `Arc` that holds it.
        size_of::<Self>() + 2 * size_of::<usize>() + self.state.len()
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceContext")
            .field(&self.parent())
            .field(&self.state)
            .finish()
    }
}
