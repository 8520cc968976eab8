//! What the host keeps beside one instance: the data of its store.

use std::sync::{Arc, OnceLock};

use ractor::{ActorCell, SupervisionEvent};

use super::allowed::Allowed;
use super::asks::Asks;
use super::batch::Progress;
use super::interface_states::InterfaceStates;
use super::monitors::Monitors;
use super::outflow::Outflow;
use super::own_actor::OwnActor;
use super::replies::Replies;
use super::timers::Timers;
use crate::accounting::family::Family;
use crate::accounting::label::Label;
use crate::accounting::limiter::{EngineBounds, Limiter};
use crate::accounting::tally::Tally;
use crate::component::bindings::requests::Mailbox as PendingMailbox;
use crate::component::source::SourceText;
use crate::directory::trace::ActiveSpan;
use crate::entities::Seat;
use crate::policy::grants::{Grants, Guarded};
use crate::policy::http_trust::HttpTrust;
use crate::policy::limits::{Limit, Limits};
use crate::policy::profile::Profile;
use crate::store::groups::membership::Groups;

/// The data of one store: of one instance, while it lives.
pub struct StoreData {
    /// None while the component only describes itself: then it may not use any import but that of its source.
    actor: Option<ActorContext>,
    pub(crate) label: Label,
    pub(crate) tally: Arc<Tally>,
    /// Whether the actor was traced when the callback that runs began.
    pub(crate) is_traced: bool,
    pub(crate) limits: Arc<Limits>,
    pub(crate) limiter: Limiter,
    pub(crate) replies: Replies,
    /// What the module's source is, of a component that runs one.
    pub(crate) source: Option<Arc<SourceText>>,
    /// Came with the message being handled.
    pub(crate) metadata: Option<Vec<u8>>,
    /// The span of what is handled, if that belongs to a trace. It ends when nobody has it any more: a handler that isn't done is also in
    /// what it waits for.
    pub(crate) span: Option<Arc<ActiveSpan>>,
    /// How far the guest has come with the casts that it handles in one call.
    pub(crate) batch: Option<Progress>,
    /// What interfaces keep for the instance: WASI, from its first use, and those that a program adds.
    pub(super) interfaces: InterfaceStates,
    /// What the guest has sent to native actors and they may not have handled.
    pub(crate) outflow: Outflow,
    /// The same, of what waits for the state of an entity to be durable. Made at the first use, as few guests are entities.
    pub(super) held_outflow: OnceLock<Arc<tokio::sync::Mutex<Outflow>>>,
    /// Whom the guest may send to, as far as that was asked lately.
    pub(super) allowed: Allowed,
    /// Made at the first use, too: the actors and groups that the guest hears of, and its timers.
    pub(crate) monitors: Option<Box<Monitors>>,
    pub(crate) timers: Option<Timers>,
    pub(crate) asks: Option<Asks>,
    /// The component exports what it is called by for what it waits for.
    pub(crate) hears_replies: bool,
    /// What the callback that runs has said of a handler that isn't done.
    pub(crate) pending: Option<PendingMailbox>,
    /// The last token that was given out before what would be taken back with new code.
    pub(crate) tried_since: u64,
    /// The last number of a timer before that.
    pub(crate) timers_tried_since: u64,
    /// True once the instance is made: what it does from then on is its own doing, not its language's.
    pub(crate) made: bool,
    /// True until its language has read the variables, of one that does so in the first call.
    pub(crate) reads_variables_first: bool,
    /// The guest asked to stop, with this reason.
    pub(crate) stopping: Option<Option<String>>,
    /// Whether the guest may act on others now.
    pub(crate) side_effects: SideEffects,
    /// It has, since this was last set to false.
    pub(crate) had_side_effects: bool,
    /// The engine's limit on the stack, for errors.
    pub(crate) bounds: EngineBounds,
}

/// The actor that an instance is. What is here outlives the instance.
#[derive(Debug, Clone)]
pub(crate) struct ActorContext {
    pub(crate) cell: ActorCell,
    pub(crate) profile: Arc<Profile>,
    pub(crate) actor: Arc<dyn OwnActor>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) family: Family,
    pub(crate) tally: Arc<Tally>,
    /// Of an entity.
    pub(crate) seat: Option<Seat>,
}

impl std::ops::Deref for ActorContext {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

/// A guest used an import while it described itself.
#[derive(Debug, thiserror::Error)]
#[error("`describe` used an import that is for actors; it may not, because there is no actor yet")]
struct NoActorYet;

/// An entity whose state is lost does something to others.
#[derive(Debug, thiserror::Error)]
#[error("its state could not be written, so nothing that follows from it is done any more")]
struct NotDurable;

/// Whether a guest may use the imports that others can notice, or that change what the host keeps for the actor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SideEffects {
    Allowed,
    /// Not during this callback.
    Forbidden(&'static str),
}

/// A guest acted where it may only look.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` used an import that acts on others; it may only look, because the actor may go on with other code")]
struct SideEffectForbidden(&'static str);

impl StoreData {
    pub(crate) fn new(actor: Option<ActorContext>, label: Label, limits: Arc<Limits>, bounds: EngineBounds) -> Self {
        let quota = actor.as_ref().map(|actor| actor.family.quota().clone());
        let tally = actor.as_ref().map(|actor| actor.tally.clone()).unwrap_or_default();
        let member = quota.clone().map(|quota| (quota, label.clone()));
        Self {
            actor,
            label,
            limiter: Limiter::new(&limits, bounds, member).shown_by(tally.clone()),
            replies: Replies::new(limits.deferred_replies, quota).shown_by(tally.clone()),
            tally,
            is_traced: false,
            source: None,
            metadata: None,
            span: None,
            batch: None,
            interfaces: InterfaceStates::default(),
            outflow: Outflow::default(),
            held_outflow: OnceLock::new(),
            allowed: Allowed::default(),
            monitors: None,
            timers: None,
            asks: None,
            hears_replies: false,
            pending: None,
            tried_since: 0,
            timers_tried_since: 0,
            made: false,
            reads_variables_first: false,
            stopping: None,
            side_effects: SideEffects::Allowed,
            had_side_effects: false,
            bounds,
            limits,
        }
    }

    /// A callback begins: looks whether the actor is traced.
    pub(crate) fn look_at_taps(&mut self) -> bool {
        if let Some(ActorContext { seat: Some(seat), .. }) = &self.actor {
            seat.begin();
        }
        self.is_traced = self.tally.taps.is_on();
        self.is_traced
    }

    /// Where what the guest does to others waits, if it does.
    pub(super) fn holding_seat(&self) -> Option<&Seat> {
        let seat = self.actor.as_ref()?.seat.as_ref();
        seat.filter(|seat| seat.holds_outputs())
    }

    /// Waits until all that was done before the present message is durable: for what can't wait itself.
    pub(super) fn durable_before(&self) -> impl Future<Output = wasmtime::Result<()>> + Send + use<> {
        let seat = self.holding_seat().cloned();
        async move {
            match seat {
                Some(seat) if !seat.durable_before().await => Err(wasmtime::Error::new(NotDurable)),
                _ => Ok(()),
            }
        }
    }

    /// The actor, or a trap.
    pub(super) fn context(&self) -> wasmtime::Result<&ActorContext> {
        self.actor.as_ref().ok_or_else(|| wasmtime::Error::new(NoActorYet))
    }

    /// What was granted to the actor; nothing while there is none.
    pub(crate) fn grants(&self) -> Arc<Grants> {
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
    pub(super) fn side_effect(&mut self) -> wasmtime::Result<()> {
        self.may_act()?;
        // Noted before the act: one that fails halfway may have been noticed, too.
        self.had_side_effects = true;
        Ok(())
    }

    /// Traps in a callback in which the guest may only look.
    pub(super) fn may_act(&self) -> wasmtime::Result<()> {
        match self.side_effects {
            SideEffects::Allowed => Ok(()),
            SideEffects::Forbidden(callback) => Err(wasmtime::Error::new(SideEffectForbidden(callback))),
        }
    }

    /// The actors and groups that the guest hears of.
    pub(super) fn monitors(&mut self) -> wasmtime::Result<&mut Monitors> {
        let (cell, tally) = (self.context()?.cell.clone(), self.tally.clone());
        let made = || Box::new(Monitors::new(cell, tally));
        Ok(self.monitors.get_or_insert_with(made))
    }

    /// True if this is about a child that the guest has spawned.
    pub(crate) fn supervises(&self, event: &SupervisionEvent) -> bool {
        self.monitors
            .as_ref()
            .is_some_and(|monitors| monitors.supervises(event))
    }

    /// True if the guest is to hear of this.
    pub(crate) fn admits(&mut self, event: &SupervisionEvent) -> wasmtime::Result<bool> {
        if let SupervisionEvent::ProcessGroupChanged(_) = event {
            // Also of a group that the guest has lost interest in: the change was counted when it was sent.
            self.context()?.groups.change_came();
        }
        Ok(self.monitors()?.admits(event))
    }

    /// A token that was not given out, above all that were.
    pub(crate) fn last_token(&self) -> u64 {
        self.actor.as_ref().map_or(0, |actor| actor.actor.next_token())
    }

    /// Traps on a name that is too long.
    pub(super) fn check_name(&self, name: &str) -> wasmtime::Result<()> {
        if name.len() > self.limits.name_bytes {
            return Err(wasmtime::Error::new(Limit::NameBytes(self.limits.name_bytes)));
        }
        Ok(())
    }
}
