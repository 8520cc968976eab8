//! What the host tells the history of the node: reloads, and sessions with other nodes.

use std::collections::HashSet;

use parking_lot::Mutex;
use ractor::ActorRef;

use super::ended_links::EndedLinks;
use super::links;
use crate::NodeId;
use crate::control::{self, EndedLink};
use crate::events::{EventHistory, ModuleChange, NodeEvent};
use crate::node::{CloseReason, LinkFigures, NodeEventSubscription, NodeServerMessage, NodeServerSessionInformation};
use crate::supervision::reload::{ReloadReport, Verdict};

/// What became of a reload.
pub(super) fn reloaded(module: &str, outcome: Result<&ReloadReport, &String>) -> NodeEvent {
    match outcome {
        Ok(report) => NodeEvent::ModuleReloaded(change(report)),
        Err(reason) => refused(module, reason),
    }
}

/// What became of a way back.
pub(super) fn rolled_back(module: &str, outcome: Result<&ReloadReport, &String>) -> NodeEvent {
    match outcome {
        Ok(report) => NodeEvent::ModuleRolledBack(change(report)),
        Err(reason) => refused(module, reason),
    }
}

fn refused(module: &str, reason: &str) -> NodeEvent {
    NodeEvent::ReloadRefused {
        module: module.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A report in short.
fn change(report: &ReloadReport) -> ModuleChange {
    let verdict = match report.verdict {
        Verdict::DryRun => "dry-run",
        Verdict::Reloaded => "reloaded",
        Verdict::RolledBack => "rolled-back",
        Verdict::Mixed => "mixed",
    };
    ModuleChange {
        module: report.module.clone(),
        from: report.old.clone(),
        to: report.new.clone(),
        verdict: verdict.to_owned(),
        actors: report.actors.len(),
        failed: report.failures().count(),
        reason: report
            .failures()
            .next()
            .map(|(_, step, reason)| format!("{step}: {reason}")),
    }
}

/// Tells of every session of the node that comes and goes.
pub(super) fn follow_sessions(server: &ActorRef<NodeServerMessage>, events: EventHistory, ended: EndedLinks) {
    let subscribe = NodeServerMessage::SubscribeToEvents {
        id: "ractor-host.history".to_owned(),
        subscription: Box::new(SessionEvents {
            events,
            ended,
            up: Mutex::default(),
        }),
    };
    // A node server that has ended has no sessions.
    drop(server.cast(subscribe));
}

struct SessionEvents {
    events: EventHistory,
    ended: EndedLinks,
    /// The sessions that have been up. The end of any other one is no loss.
    up: Mutex<HashSet<NodeId>>,
}

impl NodeEventSubscription for SessionEvents {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        // Each command would push two events out of the history.
        if let Some(peer) = session.peer_name.filter(|peer| !control::is_command(&peer.name)) {
            self.up.lock().insert(session.node_id);
            self.events.tell(NodeEvent::SessionUp { node: peer.name });
        }
    }

    fn node_session_counted(&self, session: NodeServerSessionInformation, figures: LinkFigures) {
        if let Some(peer) = session.peer_name.filter(|peer| !control::is_command(&peer.name)) {
            self.ended.add(EndedLink {
                session: session.node_id,
                name: peer.name,
                figures: links::in_row(&figures),
            });
        }
    }

    fn node_session_closed(&self, session: NodeServerSessionInformation, reason: CloseReason) {
        let was_up = self.up.lock().remove(&session.node_id);
        if let Some(peer) = session.peer_name.filter(|_| was_up) {
            self.events.tell(NodeEvent::SessionDown {
                node: peer.name,
                reason: reason.to_string(),
            });
        }
    }

    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {}
}
