//! What a program can learn about the sessions of its node.

use std::collections::HashMap;

use super::link_figures::LinkFigures;
use super::node_requests::OpaqueNodeRequest;
use super::session_info::NodeServerSessionInformation;
use crate::session::CloseReason;

/// Hears what happens to sessions. The methods run inside the node's actor, so they may send messages and must not wait.
pub trait NodeEventSubscription: Send + 'static {
    /// A connection is open; nothing is known of the peer yet.
    fn node_session_opened(&self, ses: NodeServerSessionInformation);

    /// A session has ended.
    fn node_session_disconnected(&self, ses: NodeServerSessionInformation);

    /// Both nodes have proved the cookie.
    fn node_session_authenticated(&self, ses: NodeServerSessionInformation);

    /// Both nodes have sent all actors and groups that they had.
    fn node_session_ready(&self, ses: NodeServerSessionInformation) {
        drop(ses);
    }

    /// This had passed over the link of a session when it ended. Called right before [`node_session_closed`](Self::node_session_closed), but
    /// not for a session that was killed in favour of another one with the same peer. The stock crate has no such event.
    fn node_session_counted(&self, ses: NodeServerSessionInformation, figures: LinkFigures) {
        drop(ses);
        let _: LinkFigures = figures;
    }

    /// A session has ended, and this is why. Called right before
    /// [`node_session_disconnected`](Self::node_session_disconnected); the stock crate has no such event.
    fn node_session_closed(&self, ses: NodeServerSessionInformation, reason: CloseReason) {
        drop((ses, reason));
    }

    /// For this crate alone.
    #[doc(hidden)]
    fn take_request(&mut self) -> Option<OpaqueNodeRequest> {
        None
    }
}

/// The subscriptions of a node.
#[derive(Default)]
pub(super) struct Subscriptions {
    by_id: HashMap<String, Box<dyn NodeEventSubscription>>,
}

impl Subscriptions {
    pub(super) fn subscribe(&mut self, id: String, subscription: Box<dyn NodeEventSubscription>) {
        self.by_id.insert(id, subscription);
    }

    pub(super) fn unsubscribe(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    pub(super) fn each(&self, tell: impl Fn(&dyn NodeEventSubscription)) {
        for subscription in self.by_id.values() {
            tell(subscription.as_ref());
        }
    }
}
