//! The stand-ins of one session: spawned when somebody looks an actor up or it joins a group, not before.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorRef, RpcReplyPort};

use super::link::Link;
use super::messages::NodeSessionMessage;
use super::remote_actor::{RemoteActorMessage, spawn_stand_in};
use super::requests::SessionRequest;
use crate::directory::{BoxFuture, RemoteActors, SendRefused};
use crate::wire::Actor;

/// Why a stand-in is stopped; its supervisor and monitors hear it.
const REMOTE_EXIT: &str = "remote";

/// The live stand-ins by pid.
#[derive(Debug, Default)]
pub(super) struct StandIns {
    by_pid: HashMap<u64, ActorRef<RemoteActorMessage>>,
}

impl StandIns {
    /// The stand-in for `actor`, spawned under `session` if there is none.
    pub(super) async fn get_or_spawn(
        &mut self,
        actor: Actor,
        peer: &str,
        link: &Arc<Link>,
        session: &ActorCell,
    ) -> Option<ActorCell> {
        if let Some(stand_in) = self.by_pid.get(&actor.pid) {
            return Some(stand_in.get_cell());
        }
        // ractor takes an ending actor's name off its registry even if a local actor of that name holds it, so a
        // stand-in must never carry a bare name.
        let name = actor.name.map(|name| format!("{name}@{peer}"));
        match spawn_stand_in(name, actor.pid, link.clone(), session.clone()).await {
            Ok(stand_in) => {
                let cell = stand_in.get_cell();
                self.by_pid.insert(actor.pid, stand_in);
                Some(cell)
            }
            Err(error) => {
                tracing::error!(pid = actor.pid, peer, "no stand-in for a remote actor: {error}");
                None
            }
        }
    }

    /// The stand-in for this pid, if there is one.
    pub(super) fn get(&self, pid: u64) -> Option<ActorCell> {
        self.by_pid.get(&pid).map(ActorRef::get_cell)
    }

    /// The peer's actor ended.
    pub(super) fn terminate(&mut self, pid: u64) {
        if let Some(stand_in) = self.by_pid.remove(&pid) {
            stand_in.stop(Some(REMOTE_EXIT.to_owned()));
        }
    }

    /// A stand-in ended by itself; the next who asks gets another.
    pub(super) fn forget(&mut self, cell: &ActorCell) {
        self.by_pid.remove(&cell.get_id().pid());
    }
}

/// Finds and reaches the actors of one peer.
pub(super) struct Resolver {
    pub(super) session: ActorRef<NodeSessionMessage>,
    pub(super) link: Arc<Link>,
}

impl Resolver {
    async fn ask(&self, ask: impl FnOnce(RpcReplyPort<Option<ActorCell>>) -> NodeSessionMessage) -> Option<ActorCell> {
        self.session.call(ask, None).await.ok()?.success_or(()).ok()?
    }
}

impl RemoteActors for Resolver {
    fn stand_in(&self, pid: u64) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(self.ask(move |reply| SessionRequest::StandIn(pid, reply).into()))
    }

    fn stand_in_named(&self, name: String) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(self.ask(move |reply| SessionRequest::StandInNamed(name, reply).into()))
    }

    fn send(&self, pid: u64, message: SerializedMessage) -> BoxFuture<'_, Result<(), SendRefused>> {
        Box::pin(self.link.send_when_room(pid, message))
    }
}
