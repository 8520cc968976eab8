//! That an actor, or its family, has reached a limit: the metric, and the log line.

use std::sync::Arc;

use crate::policy::limits::Limit;

/// Counts it in `ractor_host_guest_limits_total`.
pub(super) fn count(counted_as: &Arc<str>, limit: Limit) {
    metrics::counter!("ractor_host_guest_limits_total", "limit" => limit.name(), "actor" => counted_as.clone())
        .increment(1);
}

/// Logs it. A line without a pid is about the whole family of that name.
pub(super) fn log(actor: &str, pid: Option<u64>, limit: Limit) {
    let table = limit.table();
    tracing::warn!(
        actor,
        pid,
        limit = limit.name(),
        "the actor reached {limit}; see {table} in node.toml"
    );
}
