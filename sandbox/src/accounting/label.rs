//! Who a log event, an error or a metric is about.

use std::sync::Arc;

use super::log_rate::LogRate;
use crate::policy::limits::Limits;

/// Who a log event or an error is about.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// The actor's name, or its module's if it has none.
    pub(crate) name: Arc<str>,
    /// What it is in metrics: the name that node.toml gave it, or its module's. Guests choose the names of their children,
    /// and could choose a new one for each.
    pub(super) counted_as: Arc<str>,
    pub(crate) pid: u64,
    /// Whether there may be one more line about it.
    pub(crate) log: Arc<LogRate>,
}

impl Label {
    pub(crate) fn new(name: Arc<str>, counted_as: Arc<str>, pid: u64, limits: &Limits) -> Self {
        Self::of_member(name, counted_as, pid, limits, None)
    }

    /// The same for a member of a family, which has a limit of its own on log lines.
    pub(crate) fn of_member(
        name: Arc<str>,
        counted_as: Arc<str>,
        pid: u64,
        limits: &Limits,
        family: Option<Arc<LogRate>>,
    ) -> Self {
        let log = LogRate::new(name.clone(), counted_as.clone(), pid, limits.log_rate, family);
        let log = Arc::new(log);
        Self {
            name,
            counted_as,
            pid,
            log,
        }
    }
}
