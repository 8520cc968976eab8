//! What the node server reports, as lines on stdout: `event KIND PEER`, where PEER is the full node name, or `?` as
//! long as the peer hasn't said it.

use ractor_cluster::NodeEventSubscription;
use ractor_cluster::node::NodeServerSessionInformation;

use crate::say;

/// Prints each event as it happens.
pub(crate) struct ToStdout;

impl NodeEventSubscription for ToStdout {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        report("opened", &session);
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        report("disconnected", &session);
    }

    fn node_session_authenticated(&self, session: NodeServerSessionInformation) {
        report("authenticated", &session);
    }

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        report("ready", &session);
    }
}

/// The peer's full name, or `?`.
pub(crate) fn peer_name(session: &NodeServerSessionInformation) -> &str {
    session.peer_name.as_ref().map_or("?", |peer| peer.name.as_str())
}

fn report(kind: &str, session: &NodeServerSessionInformation) {
    say(&format!("event {kind} {}", peer_name(session)));
}
