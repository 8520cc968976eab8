//! The stand-ins of one session. Each is spawned when its actor is looked up or joins a group, and not before.
//!
//! Guests look actors up without stand-ins. One that only guests use, because they monitor its actor, is lent to them and ends when
//! the last guest has given it back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorId, ActorRef, ActorStatus, RpcReplyPort, SpawnErr};

use super::StandInNames;
use super::link::Link;
use super::memberships::{Memberships, ScopedGroup};
use super::remote_actor::{RemoteActorMessage, spawn_stand_in};
use super::session_messages::{NodeSessionMessage, SessionRequest};
use crate::directory::{BoxFuture, FoundActor, Lent, RemoteActors, SendRefused, WantedActor, namesakes};
use crate::session::{EntryRefusal, Full, PeerAccount};
use crate::wire::Actor;

/// The reason with which a stand-in is stopped, as its supervisor and monitors hear it.
const REMOTE_EXIT: &str = "remote";

/// The same for a stand-in that was lent and given back.
const UNUSED: &str = "nobody monitors the remote actor any more";

/// How long a stand-in lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StandInLifetime {
    /// As long as its actor and the session, since a program may have a reference to it.
    Session,
    /// Until it is given back.
    Lent,
}

/// What a borrower gives back: one loan of one stand-in. A later stand-in for the same pid is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loan {
    pid: u64,
    /// None of a stand-in that lives as long as the session.
    stand_in: Option<u64>,
}

/// A stand-in that is only lent.
#[derive(Debug)]
struct LentStandIn {
    number: u64,
    borrowers: usize,
}

/// The time that a stand-in that is given back has to end. It waits for nothing.
const GIVEN_BACK: Duration = Duration::from_secs(1);

/// The bytes that a stand-in is charged beside [`NAMES`] times its name. Measured: 8 900 without a name, and with one as many
/// and 2.4 times the name. Nearly all of it are the first blocks, of 32 places each, of the two queues that ractor makes for every
/// actor, and the task.
const STAND_IN: usize = 10 * 1024;

/// The number of copies of a stand-in's name: ractor keeps two, and there is one here.
const NAMES: usize = 3;

/// The stand-ins of one session, and the groups that they are in.
#[derive(Debug)]
pub(super) struct StandIns {
    names: StandInNames,
    account: Arc<PeerAccount>,
    by_pid: HashMap<u64, ActorRef<RemoteActorMessage>>,
    /// The pids of stand-ins that were stopped and haven't ended yet. ractor knows actors by their pids, and would take another one
    /// with the same pid for this one when this one ends.
    ending: HashSet<u64>,
    memberships: Memberships,
    /// The names that stand-ins share with their actors, and how many stand-ins have each.
    bare_names: HashMap<String, usize>,
    /// The stand-ins that are only lent.
    lent: HashMap<u64, LentStandIn>,
    /// How many stand-ins were made to be lent. It tells them apart.
    lent_so_far: u64,
}

impl StandIns {
    pub(super) fn new(names: StandInNames, account: Arc<PeerAccount>) -> Self {
        Self {
            names,
            memberships: Memberships::new(account.clone()),
            account,
            by_pid: HashMap::new(),
            ending: HashSet::new(),
            bare_names: HashMap::new(),
            lent: HashMap::new(),
            lent_so_far: 0,
        }
    }

    /// The stand-in for `actor`, spawned under `session` if there is none.
    pub(super) async fn get_or_spawn(
        &mut self,
        actor: Actor,
        tenure: StandInLifetime,
        peer: &str,
        link: &Arc<Link>,
        session: &ActorCell,
    ) -> Result<ActorCell, NoStandIn> {
        let pid = actor.pid;
        let (cell, is_new) = match self.by_pid.get(&pid) {
            Some(stand_in) => (stand_in.get_cell(), false),
            None if self.ending.contains(&pid) => return Err(EntryRefusal::PidReused.into()),
            None => (self.spawn(actor, peer, link, session).await?, true),
        };
        match (tenure, self.lent.get_mut(&pid)) {
            // Somebody has it now who never gives it back, so its borrowers must not end it.
            (StandInLifetime::Session, _) => drop(self.lent.remove(&pid)),
            (StandInLifetime::Lent, Some(lent)) => lent.borrowers += 1,
            (StandInLifetime::Lent, None) if is_new => {
                self.lent_so_far += 1;
                let lent = LentStandIn {
                    number: self.lent_so_far,
                    borrowers: 1,
                };
                self.lent.insert(pid, lent);
            }
            // It lives as long as the session anyway, and `take_back` finds no count for it.
            (StandInLifetime::Lent, None) => {}
        }
        Ok(cell)
    }

    async fn spawn(
        &mut self,
        actor: Actor,
        peer: &str,
        link: &Arc<Link>,
        session: &ActorCell,
    ) -> Result<ActorCell, NoStandIn> {
        let name = actor.name.as_ref().map(|name| self.names.name(name.clone(), peer));
        let cost = cost(name.as_deref());
        // Charged before it is there: the limit is for what exists at any time.
        self.account.charge(cost).map_err(EntryRefusal::Full)?;
        let bare_name = name.clone().filter(|_| name == actor.name);
        let spawned = spawn_stand_in(name, actor.pid, link.clone(), session.clone()).await;
        let stand_in = spawned.inspect_err(|_| self.account.give_back(cost))?;
        let cell = stand_in.get_cell();
        self.by_pid.insert(actor.pid, stand_in);
        if let Some(name) = bare_name {
            // After the stand-in is there: a local actor may have taken the name meanwhile.
            namesakes::note_named(&name);
            *self.bare_names.entry(name).or_default() += 1;
        }
        Ok(cell)
    }

    /// What the borrower to whom the stand-in for this pid has just been lent gives back.
    pub(super) fn loan(&self, pid: u64) -> Loan {
        let stand_in = self.lent.get(&pid).map(|lent| lent.number);
        Loan { pid, stand_in }
    }

    /// A borrower gives a stand-in back.
    pub(super) async fn take_back(&mut self, loan: Loan) {
        let Loan { pid, stand_in } = loan;
        // Without an entry it has ended, or is used by others who keep it. After its end there may be another one for the pid, which
        // others have borrowed.
        let lent = self.lent.get_mut(&pid);
        let Some(lent) = lent.filter(|lent| stand_in == Some(lent.number)) else {
            return;
        };
        lent.borrowers -= 1;
        if lent.borrowers == 0
            && let Some(stand_in) = self.end(pid)
        {
            // The next one that is asked for has the same id and name, so this one must be gone by then.
            let ended = stand_in.stop_and_wait(Some(UNUSED.to_owned()), Some(GIVEN_BACK)).await;
            match ended {
                Ok(()) => self.forget_ending(pid, stand_in.get_name()),
                Err(error) => tracing::debug!(pid, %error, "a stand-in that was given back takes long to end"),
            }
        }
    }

    /// Enters the peer's actor, which has a stand-in, as a member of a group.
    pub(super) fn join(&mut self, pid: u64, group: &Arc<ScopedGroup>) -> Result<(), Full> {
        self.memberships.join(pid, group)
    }

    /// Takes the peer's actor out of a group; its stand-in, if it was in there.
    pub(super) fn leave(&mut self, pid: u64, group: &Arc<ScopedGroup>) -> Option<ActorCell> {
        let was_in = self.memberships.leave(pid, group);
        was_in.then(|| self.by_pid.get(&pid).map(ActorRef::get_cell))?
    }

    /// A local actor started. If a stand-in has its name, ractor's registry loses the local actor when the stand-in ends, however
    /// it ends.
    pub(super) fn note_namesake(&self, cell: &ActorCell) {
        let is_namesake = |name: String| self.bare_names.contains_key(&name);
        if cell.get_id().is_local() && !self.bare_names.is_empty() && cell.get_name().is_some_and(is_namesake) {
            namesakes::note(cell);
        }
    }

    /// The peer's actor ended.
    pub(super) fn terminate(&mut self, pid: u64) {
        if let Some(stand_in) = self.end(pid) {
            // Its end comes as an event of its own, and until then `ending` keeps the pid from being used again.
            stand_in.stop(Some(REMOTE_EXIT.to_owned()));
        }
    }

    /// Takes out a stand-in that is about to be stopped.
    fn end(&mut self, pid: u64) -> Option<ActorRef<RemoteActorMessage>> {
        self.lent.remove(&pid);
        let stand_in = self.by_pid.remove(&pid)?;
        // The news that a local actor took the name may not have come yet.
        if let Some(name) = stand_in.get_name().filter(|name| self.bare_names.contains_key(name)) {
            namesakes::note_named(&name);
        }
        self.ending.insert(pid);
        Some(stand_in)
    }

    /// A stand-in ended. If it did so by itself, the next one that is asked for is another.
    pub(super) fn forget(&mut self, cell: &ActorCell) {
        let pid = cell.get_id().pid();
        // One that was given back may have a successor already.
        let stand_in = self.by_pid.get(&pid);
        if stand_in.is_some_and(|stand_in| stand_in.get_status() >= ActorStatus::Stopping) {
            self.by_pid.remove(&pid);
            self.lent.remove(&pid);
            self.ending.insert(pid);
        }
        self.forget_ending(pid, cell.get_name());
    }

    /// A stand-in that was to end has ended, unless that was known already.
    fn forget_ending(&mut self, pid: u64, name: Option<String>) {
        if !self.ending.remove(&pid) {
            return;
        }
        self.account.give_back(cost(name.as_deref()));
        // ractor has taken it out of its groups.
        self.memberships.leave_all(pid);
        let Some(name) = name else { return };
        if let Some(count) = self.bare_names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.bare_names.remove(&name);
            }
            report_loss(&name);
        }
    }

    /// All stand-ins have ended.
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
    Refused(#[from] EntryRefusal),
    /// ractor did not start it.
    #[error(transparent)]
    Failed(#[from] SpawnErr),
}

/// The bytes that a stand-in of this name is charged.
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
    /// The peer keeps actors back until it is asked for them.
    pub(super) asks: bool,
}

/// The longest time for a peer to say whether it has an actor. It answers at once, behind whatever else waits for this node.
const QUESTION: Duration = Duration::from_secs(10);

impl Resolver {
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(RpcReplyPort<Option<T>>) -> NodeSessionMessage,
    ) -> Option<T> {
        // No time limit is needed: a session answers, or drops the port when it ends.
        self.session.call(ask, None).await.ok()?.success_or(()).ok()?
    }

    /// Has the peer tell of the actor with this pid, if it has one and kept it back.
    async fn learn(&self, pid: u64) {
        if self.asks && !self.link.has_remote(pid) {
            let asked = self.ask(|reply| SessionRequest::Learn(pid, reply).into());
            ractor::concurrency::timeout(QUESTION, asked).await.ok();
        }
    }
}

impl RemoteActors for Resolver {
    fn stand_in(&self, pid: u64) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(async move {
            self.learn(pid).await;
            self.ask(move |reply| SessionRequest::StandIn(pid, reply).into()).await
        })
    }

    fn stand_in_named(&self, name: String) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(self.ask(move |reply| SessionRequest::StandInNamed(name, reply).into()))
    }

    fn look(&self, wanted: WantedActor) -> BoxFuture<'_, Option<FoundActor>> {
        Box::pin(async {
            if let WantedActor::Pid(pid) = wanted {
                self.learn(pid).await;
            }
            let ask = |reply| SessionRequest::Look(wanted, reply).into();
            let Actor { pid, name } = self.ask(ask).await?;
            let node_id = self.link.node_id();
            Some(FoundActor {
                id: ActorId::Remote { node_id, pid },
                name,
                local: None,
            })
        })
    }

    fn lend(&self, pid: u64) -> BoxFuture<'_, Option<Lent>> {
        Box::pin(async move {
            self.learn(pid).await;
            self.ask(move |reply| SessionRequest::Lend(pid, reply).into()).await
        })
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
    use crate::session::PeerLedger;
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

    fn account(limit: usize) -> Arc<PeerAccount> {
        Arc::new(PeerAccount::new(Arc::new(PeerLedger::new(limit)), limit))
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
            let first = stand_ins
                .get_or_spawn(actor(7), StandInLifetime::Session, "a@b", &link, &parent.get_cell())
                .await;
            let again = stand_ins
                .get_or_spawn(actor(7), StandInLifetime::Session, "a@b", &link, &parent.get_cell())
                .await;
            assert_eq!(first.unwrap().get_id(), again.unwrap().get_id());
            stand_ins.terminate(7);
            let soon = stand_ins
                .get_or_spawn(actor(7), StandInLifetime::Session, "a@b", &link, &parent.get_cell())
                .await;
            assert!(
                matches!(soon, Err(NoStandIn::Refused(EntryRefusal::PidReused))),
                "{soon:?}"
            );
            assert!(account.charge(1).is_err(), "it is there until it has ended");
            let ended = ends.recv().await.unwrap();
            stand_ins.forget(&ended);
            stand_ins.forget(&ended);
            account.charge(STAND_IN).unwrap();
            account.give_back(STAND_IN);
        }
        parent.stop(None);
    }

    /// Otherwise its new borrowers would hear of an end that there was none.
    #[tokio::test]
    async fn a_stand_in_is_not_given_back_by_those_who_had_borrowed_the_one_before_it() {
        let (heard, mut ends) = unbounded_channel();
        let (parent, _) = Actor::spawn(None, Parent(heard), ()).await.unwrap();
        let link = Arc::new(Link::new(903, SessionLimits::default()));
        let mut stand_ins = StandIns::new(StandInNames::Bare, account(STAND_IN));
        let mut loans = Vec::new();
        let session = parent.get_cell();
        for _ in 0..2 {
            let lent = stand_ins.get_or_spawn(actor(7), StandInLifetime::Lent, "a@b", &link, &session);
            let cell = lent.await.unwrap();
            loans.push(stand_ins.loan(7));
            if loans.len() == 1 {
                // It ends while it is lent, and the peer uses the pid again.
                stand_ins.terminate(7);
                stand_ins.forget(&ends.recv().await.unwrap());
            } else {
                stand_ins.take_back(loans[0]).await;
                assert!(cell.get_status() < ActorStatus::Stopping, "it is lent to somebody");
                stand_ins.take_back(loans[1]).await;
                assert_eq!(cell.get_status(), ActorStatus::Stopped);
            }
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
                .get_or_spawn(actor(pid), StandInLifetime::Session, "a@b", &link, &parent.get_cell())
                .await;
            assert_eq!(found.is_ok(), fits, "{pid}: {found:?}");
        }
        stand_ins.terminate(2);
        stand_ins.forget(&ends.recv().await.unwrap());
        stand_ins
            .get_or_spawn(actor(3), StandInLifetime::Session, "a@b", &link, &parent.get_cell())
            .await
            .unwrap();
        parent.stop(None);
    }
}
