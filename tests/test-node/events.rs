//! What the node reports of its sessions: `event opened|authenticated|ready|disconnected PEER` and
//! `event closed PEER REASON`.

use ractor_host::NodeEventSubscription;
use ractor_host::node::{CloseReason, NodeServerSessionInformation};

use crate::say;

pub(crate) struct ToStdout;

impl NodeEventSubscription for ToStdout {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        report("opened", &session);
    }

    fn node_session_authenticated(&self, session: NodeServerSessionInformation) {
        report("authenticated", &session);
    }

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        report("ready", &session);
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        report("disconnected", &session);
    }

    fn node_session_closed(&self, session: NodeServerSessionInformation, reason: CloseReason) {
        say(&format!("event closed {} {}", peer_name(&session), reason.name()));
    }
}

/// The peer's full name, or `?`.
pub(crate) fn peer_name(session: &NodeServerSessionInformation) -> &str {
    session.peer_name.as_ref().map_or("?", |peer| peer.name.as_str())
}

fn report(kind: &str, session: &NodeServerSessionInformation) {
    say(&format!("event {kind} {}", peer_name(session)));
}
