//! The span of what an instance handles.

use ractor::message::SerializedMessage;

use super::calls::Instance;
use super::error::GuestError;
use crate::store::spans::TraceContext;

impl Instance {
    /// The instance is about to handle a message of this trace.
    pub(crate) fn begin_span(&mut self, parent: &TraceContext, message: &SerializedMessage) {
        self.store.data_mut().begin_handling(parent, message);
    }

    /// A callback has ended. The span goes on only with a handler for which the mailbox is held: what comes next is still part of it.
    pub(crate) fn end_span(&mut self, outcome: &Result<(), GuestError>) {
        let goes_on = outcome.is_ok() && self.holds_mailbox();
        let state = self.store.data_mut();
        if let Some(span) = state.span.take_if(|_| !goes_on)
            && let Err(error) = outcome
        {
            span.failed(&error.to_string());
        }
    }
}
