//! The node server's events that matter here: whether there is a session that is ready.

use ractor_cluster::NodeEventSubscription;
use ractor_cluster::node::NodeServerSessionInformation;
use tokio::sync::watch;

/// Keeps how many sessions have become ready.
pub(crate) struct ReadySessions(pub(crate) watch::Sender<usize>);

impl NodeEventSubscription for ReadySessions {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {}

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, _: NodeServerSessionInformation) {
        self.0.send_modify(|ready| *ready += 1);
    }
}
