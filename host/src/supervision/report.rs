//! What the log and the history of the node say of the actors under a supervisor.

use std::sync::Arc;

use ractor::{ActorId, SupervisionEvent};

use super::message::is_supervisor;
use crate::events::{EventHistory, NodeEvent};

/// Logs the start or the end of an actor, and keeps the end in the history. `name` knows the names of those that have none in any
/// registry.
pub(super) fn event(
    event: &SupervisionEvent,
    supervisor: &str,
    history: &EventHistory,
    name: impl Fn(ActorId) -> Option<Arc<str>>,
) {
    let Some(cell) = event.actor_cell() else {
        return;
    };
    let pid = cell.get_id().pid();
    let name = cell
        .get_name()
        .or_else(|| name(cell.get_id()).map(|name| name.to_string()));
    let actor = name.unwrap_or_default();
    if is_supervisor(cell) {
        match event {
            SupervisionEvent::ActorTerminated(..) => tracing::info!(actor, supervisor, "supervisor ended"),
            SupervisionEvent::ActorFailed(_, error) => {
                tracing::error!(actor, supervisor, reason = %error, "supervisor failed");
            }
            _ => {}
        }
        return;
    }
    let kind = if cell.get_id().is_local() { "native" } else { "guest" };
    match event {
        SupervisionEvent::ActorStarted(_) => {
            tracing::info!(actor, pid, kind, "actor started");
        }
        SupervisionEvent::ActorTerminated(_, _, reason) => {
            let reason = reason.as_deref().unwrap_or("no reason given");
            tracing::info!(actor, pid, kind, reason, "actor ended");
            let reason = reason.to_owned();
            history.tell(NodeEvent::ActorEnded { actor, pid, reason });
        }
        SupervisionEvent::ActorFailed(_, error) => {
            tracing::error!(actor, pid, kind, reason = %error, "actor failed");
            let reason = error.to_string();
            history.tell(NodeEvent::ActorFailed { actor, pid, reason });
        }
        _ => {}
    }
}
