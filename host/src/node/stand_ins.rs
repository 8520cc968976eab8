//! The stand-ins of one session: spawned when somebody looks an actor up or it joins a group, not before.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorRef, RpcReplyPort};

use super::StandInNames;
use super::link::Link;
use super::messages::NodeSessionMessage;
use super::remote_actor::{RemoteActorMessage, spawn_stand_in};
use super::requests::SessionRequest;
use crate::directory::{BoxFuture, RemoteActors, SendRefused, namesakes};
use crate::wire::Actor;

/// Why a stand-in is stopped; its supervisor and monitors hear it.
const REMOTE_EXIT: &str = "remote";

/// The live stand-ins of one session.
#[derive(Debug)]
pub(super) struct StandIns {
    names: StandInNames,
    by_pid: HashMap<u64, ActorRef<RemoteActorMessage>>,
    /// The names that their actors have at home and they have here, and how many of them have each.
    bare_names: HashMap<String, usize>,
}

impl StandIns {
    pub(super) fn new(names: StandInNames) -> Self {
        Self {
            names,
            by_pid: HashMap::new(),
            bare_names: HashMap::new(),
        }
    }

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
        let name = actor.name.as_ref().map(|name| self.names.name(name.clone(), peer));
        let bare_name = name.clone().filter(|_| name == actor.name);
        match spawn_stand_in(name, actor.pid, link.clone(), session.clone()).await {
            Ok(stand_in) => {
                let cell = stand_in.get_cell();
                self.by_pid.insert(actor.pid, stand_in);
                if let Some(name) = bare_name {
                    // A local actor may have taken the name meanwhile.
                    namesakes::note_named(&name);
                    *self.bare_names.entry(name).or_default() += 1;
                }
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

    /// A local actor started. If a stand-in has its name, ractor's registry loses it when that ends, however it does.
    pub(super) fn note_namesake(&self, cell: &ActorCell) {
        let is_namesake = |name: String| self.bare_names.contains_key(&name);
        if cell.get_id().is_local() && !self.bare_names.is_empty() && cell.get_name().is_some_and(is_namesake) {
            namesakes::note(cell);
        }
    }

    /// The peer's actor ended.
    pub(super) fn terminate(&mut self, pid: u64) {
        let Some(stand_in) = self.by_pid.remove(&pid) else {
            return;
        };
        // That a local actor took the name may not have been heard yet.
        if let Some(name) = stand_in.get_name().filter(|name| self.bare_names.contains_key(name)) {
            namesakes::note_named(&name);
        }
        stand_in.stop(Some(REMOTE_EXIT.to_owned()));
    }

    /// A stand-in ended. If it did so by itself, the next who asks gets another.
    pub(super) fn forget(&mut self, cell: &ActorCell) {
        self.by_pid.remove(&cell.get_id().pid());
        let Some(name) = cell.get_name() else { return };
        if let Some(count) = self.bare_names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.bare_names.remove(&name);
            }
            report_loss(&name);
        }
    }

    /// All of them have ended.
    pub(super) fn ended(&mut self) {
        for (name, _) in self.bare_names.drain() {
            report_loss(&name);
        }
    }
}

/// A stand-in of this name has ended: says so if that cost a local actor its place in ractor's registry.
fn report_loss(name: &str) {
    let Some(lost) = namesakes::take_lost(name) else { return };
    tracing::warn!(
        name,
        pid = lost.get_id().pid(),
        "the end of a remote actor took the local actor of the same name off ractor's registry: `registry::where_is` no \
         longer finds it, while `directory::find`, other nodes, guests and the command line do. To prevent this, start the \
         local actor before the node connects, or set `stand_in_names = \"qualified\"`"
    );
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
