//! What a session's actor does when the session has decided something.

use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorCell, ActorRef, RpcReplyPort, pg};

use super::memberships::ScopedGroup;
use super::node_requests::{ElectionVerdict, NodeRequest};
use super::node_session::NodeSessionState;
use super::session_end::PeerProof;
use super::session_messages::SessionRequest;
use super::stand_ins::{NoStandIn, Resolver, StandInLifetime};
use super::{NameMessage, NodeServerMessage, NodeSession, NodeSessionMessage, sync};
use crate::directory;
use crate::session::{CloseReason, EntryRefusal, EntryRefusals, Event, Role, ToldGroups};
use crate::transport::OutboxError;
use crate::wire::{self, Actor, GroupChange, MAX_NODE_NAME_BYTES};

/// The time that the node has to decide about a session.
const NODE_DECISION: Duration = Duration::from_secs(5);

impl NodeSession {
    /// Carries out everything that the session has decided.
    pub(super) async fn pump(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState) {
        loop {
            // Messages before events: an event may take long, or make the actor stop.
            while let Some(message) = state.session.poll_transmit() {
                match state.link.outbox().push_control(|out| wire::encode(&message, out)) {
                    Ok(_) => {}
                    // The writer has failed, and its report with the error comes behind the message that is handled now.
                    Err(OutboxError::Closed) => state.session.handle_closed(CloseReason::ConnectionClosed),
                    // A control message can't be left out like data: the peer's view of this node's actors would be wrong until the
                    // session ends.
                    Err(_) => state.session.handle_closed(CloseReason::TooSlow {
                        limit: state.link.outbox().limit(),
                    }),
                }
            }
            let Some(event) = state.session.poll_event() else { break };
            self.handle_event(myself, state, event).await;
        }
        // Last, since each step above may have moved the deadline.
        state.timer.arm(state.session.poll_timeout(), myself);
    }

    async fn handle_event(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState, event: Event) {
        match event {
            Event::PeerNamed(name) => self.peer_named(myself, state, name).await,
            Event::Authenticated => self.authenticated(myself, state).await,
            Event::Ready => {
                tracing::info!(peer = state.peer_name(), "session ready");
                drop(
                    self.node_server
                        .cast(NodeServerMessage::ConnectionReady(myself.get_id())),
                );
            }
            // An actor is a table entry until a look-up or a group needs more.
            Event::Spawned(actors) => state.link.add_remote(actors.iter().map(|actor| actor.pid)),
            Event::Terminated(pids) => {
                pids.iter().for_each(|pid| {
                    state.stand_ins.terminate(*pid);
                    state.met.theirs.remove(pid);
                });
                state.link.remove_remotes(pids);
            }
            Event::Joined(change) => self.joined(myself, state, change).await,
            Event::Left(GroupChange { scope, group, actors }) => {
                let group = Arc::new(ScopedGroup { scope, group });
                let left = actors
                    .iter()
                    // An actor that was not let into the group here has nothing to undo.
                    .filter_map(|actor| state.stand_ins.leave(actor.pid, &group));
                let cells = left.collect();
                pg::leave_scoped(group.scope.clone(), group.group.clone(), cells);
            }
            Event::Refused(refused) => state.left_out.theirs(&refused),
            Event::InterestTold => Self::tell_snapshot(state),
            Event::Asked(pid) => state.asked(pid),
            Event::Answered(pid) => {
                let waiting = state.questions.remove(&pid).unwrap_or_default();
                if state.session.peer_actor(pid).is_some() {
                    state.met.theirs.insert(pid);
                }
                waiting.into_iter().for_each(|port| drop(port.send(Some(()))));
            }
            Event::SessionsAsked(asking) => self.answer_sessions(state, &asking).await,
            Event::SessionsLearned(sessions) => self.dial(sessions).await,
            Event::Pong(latency) => {
                state.link.answered(latency);
                tracing::debug!(peer = state.peer_name(), ?latency, "ping answered");
            }
            Event::Confirmed(count) => {
                let count = count.min(state.confirmations.len());
                for reply in state.confirmations.drain(..count) {
                    reply.send(()).ok();
                }
            }
            Event::NameContested(rival) => tracing::warn!(
                peer = state.peer_name(),
                "another node {} tried to connect to that peer, from {}, and was turned away: names must differ; give one of \
                 the two another `name` or `hostname` in [node]",
                self.local.name,
                rival.address
            ),
            Event::Closed(reason) => {
                // Before anything that takes time: callers that wait for replies hear it now, and not when the session has ended in
                // order.
                state.link.fail_all_calls();
                state.closed = Some(reason.clone());
                // Before the actor stops: a new connection of the same peer must not lose an election against this one while it
                // still writes.
                let over = NodeRequest::Over(myself.get_id(), reason.clone());
                drop(self.node_server.cast(over.into()));
                if !self.permit.as_ref().is_some_and(|permit| permit.report(&reason)) {
                    let peer = state.peer_name();
                    tracing::info!(peer, reason = reason.name(), "session closed: {reason}");
                }
                myself.stop(Some(reason.exit_word().to_owned()));
            }
        }
    }

    async fn peer_named(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState, name: NameMessage) {
        let actor_id = myself.get_id();
        // The peer's frame limit and capabilities must be known before the first data is sent to it.
        state.link.set_peer(name.flags.unwrap_or_default());
        state.left_out.set_peer(&name.name);
        state.peer = Some(NameMessage {
            connection_id: 0,
            ..name.clone()
        });
        // The session waits for the node's answer here, so that no other message of the peer is handled before it.
        match self.role {
            Role::Initiator => {
                let purpose = self.purpose;
                let ask = |reply| {
                    let asks = NodeRequest::Introduced {
                        actor_id,
                        name,
                        purpose,
                        reply,
                    };
                    asks.into()
                };
                match ask_node(&self.node_server, ask).await {
                    Some(dial) => state.session.handle_dial(dial),
                    None => state.session.handle_closed(CloseReason::Local),
                }
            }
            Role::Acceptor => {
                if let Some(permit) = &self.permit {
                    permit.peer_named(match name.flags.unwrap_or_default().incarnation {
                        0 => PeerProof::Cookie,
                        _ => PeerProof::Identity,
                    });
                }
                let ask = |reply| NodeRequest::Admit { actor_id, name, reply }.into();
                match ask_node(&self.node_server, ask).await {
                    Some(status) => state.session.handle_admission(status),
                    None => state.session.handle_closed(CloseReason::Local),
                }
            }
        }
    }

    async fn authenticated(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState) {
        // At once: the place is for a connection that has proved nothing.
        if let Some(permit) = &self.permit {
            permit.authenticated();
        }
        // The answer comes when earlier sessions of this peer are gone, and with them what it said of its actors.
        let id = myself.get_id();
        match ask_node(&self.node_server, |reply| NodeRequest::Elect(id, reply).into()).await {
            Some(ElectionVerdict::Survives) => {}
            Some(ElectionVerdict::NameTaken(rival)) => {
                let name = state.peer_name().to_owned();
                return state.session.handle_rival(name, rival);
            }
            Some(ElectionVerdict::Duplicate) | None => return state.session.handle_election(None),
        }
        state.link.authenticated();
        tracing::info!(
            peer = state.peer_name(),
            node_id = self.node_id,
            "session authenticated"
        );
        // Monitors before the snapshot: a change in between is told twice, which does no harm, and never lost.
        let session = myself.clone();
        sync::monitor(&myself.get_cell(), move |event| {
            drop(session.cast(SessionRequest::Hosted(event).into()))
        });
        let resolver = Resolver {
            session: myself.clone(),
            link: state.link.clone(),
            asks: state.session.is_kept_back_from(),
        };
        let node = directory::Node {
            name: state.peer_name().to_owned(),
            incarnation: state
                .peer
                .as_ref()
                .and_then(|peer| peer.flags)
                .unwrap_or_default()
                .incarnation,
        };
        // Before the peer hears of this node's actors: what it sends them may carry addresses of its own, which must resolve.
        directory::add_peer(self.node_id, node, Arc::new(resolver));
        state.session.handle_survival();
        if !state.session.awaits_interest() {
            Self::tell_snapshot(state);
        }
    }

    /// Tells the peer what it wants to know of this node's actors and groups.
    fn tell_snapshot(state: &mut NodeSessionState) {
        state.told = state.session.audience();
        let snapshot = sync::snapshot(&state.link, &mut state.told, &mut state.left_out);
        state.session.handle_snapshot(snapshot);
    }

    /// The stand-in for the peer's actor with this pid, for somebody who looks it up.
    pub(super) async fn stand_in(
        &self,
        myself: &ActorRef<NodeSessionMessage>,
        state: &mut NodeSessionState,
        pid: u64,
        tenure: StandInLifetime,
    ) -> Option<ActorCell> {
        let mut refusals = EntryRefusals::default();
        let cell = self.stand_in_or(myself, state, pid, tenure, &mut refusals).await;
        state.note(refusals);
        cell
    }

    async fn stand_in_or(
        &self,
        myself: &ActorRef<NodeSessionMessage>,
        state: &mut NodeSessionState,
        pid: u64,
        tenure: StandInLifetime,
        refusals: &mut EntryRefusals,
    ) -> Option<ActorCell> {
        let actor = state.session.peer_actor(pid)?;
        let peer = state.peer.as_ref()?;
        let spawned = state
            .stand_ins
            .get_or_spawn(actor, tenure, &peer.name, &state.link, &myself.get_cell())
            .await;
        match spawned {
            Ok(cell) => Some(cell),
            Err(NoStandIn::Refused(refusal)) => {
                refusals.note(refusal, 1, || format!("actor {pid}"));
                None
            }
            Err(NoStandIn::Failed(error)) => {
                tracing::error!(pid, peer = peer.name, "no stand-in for a remote actor: {error}");
                None
            }
        }
    }

    /// Actors of the peer join a group on this node, as many as there is room for.
    async fn joined(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState, change: GroupChange) {
        // Nodes of other kinds tell of everything.
        if !self.wants(state, &change.group) {
            return;
        }
        let GroupChange { scope, group, actors } = change;
        let group = Arc::new(ScopedGroup { scope, group });
        let mut refusals = EntryRefusals::default();
        // What is meant for this node's own entities must not reach another's, whoever picks a member.
        if sync::has_entities(&group.group) {
            if directory::shares_entities() {
                // It stands for the same entities as this node's own.
                return;
            }
            let spoken = || format!("the member of the group {:.60}", group.group);
            refusals.note(EntryRefusal::OwnEntities, actors.len(), spoken);
            return state.note(refusals);
        }
        let mut cells = Vec::new();
        for Actor { pid, .. } in actors {
            let Some(cell) = self
                .stand_in_or(myself, state, pid, StandInLifetime::Session, &mut refusals)
                .await
            else {
                continue;
            };
            // Charged before ractor keeps anything of the membership.
            match state.stand_ins.join(pid, &group) {
                Ok(()) => cells.push(cell),
                Err(full) => refusals.note(EntryRefusal::Full(full), 1, || {
                    format!("actor {pid} as a member of the group {:.60}", group.group)
                }),
            }
        }
        // All of them join in one call, because ractor tells every monitor of groups once for each call.
        if !cells.is_empty() {
            pg::join_scoped(group.scope.clone(), group.group.clone(), cells);
        }
        state.note(refusals);
    }

    /// Whether this node wants to know of a group.
    fn wants(&self, state: &NodeSessionState, group: &str) -> bool {
        if state.session.is_for_entities() {
            return ToldGroups::for_entities().is_wanted(group);
        }
        self.groups.as_ref().is_none_or(|wanted| wanted.wanted(group).is_some())
    }

    /// Tells the peer the other nodes that this one knows.
    async fn answer_sessions(&self, state: &mut NodeSessionState, asking: &NameMessage) {
        let Some(sessions) = ask_node(&self.node_server, NodeServerMessage::GetSessions).await else {
            return;
        };
        let others = sessions
            .into_values()
            .filter_map(|session| session.peer_name)
            // By address as well as by name, as stock does it: the asking node would otherwise dial itself.
            .filter(|peer| peer.name != asking.name && peer.connection_string != asking.connection_string)
            .collect();
        state.session.handle_sessions(others);
    }

    /// Connects to the nodes that the peer knows and this one doesn't.
    async fn dial(&self, theirs: Vec<NameMessage>) {
        let Some(sessions) = ask_node(&self.node_server, NodeServerMessage::GetSessions).await else {
            return;
        };
        let ours: Vec<_> = sessions.into_values().filter_map(|session| session.peer_name).collect();
        let known = |peer: &NameMessage| {
            ours.iter()
                .chain([&self.local])
                .any(|own| own.name == peer.name || own.connection_string == peer.connection_string)
        };
        // No node lets in another one with a longer name.
        let is_name = |text: &str| text.len() <= MAX_NODE_NAME_BYTES;
        let is_new = |peer: &NameMessage| is_name(&peer.name) && is_name(&peer.connection_string) && !known(peer);
        let new = theirs.into_iter().filter(is_new).collect();
        self.hearsay.dial(&self.node_server, new);
    }
}

/// Asks the node; none if it doesn't answer in time, because it is ending.
async fn ask_node<T: Send + 'static>(
    node_server: &ActorRef<NodeServerMessage>,
    ask: impl FnOnce(RpcReplyPort<T>) -> NodeServerMessage,
) -> Option<T> {
    node_server
        .call(ask, Some(NODE_DECISION))
        .await
        .ok()?
        .success_or(())
        .ok()
}
