//! The stand-ins of one session: spawned when somebody looks an actor up or it joins a group, not before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorRef, RpcReplyPort, SpawnErr};

use super::StandInNames;
use super::link::Link;
use super::memberships::{Group, Memberships};
use super::messages::NodeSessionMessage;
use super::remote_actor::{RemoteActorMessage, spawn_stand_in};
use super::requests::SessionRequest;
use crate::directory::{BoxFuture, RemoteActors, SendRefused, namesakes};
use crate::session::{Account, Full, Refusal};
use crate::wire::Actor;

/// Why a stand-in is stopped; its supervisor and monitors hear it.
const REMOTE_EXIT: &str = "remote";

/// The bytes that a stand-in is charged beside [`NAMES`] times its name. Measured: 8 900 without a name, and with one as many
/// and 2.4 times the name. Nearly all of it are the first blocks, of 32 places each, of the two queues that ractor makes for every
/// actor, and the task.
const STAND_IN: usize = 10 * 1024;

/// How often the name of a stand-in is kept: by ractor twice, and here.
const NAMES: usize = 3;

/// The stand-ins of one session, and the groups that they are in.
#[derive(Debug)]
pub(super) struct StandIns {
    names: StandInNames,
    account: Arc<Account>,
    by_pid: HashMap<u64, ActorRef<RemoteActorMessage>>,
    /// Those that were stopped and haven't ended yet. ractor knows actors by their pids: another one with the same would be
    /// taken for this one when this one ends.
    ending: HashSet<u64>,
    memberships: Memberships,
    /// The names that their actors have at home and they have here, and how many of them have each.
    bare_names: HashMap<String, usize>,
}

impl StandIns {
    pub(super) fn new(names: StandInNames, account: Arc<Account>) -> Self {
        Self {
            names,
            memberships: Memberships::new(account.clone()),
            account,
            by_pid: HashMap::new(),
            ending: HashSet::new(),
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
    ) -> Result<ActorCell, NoStandIn> {
        if let Some(stand_in) = self.by_pid.get(&actor.pid) {
            return Ok(stand_in.get_cell());
        }
        if self.ending.contains(&actor.pid) {
            return Err(Refusal::PidReused.into());
        }
        let name = actor.name.as_ref().map(|name| self.names.name(name.clone(), peer));
        let cost = cost(name.as_deref());
        self.account.charge(cost).map_err(Refusal::Full)?;
        let bare_name = name.clone().filter(|_| name == actor.name);
        let spawned = spawn_stand_in(name, actor.pid, link.clone(), session.clone()).await;
        let stand_in = spawned.inspect_err(|_| self.account.give_back(cost))?;
        let cell = stand_in.get_cell();
        self.by_pid.insert(actor.pid, stand_in);
        if let Some(name) = bare_name {
            // A local actor may have taken the name meanwhile.
            namesakes::note_named(&name);
            *self.bare_names.entry(name).or_default() += 1;
        }
        Ok(cell)
    }

    /// Enters the peer's actor, which has a stand-in, as a member of a group.
    pub(super) fn join(&mut self, pid: u64, group: &Arc<Group>) -> Result<(), Full> {
        self.memberships.join(pid, group)
    }

    /// Takes the peer's actor out of a group; its stand-in, if it has one.
    pub(super) fn leave(&mut self, pid: u64, group: &Arc<Group>) -> Option<ActorCell> {
        self.memberships.leave(pid, group);
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
        self.ending.insert(pid);
    }

    /// A stand-in ended. If it did so by itself, the next who asks gets another.
    pub(super) fn forget(&mut self, cell: &ActorCell) {
        let pid = cell.get_id().pid();
        let name = cell.get_name();
        if self.by_pid.remove(&pid).is_some() || self.ending.remove(&pid) {
            self.account.give_back(cost(name.as_deref()));
            // ractor has taken it out of its groups.
            self.memberships.leave_all(pid);
        }
        let Some(name) = name else { return };
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

/// Why there is no stand-in.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoStandIn {
    /// There is to be none.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// ractor did not start it.
    #[error(transparent)]
    Failed(#[from] SpawnErr),
}

/// What a stand-in of this name takes.
fn cost(name: Option<&str>) -> usize {
    STAND_IN + NAMES * name.map_or(0, str::len)
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

#[cfg(test)]
mod tests {
    use ractor::{Actor, ActorProcessingErr, SupervisionEvent};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;
    use crate::node::SessionLimits;
    use crate::session::Ledger;
    use crate::wire;

    /// Stands for a session: hears which stand-ins end.
    struct Parent(UnboundedSender<ActorCell>);

    impl Actor for Parent {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle_supervisor_evt(
            &self,
            _: ActorRef<()>,
            event: SupervisionEvent,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            if let SupervisionEvent::ActorTerminated(cell, ..) = event {
                self.0.send(cell)?;
            }
            Ok(())
        }
    }

    fn account(limit: usize) -> Arc<Account> {
        Arc::new(Account::new(Arc::new(Ledger::new(limit)), limit))
    }

    fn actor(pid: u64) -> wire::Actor {
        wire::Actor { pid, name: None }
    }

    #[tokio::test]
    async fn a_pid_is_not_used_again_while_its_last_stand_in_is_ending() {
        let (heard, mut ends) = unbounded_channel();
        let (parent, _) = Actor::spawn(None, Parent(heard), ()).await.unwrap();
        let link = Arc::new(Link::new(901, SessionLimits::default()));
        let account = account(STAND_IN);
        let mut stand_ins = StandIns::new(StandInNames::Bare, account.clone());
        for _ in 0..3 {
            let first = stand_ins.get_or_spawn(actor(7), "a@b", &link, &parent.get_cell()).await;
            let again = stand_ins.get_or_spawn(actor(7), "a@b", &link, &parent.get_cell()).await;
            assert_eq!(first.unwrap().get_id(), again.unwrap().get_id());
            stand_ins.terminate(7);
            let soon = stand_ins.get_or_spawn(actor(7), "a@b", &link, &parent.get_cell()).await;
            assert!(matches!(soon, Err(NoStandIn::Refused(Refusal::PidReused))), "{soon:?}");
            assert!(account.charge(1).is_err(), "it is there until it has ended");
            let ended = ends.recv().await.unwrap();
            stand_ins.forget(&ended);
            stand_ins.forget(&ended);
            account.charge(STAND_IN).unwrap();
            account.give_back(STAND_IN);
        }
        parent.stop(None);
    }

    #[tokio::test]
    async fn who_finds_no_room_finds_it_when_another_has_ended() {
        let (heard, mut ends) = unbounded_channel();
        let (parent, _) = Actor::spawn(None, Parent(heard), ()).await.unwrap();
        let link = Arc::new(Link::new(902, SessionLimits::default()));
        let mut stand_ins = StandIns::new(StandInNames::Bare, account(2 * STAND_IN));
        for (pid, fits) in [(1, true), (2, true), (3, false), (1, true)] {
            let found = stand_ins
                .get_or_spawn(actor(pid), "a@b", &link, &parent.get_cell())
                .await;
            assert_eq!(found.is_ok(), fits, "{pid}: {found:?}");
        }
        stand_ins.terminate(2);
        stand_ins.forget(&ends.recv().await.unwrap());
        stand_ins
            .get_or_spawn(actor(3), "a@b", &link, &parent.get_cell())
            .await
            .unwrap();
        parent.stop(None);
    }
}
