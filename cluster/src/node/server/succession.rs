//! What a node does when one of its sessions has come further, or to its end.

use ractor::{ActorCell, RpcReplyPort};

use super::NodeServerState;
use crate::node::node_requests::ElectionVerdict;
use crate::node::node_session::NodeSessionState;
use crate::node::session_end::PeerProof;
use crate::session::CloseReason;

/// A session that has survived an election, and waits for the end of others.
pub(super) struct Succession {
    predecessors: Vec<ractor::ActorId>,
    won: RpcReplyPort<ElectionVerdict>,
}

impl NodeServerState {
    /// A session has authenticated and asks whether it survives. Sessions that don't are ended, and the answer waits for that.
    pub(super) fn elect(&mut self, id: ractor::ActorId, won: Option<RpcReplyPort<ElectionVerdict>>) {
        let Some(election) = self.sessions.elect(&self.local.name, id) else {
            return;
        };
        let mut predecessors = Vec::new();
        for session in election.ending {
            // Killed, not stopped: what it has yet to send may never be taken, and its peer knows the verdict too.
            session.kill();
            predecessors.push(session.get_id());
        }
        if election.won
            && let Some(info) = self.sessions.info(id)
        {
            self.subscriptions
                .each(|subscription| subscription.node_session_authenticated(info.clone()));
        }
        // The stock crate's message has no port for the verdict.
        let Some(won) = won else { return };
        if election.won && !predecessors.is_empty() {
            self.succeeding.push(Succession { predecessors, won });
        } else {
            won.send(if election.won {
                ElectionVerdict::Survives
            } else {
                ElectionVerdict::Duplicate
            })
            .ok();
        }
    }

    /// A session is gone: those that waited for it may begin.
    fn succeed(&mut self, gone: ractor::ActorId) {
        for succession in &mut self.succeeding {
            succession.predecessors.retain(|id| *id != gone);
        }
        for succession in self
            .succeeding
            .extract_if(.., |succession| succession.predecessors.is_empty())
        {
            succession.won.send(ElectionVerdict::Survives).ok();
        }
    }

    pub(super) fn ready(&mut self, id: ractor::ActorId) {
        // The session may have lost an election after it said so.
        if self.sessions.is_elected(id)
            && let Some(info) = self.sessions.info(id)
        {
            self.subscriptions
                .each(|subscription| subscription.node_session_ready(info.clone()));
            self.monitors.ready(info);
        }
    }

    /// A session has ended, and is known to have left this state behind unless it was killed.
    pub(super) fn ended(&mut self, cell: &ActorCell, left: Option<NodeSessionState>) {
        let figures = left.as_ref().map(|left| left.link.figures());
        let reason = left.and_then(|left| left.closed);
        // Asked before the session is forgotten, and with it what its peer proved.
        let proof = self.sessions.proof(cell.get_id());
        let Some((info, verdict)) = self.sessions.remove(cell.get_id()) else {
            return;
        };
        // A killed session leaves no state that could say why, so then the verdict by which it was killed counts.
        let reason = reason.or(verdict).unwrap_or(CloseReason::Local);
        self.monitors.ended(&info, proof, &reason);
        let mut info = info;
        if proof == PeerProof::Nothing {
            // A name that was never proved is nobody's.
            info.peer_name = None;
        }
        self.subscriptions.each(|subscription| {
            if let Some(figures) = &figures {
                subscription.node_session_counted(info.clone(), figures.clone());
            }
            subscription.node_session_closed(info.clone(), reason.clone());
            subscription.node_session_disconnected(info.clone());
        });
        self.monitors
            .tell_absences(|node| self.sessions.is_present(node), Some(&reason));
        // Last: a successor begins when everybody has heard of the end of its predecessor.
        self.succeed(cell.get_id());
    }
}
