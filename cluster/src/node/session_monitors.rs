//! Those who wait to hear how a session goes, or that a node can be dialled again.

use std::collections::HashMap;

use ractor::{ActorId, RpcReplyPort};

use super::session_end::{PeerProof, SessionEnd};
use super::session_info::NodeServerSessionInformation;
use crate::session::CloseReason;

/// The ports that hear how one session goes.
#[derive(Debug, Default)]
pub(super) struct SessionMonitor {
    /// Hears that the session is ready, or why it never will be.
    pub(super) ready: Option<RpcReplyPort<Result<NodeServerSessionInformation, CloseReason>>>,
    /// Hears how the session has ended.
    pub(super) ended: Option<RpcReplyPort<SessionEnd>>,
}

impl SessionMonitor {
    /// There is no session, for this reason.
    pub(super) fn not_opened(self, reason: &CloseReason) {
        self.end(None, PeerProof::Nothing, false, reason);
    }

    fn end(self, peer: Option<String>, proof: PeerProof, was_ready: bool, reason: &CloseReason) {
        // The port is still here only if the session was never ready.
        if let Some(port) = self.ready {
            port.send(Err(reason.clone())).ok();
        }
        if let Some(port) = self.ended {
            let end = SessionEnd {
                reason: reason.clone(),
                peer,
                proof,
                was_ready,
            };
            port.send(end).ok();
        }
    }
}

/// The monitors of a node's sessions.
#[derive(Debug, Default)]
pub(super) struct SessionMonitors {
    by_session: HashMap<ActorId, (SessionMonitor, bool)>,
    /// The ports that wait until there is no session with a node of this full name or connection string.
    absences: Vec<(String, RpcReplyPort<Option<CloseReason>>)>,
}

impl SessionMonitors {
    pub(super) fn insert(&mut self, session: ActorId, monitor: SessionMonitor) {
        self.by_session.insert(session, (monitor, false));
    }

    pub(super) fn ready(&mut self, info: &NodeServerSessionInformation) {
        if let Some((monitor, was_ready)) = self.by_session.get_mut(&info.actor.get_id()) {
            *was_ready = true;
            if let Some(port) = monitor.ready.take() {
                port.send(Ok(info.clone())).ok();
            }
        }
    }

    pub(super) fn ended(&mut self, info: &NodeServerSessionInformation, proof: PeerProof, reason: &CloseReason) {
        let Some((monitor, was_ready)) = self.by_session.remove(&info.actor.get_id()) else {
            return;
        };
        let peer = info.peer_name.as_ref().map(|peer| peer.name.clone());
        monitor.end(peer, proof, was_ready, reason);
    }

    pub(super) fn await_absence(&mut self, node: String, port: RpcReplyPort<Option<CloseReason>>) {
        self.absences.push((node, port));
    }

    /// Tells the ports whose node isn't present any more, with the reason if a session has just been lost, and forgets the ports
    /// whose holders wait no longer.
    pub(super) fn tell_absences(&mut self, is_present: impl Fn(&str) -> bool, lost: Option<&CloseReason>) {
        let waiting = std::mem::take(&mut self.absences);
        for (node, port) in waiting {
            if !is_present(&node) {
                port.send(lost.cloned()).ok();
            } else if !port.is_closed() {
                self.absences.push((node, port));
            }
        }
    }
}
