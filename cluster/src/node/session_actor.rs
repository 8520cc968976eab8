//! The actor of one session: carries out what the pure session decides.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::concurrency::OneshotSender;
use ractor::registry::PidLifecycleEvent;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent, pg};

use super::ingress::Ingress;
use super::left_out::LeftOut;
use super::link::Link;
use super::node_session::{MetActors, NodeSession, NodeSessionState, SessionCleanup};
use super::session_messages::{Inbound, NodeSessionMessage, Outbound, SessionRequest};
use super::stand_ins::{StandInLifetime, StandIns};
use super::timer::SessionTimer;
use crate::directory::{HostedEvent, Lent};
use crate::session::{CloseReason, ToldGroups};
use crate::transport::{NetworkStream, split, write_outbox};
use crate::wire;

/// The time that the stand-ins of an ending session have to end in order.
const STAND_INS: Duration = Duration::from_secs(2);

/// The time that an ending session has to write what it has accepted.
const FLUSH: Duration = Duration::from_secs(5);

impl NodeSession {
    /// Gives back the port to answer once the session's decisions are carried out, if the request has one.
    async fn handle_request(
        &self,
        myself: &ActorRef<NodeSessionMessage>,
        state: &mut NodeSessionState,
        request: SessionRequest,
    ) -> Option<OneshotSender<bool>> {
        match request {
            SessionRequest::Message { message, handled } => {
                state.session.handle_message(message, Instant::now());
                return Some(handled);
            }
            SessionRequest::DeadLetters(reply) => drop(reply.send(state.link.dead_letters())),
            SessionRequest::LeftOut(reply) => drop(reply.send(state.left_out.count())),
            SessionRequest::Confirm(reply) => {
                // The ports are kept in the order of the pings, and a port that is not kept is dropped, which says that there is no
                // session.
                if state.session.handle_confirmation(Instant::now()) {
                    state.confirmations.push_back(reply);
                }
            }
            SessionRequest::Hosted(HostedEvent::Spawned(cell)) => state.spawned(&cell),
            SessionRequest::Hosted(HostedEvent::Terminated(cell)) => state.terminated(&cell),
            SessionRequest::StandIn(pid, reply) => {
                let cell = self.stand_in(myself, state, pid, StandInLifetime::Session).await;
                drop(reply.send(cell));
            }
            SessionRequest::StandInNamed(name, reply) => {
                let cell = match state.session.peer_actor_named(&name) {
                    Some(pid) => self.stand_in(myself, state, pid, StandInLifetime::Session).await,
                    None => None,
                };
                drop(reply.send(cell));
            }
            SessionRequest::Learn(pid, reply) => state.learn(pid, reply),
            SessionRequest::Look(wanted, reply) => drop(reply.send(state.look(wanted))),
            SessionRequest::Lend(pid, reply) => {
                let cell = self.stand_in(myself, state, pid, StandInLifetime::Lent).await;
                // Made here: whatever becomes of the reply, also if its receiver has gone meanwhile, gives the stand-in back.
                let lent = cell.map(|cell| {
                    let loan = state.stand_ins.loan(pid);
                    let session = myself.clone();
                    Lent::stand_in(cell, move || {
                        // A session that has ended has no stand-ins.
                        drop(session.cast(SessionRequest::GiveBack(loan).into()));
                    })
                });
                drop(reply.send(lent));
            }
            SessionRequest::GiveBack(loan) => state.stand_ins.take_back(loan).await,
            SessionRequest::Contested(rival) => state.session.handle_contested(&rival),
            SessionRequest::Leave => state.leave(),
            SessionRequest::LinkEnded(reason) => state.session.handle_closed(reason),
            // The peer has proved the cookie since this connection was chosen to give way.
            SessionRequest::GiveWay if state.session.is_authenticated() => {}
            SessionRequest::GiveWay => state.session.handle_closed(CloseReason::GaveWay),
            SessionRequest::Unused(reply) => drop(reply.send(state.is_unused())),
            SessionRequest::CloseUnused => {
                if state.is_unused() {
                    state.session.handle_closed(CloseReason::Unused);
                }
            }
            SessionRequest::Tick => state.tick(),
            SessionRequest::Figures(reply) => {
                let mut figures = state.link.figures();
                figures.groups = state.session.peer_interest().cloned();
                drop(reply.send(figures));
            }
        }
        None
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for NodeSession {
    type Msg = NodeSessionMessage;
    type Arguments = NetworkStream;
    type State = NodeSessionState;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        stream: NetworkStream,
    ) -> Result<Self::State, ActorProcessingErr> {
        // Reader and writer are tasks of their own, so that neither a slow peer nor a busy session holds up the other direction.
        let link = Arc::new(Link::new(self.node_id, self.limits));
        let (read, write) = split(stream);
        let ingress = Ingress::new(read, link.clone(), myself.clone());
        let session = myself.clone();
        let reader = ractor::concurrency::spawn(async move {
            let reason = ingress.run().await;
            drop(session.cast(SessionRequest::LinkEnded(reason).into()));
        });
        let session = myself.clone();
        let outgoing = link.clone();
        let writer = ractor::concurrency::spawn(async move {
            if let Err(error) = write_outbox(outgoing.outbox(), write).await {
                drop(session.cast(SessionRequest::LinkEnded(CloseReason::Io(error.kind())).into()));
            }
        });
        let mut state = NodeSessionState {
            session: self.start_session(Instant::now()),
            stand_ins: StandIns::new(self.stand_in_names, self.account.clone()),
            left_out: LeftOut::default(),
            confirmations: VecDeque::new(),
            told: ToldGroups::default(),
            questions: HashMap::new(),
            met: MetActors::default(),
            peer: None,
            writer: Some(writer),
            timer: SessionTimer::default(),
            closed: None,
            is_leaving: false,
            _ending: SessionCleanup {
                id: myself.get_id(),
                link: link.clone(),
                reader,
            },
            link,
        };
        // From here on the session ends a connection that has to give way; until now the listener did.
        if let Some(permit) = &self.permit {
            let session = myself.clone();
            permit.on_give_way(move || drop(session.cast(SessionRequest::GiveWay.into())));
        }
        // The initiator's name is the first thing to be sent, and the timer of the handshake is armed.
        self.pump(&myself, &mut state).await;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let mut handled = None;
        match message {
            NodeSessionMessage::MessageReceived(Inbound(request)) => {
                handled = self.handle_request(&myself, state, request).await;
            }
            NodeSessionMessage::SendMessage(Outbound(data)) => state.push(&wire::Message::Data(data)),
            NodeSessionMessage::GetAuthenticationState(reply) => drop(reply.send(state.session.is_authenticated())),
            NodeSessionMessage::GetReadyState(reply) => drop(reply.send(state.session.is_ready())),
        }
        // First everything that follows from the message, and then the reader goes on: data behind it must find what it changed.
        self.pump(&myself, state).await;
        if let Some(handled) = handled {
            handled.send(state.session.is_authenticated()).ok();
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) => {}
            SupervisionEvent::ActorTerminated(cell, _, _) => state.stand_ins.forget(&cell),
            SupervisionEvent::ActorFailed(cell, error) => {
                tracing::error!(actor = %cell.get_id(), "the stand-in of a remote actor failed: {error}");
                state.stand_ins.forget(&cell);
            }
            SupervisionEvent::PidLifecycleEvent(PidLifecycleEvent::Spawn(cell)) => state.spawned(&cell),
            SupervisionEvent::PidLifecycleEvent(PidLifecycleEvent::Terminate(cell)) => state.terminated(&cell),
            // The groups also have stand-ins of other nodes' actors. They must be left out, or a node would pass on the members of
            // others as its own.
            SupervisionEvent::ProcessGroupChanged(pg::GroupChangeMessage::Join(scope, group, cells)) => {
                state.joined(scope, group, &cells);
            }
            SupervisionEvent::ProcessGroupChanged(pg::GroupChangeMessage::Leave(scope, group, cells)) => {
                state.left(scope, group, &cells);
            }
        }
        self.pump(&myself, state).await;
        Ok(())
    }

    async fn post_stop(&self, myself: ActorRef<Self::Msg>, state: &mut Self::State) -> Result<(), ActorProcessingErr> {
        state.timer.disarm();
        // Stand-ins are stopped here, because ractor would kill them with the session, and their monitors would not hear why.
        let why = format!(
            "the node {} is down: {}",
            state.peer_name(),
            state.closed.as_ref().unwrap_or(&CloseReason::Local)
        );
        myself.stop_children_and_wait(Some(why), Some(STAND_INS)).await;
        state.stand_ins.ended();
        // Only now, since stand-ins could write until here.
        let Some(writer) = state.writer.take() else {
            return Ok(());
        };
        // Nobody reads at the other end, so a flush would only use up its time.
        if state.closed.as_ref().is_some_and(CloseReason::is_link_dead) {
            state.link.outbox().abandon();
            writer.abort();
            return Ok(());
        }
        // The peer still gets what was accepted for it, such as the name of a rival.
        state.link.outbox().close();
        // The timeout takes the handle, and a task doesn't end when its handle is dropped.
        let abort = writer.abort_handle();
        if ractor::concurrency::timeout(FLUSH, writer).await.is_err() {
            abort.abort();
            tracing::warn!(
                node_id = self.node_id,
                "the peer did not take what was sent to it within {FLUSH:?}"
            );
        }
        Ok(())
    }
}
