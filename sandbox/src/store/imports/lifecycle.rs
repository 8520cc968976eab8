//! `lifecycle`: the end of the calling actor, its children, and those that it watches.

use ractor::{ActorCell, ActorId, ActorStatus};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::accounting::telemetry;
use crate::component::bindings::lifecycle::{self, Child, MonitorError, SpawnError};
use crate::component::bindings::types::{Pid, Subject};
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::directory;
use crate::entities::Entity;
use crate::policy::denied::Denied;
use crate::policy::grants::Capability;
use crate::policy::limits::Limit;
use crate::policy::text::tidy;
use crate::store::data::{ActorContext, StoreData};
use crate::store::exit::Exit;
use crate::store::interface;
use crate::store::monitors::NotMonitored;
use crate::store::own_actor::NotStarted;
use crate::store::pid;
use crate::store::waits::Waiting;

/// The interface `lifecycle`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/lifecycle", RELEASE)] }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Spawn,
                "ractor:actor/lifecycle@",
                &["spawn"],
                Certainty::Called,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        lifecycle::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl lifecycle::Host for StoreData {
    async fn spawn(&mut self, child: Child) -> wasmtime::Result<Result<Pid, SpawnError>> {
        self.side_effect()?;
        if child.groups.len() > self.limits.groups {
            return Err(wasmtime::Error::new(Limit::Groups(self.limits.groups)));
        }
        let ActorContext {
            profile, family, actor, ..
        } = self.context()?;
        // Before the look-up: who may not start a module isn't to learn whether there is one of that name.
        if !profile.grants.may_spawn(&child.module) {
            telemetry::denied(&self.label, Denied::Spawn(&child.module));
            return Ok(Err(SpawnError::Denied));
        }
        if !actor.knows_module(&child.module) {
            return Ok(Err(SpawnError::UnknownModule));
        }
        let is_others = |given: &str| {
            if Entity::is_written_so(given) {
                return true;
            }
            let reserved = &profile.reserved_names;
            // Within the family a child is found by the name that it was given, which is not to hide an actor of the node.
            reserved.contains(given)
                || reserved.contains(&family.full_name(given))
                || directory::where_is(given).is_some()
        };
        if child.name.as_deref().is_some_and(is_others) {
            return Ok(Err(SpawnError::NameTaken));
        }
        if !self.fits("", &child.arguments) {
            let limit = Limit::MessageBytes(self.limits.message_bytes);
            return Ok(Err(SpawnError::Failed(format!("its start arguments exceed {limit}"))));
        }
        let limit = self.limits.children;
        // Before the start and not after it: while children start, others must not get the same place.
        let place = match family.place(limit) {
            Ok(place) => place,
            Err(limit) => {
                telemetry::limit(&self.label, limit);
                return Ok(Err(SpawnError::TooMany));
            }
        };
        self.durable_before().await?;
        Ok(match self.start_child(child).await? {
            Ok(child) => {
                // What ractor tells of the child comes between two messages, so it finds this entry, also if the
                // child has ended by now.
                self.monitors()?.add_child(child, place);
                Ok(pid::of(child))
            }
            Err(refused) => Err(refused),
        })
    }

    fn children(&mut self) -> wasmtime::Result<Vec<Pid>> {
        let children = self.context()?.cell.get_children();
        let living = children.iter().filter(|child| lives(child));
        Ok(living.map(|child| pid::of(child.get_id())).collect())
    }

    fn named_children(&mut self) -> wasmtime::Result<Vec<Subject>> {
        let ActorContext { cell, family, .. } = self.context()?;
        let children = cell.get_children();
        let named = |child: &ActorCell| Subject {
            pid: pid::of(child.get_id()),
            name: child.get_name().map(|name| family.shown(&name).to_owned()),
        };
        Ok(children.iter().filter(|child| lives(child)).map(named).collect())
    }

    fn supervisor(&mut self) -> wasmtime::Result<Option<Pid>> {
        let supervisor = self.context()?.cell.try_get_supervisor();
        Ok(supervisor.map(|supervisor| pid::of(supervisor.get_id())))
    }

    fn stop(&mut self, reason: Option<String>) -> wasmtime::Result<()> {
        self.side_effect()?;
        self.context()?;
        // Only noted: the actor ends when this message has been handled, so that what the guest does after the call
        // still happens.
        self.stopping = Some(reason.map(|reason| self.reason(&reason)));
        Ok(())
    }

    fn exit(&mut self, reason: String) -> wasmtime::Result<()> {
        self.context()?;
        // No side effect, because a guest that fails is dealt with everywhere, also where it may only look.
        Err(wasmtime::Error::new(Exit(self.reason(&reason))))
    }

    fn stop_child(&mut self, child: Pid, reason: Option<String>) -> wasmtime::Result<bool> {
        self.side_effect()?;
        // Of its own children only: a pid is a number, and guests can make up any.
        let child = self.child(child)?;
        if let Some(child) = &child {
            child.stop(reason.map(|reason| self.reason(&reason)));
        }
        Ok(child.is_some())
    }

    fn kill_child(&mut self, child: Pid) -> wasmtime::Result<bool> {
        self.side_effect()?;
        let child = self.child(child)?;
        if let Some(child) = &child {
            child.kill();
        }
        Ok(child.is_some())
    }

    async fn monitor(&mut self, actor: Pid) -> wasmtime::Result<Result<(), MonitorError>> {
        self.side_effect()?;
        self.context()?;
        let actor = match pid::to_id(actor) {
            Some(id) => directory::lend(id).await,
            None => None,
        };
        let Some(actor) = actor else {
            return Ok(Err(MonitorError::UnknownActor));
        };
        let limit = self.limits.monitors;
        let quota = self.context()?.family.quota().clone();
        let monitored = self.monitors()?.monitor(actor, limit, &quota);
        Ok(monitored.map_err(|refused| match refused {
            NotMonitored::Ended => MonitorError::UnknownActor,
            NotMonitored::TooMany(limit) => {
                telemetry::limit(&self.label, limit);
                MonitorError::TooMany
            }
        }))
    }

    fn demonitor(&mut self, actor: Pid) -> wasmtime::Result<()> {
        self.side_effect()?;
        self.context()?;
        if let (Some(id), Some(watch)) = (pid::to_id(actor), &mut self.monitors) {
            watch.demonitor(id);
        }
        Ok(())
    }
}

impl StoreData {
    /// Starts a child in a task of its own, so that neither its time on a thread nor its stack is this guest's. If this guest
    /// is killed meanwhile, so is the start.
    async fn start_child(&mut self, child: Child) -> wasmtime::Result<Result<ActorId, SpawnError>> {
        let myself = self.context()?;
        let child = Child {
            name: child.name.map(|given| myself.family.full_name(&given)),
            ..child
        };
        // Known before the start, so that the wait for it can be entered under its pid.
        let id = directory::reserve_hosted_id();
        let start = myself.actor.start_child(id, child);
        // As it starts, the child may call this guest, which waits for it.
        let (until, started) = directory::reply_port(None);
        let _waiting = Waiting::begin(self.label.pid, id.pid(), started);
        let longest = self.limits.call_wait;
        let task = Aborted(tokio::spawn(async move {
            let _until = until;
            timeout(longest, start).await
        }));
        Ok(match task.ended().await {
            Ok(Ok(Ok(()))) => Ok(id),
            Ok(Ok(Err(refused))) => {
                if let NotStarted::Limit(limit) = refused {
                    telemetry::limit(&self.label, limit);
                }
                Err(refused.into())
            }
            Ok(Err(_)) => {
                let limit = Limit::CallWait(longest);
                telemetry::limit(&self.label, limit);
                Err(SpawnError::Failed(format!("its start took longer than {limit}")))
            }
            Err(ended) => Err(SpawnError::Failed(ended.to_string())),
        })
    }

    /// The child, if it is one and lives.
    fn child(&self, child: Pid) -> wasmtime::Result<Option<ActorCell>> {
        let myself = &self.context()?.cell;
        let actor = pid::to_id(child)
            .filter(|id| directory::is_ours(*id))
            .and_then(|id| directory::local_actor(id.pid()));
        Ok(actor.filter(|actor| actor.try_get_supervisor().as_ref() == Some(myself) && lives(actor)))
    }

    /// A reason, as others may see it.
    pub(super) fn reason(&self, text: &str) -> String {
        tidy(text, self.limits.log_bytes).into_owned()
    }
}

fn lives(actor: &ActorCell) -> bool {
    actor.get_status() < ActorStatus::Stopping
}

/// A task that is aborted when nobody waits for it any more.
struct Aborted<T>(JoinHandle<T>);

impl<T> Aborted<T> {
    async fn ended(mut self) -> Result<T, tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl From<NotStarted> for SpawnError {
    fn from(refused: NotStarted) -> Self {
        match refused {
            NotStarted::UnknownModule => Self::UnknownModule,
            NotStarted::NameTaken(_) => Self::NameTaken,
            NotStarted::Limit(_) | NotStarted::Failed(_) => Self::Failed(refused.to_string()),
        }
    }
}
