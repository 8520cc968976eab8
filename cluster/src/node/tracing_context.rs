//! The trace that a message belongs to, on its way over a link: from beside the message into fields of its frame, and back.

use super::link::Link;
use crate::directory::trace::{self, TraceContext};
use crate::wire::{CAPABILITY_TRACE, TraceFields};

impl Link {
    /// What a message that is sent now says of its trace: nothing unless this node and the peer both trace. `payload` is the size of
    /// the message without it.
    pub(super) fn trace_of(&self, payload: usize) -> Option<Box<TraceFields>> {
        // First, because it is all that a node pays that doesn't trace.
        if !trace::is_on() || !self.peer_has(CAPABILITY_TRACE) {
            return None;
        }
        let context = trace::of_message()?;
        let fields = TraceFields {
            parent: context.parent().into(),
            state: context.state().into(),
        };
        // A message that just fits goes without its trace rather than not at all.
        self.check_size(payload + fields.wire_len())
            .is_ok()
            .then(|| Box::new(fields))
    }
}

/// The context in what a peer has written there. None if it isn't one, or this node doesn't trace.
pub(super) fn received(fields: &TraceFields) -> Option<TraceContext> {
    trace::is_on()
        .then(|| TraceContext::parse(&fields.parent, &fields.state))
        .flatten()
}
