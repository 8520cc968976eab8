//! What the sandbox counts against limits, as far as its locks are tried here.

#[path = "../../../sandbox/src/accounting/family/quota.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
mod quota;

/// What a family shares, which is tried by itself: here it has more than it needs.
pub(crate) mod family {
    pub(crate) use super::quota::Quota;
}

pub(crate) mod label {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    /// Counts in place of a log.
    #[derive(Clone, Default)]
    pub(crate) struct Label {
        pub(crate) dead_letters: Arc<AtomicUsize>,
    }
}

pub(crate) mod telemetry {
    use std::sync::atomic::Ordering;

    use super::label::Label;
    use crate::policy::limits::Limit;

    pub(crate) fn limit(_: &Label, _: Limit) {}

    pub(crate) fn dead_letters(label: &Label, _: &str, letters: usize) {
        label.dead_letters.fetch_add(letters, Ordering::Relaxed);
    }
}
