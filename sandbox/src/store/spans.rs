//! The span of what an instance handles.

use std::sync::Arc;

use ractor::message::SerializedMessage;

use super::data::StoreData;
use crate::directory::PROBE_VARIANT;
use crate::directory::trace::{self, Operation, OperationKind};

pub(crate) use crate::directory::trace::TraceContext;

impl StoreData {
    /// A message of this trace is about to be handled.
    pub(crate) fn begin_handling(&mut self, parent: &TraceContext, message: &SerializedMessage) {
        let operation = Operation::of(OperationKind::handling(message), &self.label.name, message);
        if operation.variant != PROBE_VARIANT {
            self.span = trace::begin(Some(parent), &operation).map(Arc::new);
        }
    }
}
