//! What is said when a guest reaches a limit, when it tries what it was not granted, and when a message for it is given
//! up: a log line with the actor's name, and a metric.
//!
//! The metrics go through the `metrics` facade: `ractor_host_guest_limits_total` with the label `limit`,
//! `ractor_host_guest_denied_total` with `capability`, `ractor_host_guest_dead_letters_total` with `reason`,
//! `ractor_host_guest_failures_total` and `ractor_host_guest_restarts_total`; each with `actor`, the actor's name or its
//! module's; of a child always its module's, because guests choose the names of children.
//!
//! Every strike is counted. The log lines share the actor's limit on them: see [`log_rate`](super::log_rate).

use super::label::Label;
use super::reached;
use crate::policy::denied::Denied;
use crate::policy::limits::Limit;

/// A guest has reached a limit that doesn't end it.
pub(crate) fn limit(label: &Label, limit: Limit) {
    count_limit(label, limit);
    if label.log.allows() {
        reached::log(&label.name, Some(label.pid), limit);
    }
}

/// As [`limit`], for a limit that fails the actor: the failure itself is logged elsewhere.
pub(crate) fn count_limit(label: &Label, limit: Limit) {
    reached::count(&label.counted_as, limit);
}

/// A guest has tried what it was not granted, and was refused.
pub(crate) fn denied(label: &Label, denied: Denied<'_>) {
    let capability = denied.capability();
    metrics::counter!("ractor_host_guest_denied_total", "capability" => capability, "actor" => label.counted_as.clone())
        .increment(1);
    if !label.log.allows() {
        return;
    }
    let (actor, pid) = (&*label.name, label.pid);
    match denied {
        // Runtimes of languages read it without need, e.g. when they panic.
        Denied::Environment => tracing::info!(actor, pid, capability, "capability denied: {denied}"),
        _ => tracing::warn!(actor, pid, capability, "capability denied: {denied}"),
    }
}

/// Messages for a guest were given up.
pub(crate) fn dead_letters(label: &Label, reason: &'static str, messages: usize) {
    if messages == 0 {
        return;
    }
    metrics::counter!("ractor_host_guest_dead_letters_total", "reason" => reason, "actor" => label.counted_as.clone())
        .increment(messages as u64);
    if label.log.allows() {
        tracing::warn!(
            actor = &*label.name,
            pid = label.pid,
            reason,
            messages,
            "messages were given up"
        );
    }
}

/// A guest failed.
pub(crate) fn failure(label: &Label) {
    metrics::counter!("ractor_host_guest_failures_total", "actor" => label.counted_as.clone()).increment(1);
}

/// A guest was restarted in place.
pub(crate) fn restart(label: &Label) {
    metrics::counter!("ractor_host_guest_restarts_total", "actor" => label.counted_as.clone()).increment(1);
}
