//! What the host keeps beside one instance: the data of its store.

use std::sync::Arc;

use ractor::{ActorCell, SupervisionEvent};

use super::batch::Progress;
use super::bindings::types;
use super::family::Family;
use super::grants::{Grants, Guarded};
use super::groups::Groups;
use super::http_trust::HttpTrust;
use super::limits::{EngineBounds, Limit, Limiter, Limits};
use super::log_rate::LogRate;
use super::mailbox::Mailbox;
use super::outflow::Outflow;
use super::profile::Profile;
use super::recipients::Allowed;
use super::replies::Replies;
use super::timers::Timers;
use super::wasi::Wasi;
use super::watch::Watch;

/// The data of one store.
pub(super) struct State {
    /// None while the component only describes itself: then it may not use any import.
    actor: Option<Myself>,
    pub(super) label: Label,
    pub(super) limits: Arc<Limits>,
    pub(super) limiter: Limiter,
    pub(super) replies: Replies,
    /// Came with the message being handled.
    pub(super) metadata: Option<Vec<u8>>,
    /// How far the guest has come with the casts that it handles in one call.
    pub(super) batch: Option<Progress>,
    /// Made at the first use: many guests never touch WASI.
    pub(super) wasi: Option<Box<Wasi>>,
    /// What the guest has sent to native actors and they may not have handled.
    pub(super) outflow: Outflow,
    /// Whom the guest may send to, as far as that was asked lately.
    pub(super) allowed: Allowed,
    /// Made at the first use, too: the actors and groups that the guest hears of, and its timers.
    pub(super) watch: Option<Box<Watch>>,
    pub(super) timers: Option<Timers>,
    /// True once the instance is made: what it does from then on is its own doing, not its language's.
    pub(super) made: bool,
    /// The guest asked to stop, with this reason.
    pub(super) stopping: Option<Option<String>>,
    /// Whether the guest may act on others now.
    pub(super) acting: Acting,
    /// It has, since this was last set to false.
    pub(super) acted: bool,
    /// The engine's limit on the stack, for errors.
    pub(super) bounds: EngineBounds,
}

/// The actor that an instance is. What is here outlives the instance.
#[derive(Debug, Clone)]
pub(super) struct Myself {
    pub(super) cell: ActorCell,
    pub(super) profile: Arc<Profile>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) groups: Arc<Groups>,
    pub(super) family: Family,
}

impl std::ops::Deref for Myself {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

/// Who a log event or an error is about.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// The actor's name, or its module's if it has none.
    pub(super) name: Arc<str>,
    /// What it is in metrics: the name that node.toml gave it, or its module's. Guests choose the names of their children,
    /// and could choose a new one for each.
    pub(super) counted_as: Arc<str>,
    pub(super) pid: u64,
    /// Whether there may be one more line about it.
    pub(super) log: Arc<LogRate>,
}

impl Label {
    pub(super) fn new(name: Arc<str>, counted_as: Arc<str>, pid: u64, limits: &Limits) -> Self {
        Self::of_member(name, counted_as, pid, limits, None)
    }

    /// The same for a member of a family, which has a limit of its own on log lines.
    pub(super) fn of_member(
        name: Arc<str>,
        counted_as: Arc<str>,
        pid: u64,
        limits: &Limits,
        family: Option<Arc<LogRate>>,
    ) -> Self {
        let log = LogRate::new(name.clone(), counted_as.clone(), pid, limits.log_rate, family);
        let log = Arc::new(log);
        Self {
            name,
            counted_as,
            pid,
            log,
        }
    }
}

/// A guest used an import while it described itself.
#[derive(Debug, thiserror::Error)]
#[error("`describe` used an import of `ractor:actor`; it may not, because there is no actor yet")]
struct NoActorYet;

/// Whether a guest may use the imports that others can notice, or that change what the host keeps for the actor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Acting {
    Freely,
    /// Not during this callback.
    Not(&'static str),
}

/// A guest acted where it may only look.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` used an import that acts on others; it may only look, because the actor may go on with other code")]
struct OnlyLook(&'static str);

impl State {
    pub(super) fn new(actor: Option<Myself>, label: Label, limits: Arc<Limits>, bounds: EngineBounds) -> Self {
        let purse = actor.as_ref().map(|actor| actor.family.purse().clone());
        let member = purse.clone().map(|purse| (purse, label.clone()));
        Self {
            actor,
            label,
            limiter: Limiter::new(&limits, bounds, member),
            replies: Replies::new(limits.deferred_replies, purse),
            metadata: None,
            batch: None,
            wasi: None,
            outflow: Outflow::default(),
            allowed: Allowed::default(),
            watch: None,
            timers: None,
            made: false,
            stopping: None,
            acting: Acting::Freely,
            acted: false,
            bounds,
            limits,
        }
    }

    /// The actor, or a trap.
    pub(super) fn myself(&self) -> wasmtime::Result<&Myself> {
        self.actor.as_ref().ok_or_else(|| wasmtime::Error::new(NoActorYet))
    }

    /// What was granted to the actor; nothing while there is none.
    pub(super) fn grants(&self) -> Arc<Grants> {
        self.actor
            .as_ref()
            .map(|actor| actor.grants.clone())
            .unwrap_or_default()
    }

    /// What of the node is nothing for the actor.
    pub(super) fn guarded(&self) -> Arc<Guarded> {
        let guarded = self.actor.as_ref().map(|actor| actor.guarded.clone());
        guarded.unwrap_or_default()
    }

    /// Whom HTTPS requests of the actor trust.
    pub(super) fn http_trust(&self) -> HttpTrust {
        let trust = self.actor.as_ref().map(|actor| actor.http_trust.clone());
        trust.unwrap_or_default()
    }

    /// The guest acts on others, or traps because it may not.
    pub(super) fn act(&mut self) -> wasmtime::Result<()> {
        match self.acting {
            Acting::Freely => {
                self.acted = true;
                Ok(())
            }
            Acting::Not(callback) => Err(wasmtime::Error::new(OnlyLook(callback))),
        }
    }

    /// The actors and groups that the guest hears of.
    pub(super) fn watch(&mut self) -> wasmtime::Result<&mut Watch> {
        let cell = self.myself()?.cell.clone();
        Ok(self.watch.get_or_insert_with(|| Box::new(Watch::new(cell))))
    }

    /// True if the guest is to hear of this.
    pub(super) fn hears(&mut self, event: &SupervisionEvent) -> wasmtime::Result<bool> {
        if let SupervisionEvent::ProcessGroupChanged(_) = event {
            self.myself()?.groups.change_came();
        }
        Ok(self.watch()?.hears(event))
    }

    /// Traps on a name that is too long.
    pub(super) fn check_name(&self, name: &str) -> wasmtime::Result<()> {
        if name.len() > self.limits.name_bytes {
            return Err(wasmtime::Error::new(Limit::NameBytes(self.limits.name_bytes)));
        }
        Ok(())
    }
}

impl types::Host for State {}
