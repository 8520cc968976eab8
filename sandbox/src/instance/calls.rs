//! One instance of a component: its store, its exports, and what their outcomes mean.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, WasmBacktrace};
use wasmtime_wasi_http::FieldMapError;

use super::code::Code;
use super::engine::Engine;
use super::linking::Outcome;
use super::located::Located;
use super::meter::{Longest, Meter};
use super::module::Module;
use super::places::Place;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::component::bindings::types::SupervisionEvent;
use crate::component::bindings::{CallOutcome, Calls, Replies, World};
use crate::component::contract::Contract;
use crate::instance::error::{Fault, Frames, GuestError};
use crate::policy::limits::{Limit, Limits};
use crate::policy::text::tidy;
use crate::store::data::{ActorContext, StoreData};
use crate::store::exit::Exit;
use crate::store::replies::Port;
use crate::store::timers::Timers;

/// The number of bytes of a guest's error text, or of a function's name, that an error shows.
const ERROR_TEXT_BYTES: usize = 4096;
const FUNCTION_NAME_BYTES: usize = 128;

/// A guest traps if it makes the host copy more than two messages of the largest size and this in one call of an
/// import: enough to refuse what is somewhat too large with an error instead, and for names and log events.
const COPIED_BESIDES: usize = 256 << 10;

/// A live instance. After an error it is dead and must be dropped.
pub(crate) struct Instance {
    pub(super) store: Store<StoreData>,
    exports: World,
    /// None if calls come through `exports`.
    calls: Option<Calls>,
    /// None if it waits for nothing without standing still.
    pub(super) replies: Option<Replies>,
    /// The component behind the exports, for those that are looked up when they are needed.
    pub(super) component: wasmtime::component::Instance,
    pub(super) code: Arc<Code>,
    pub(super) meter: Arc<Meter>,
    /// Given back after the store, which has what it stands for.
    _place: Option<Place>,
}

/// What a guest was doing when it failed, in the words of the WIT world.
#[derive(Clone, Copy)]
pub(super) enum Callback<'a> {
    Instantiation,
    Lifecycle(&'static str),
    Message(&'static str, &'a str),
}

impl Instance {
    /// Makes a fresh instance. Without an actor it can only describe itself.
    pub(crate) async fn new(
        module: &Module,
        actor: Option<ActorContext>,
        label: Label,
        limits: Arc<Limits>,
    ) -> Result<Self, GuestError> {
        // Asked before the actor goes into the store, and told after that, because an error takes its label from
        // there.
        let admitted = actor.as_ref().map_or(Ok(()), |actor| module.admitted_by(&actor.grants));
        let engine = module.engine();
        let family = actor.as_ref().map(|actor| actor.family.account());
        let tally = actor.as_ref().map(|actor| actor.tally.clone()).unwrap_or_default();
        let meter = Arc::new(engine.meter(limits.cpu_per_message, family, tally));
        let code = module.code().clone();
        let linked = code.linked();
        // The engine that compiled it: a strategy is that of an engine, and there may be two.
        let wasmtime = linked.pre.engine();
        let mut store = Store::new(wasmtime, StoreData::new(actor, label, limits, engine.bounds()));
        store.data_mut().source = module.source();
        if let Err(refused) = admitted {
            return Err(failure(&store, Callback::Instantiation, Fault::NotGranted(refused)));
        }
        // wasmtime would stop at the first of these, after some of the memories were made, in words that name no key.
        if let Err(shortages) = module.needs().check(&store.data().limits) {
            for limit in shortages.limits() {
                telemetry::count_limit(&store.data().label, limit);
            }
            return Err(failure(&store, Callback::Instantiation, Fault::Shortage(shortages)));
        }
        let place = match engine.place(module.needs()) {
            Ok(place) => place,
            Err(reason) => {
                let refused = None;
                return Err(failure(
                    &store,
                    Callback::Instantiation,
                    Fault::NoInstance { reason, refused },
                ));
            }
        };
        let longest = lifecycle(&store.data().limits);
        // Before the instance is made, whose memories and tables grow to their first size by asking the limiter.
        store.limiter(|state| &mut state.limiter);
        store.set_max_component_handles(store.data().limits.handles);
        // wasmtime's own bound is 128 MiB for each call of an import, whatever the actor may send.
        store.set_hostcall_fuel(fuel(&store.data().limits));
        store.epoch_deadline_callback({
            let meter = meter.clone();
            move |_| meter.epoch_ends().map_err(wasmtime::Error::new)
        });
        store.set_epoch_deadline(1);
        store.data_mut().hears_replies = linked.replies.is_some();
        let made = async {
            store.data_mut().open_directories().await;
            // Before the component, whose start may call them; and within the time of a start, because they may wait.
            store.data_mut().open_interfaces(&code.added).await?;
            let component = linked.pre.instantiate_async(&mut store).await?;
            let exports = linked.world.load(&mut store, &component)?;
            let calls = linked.calls.as_ref();
            let calls = calls.map(|calls| calls.load(&mut store, &component)).transpose()?;
            let replies = linked.replies.as_ref();
            let replies = replies
                .map(|replies| replies.load(&mut store, &component))
                .transpose()?;
            Ok((component, exports, calls, replies))
        };
        // The start of a component is code of the guest, so it has a budget and takes turns like any message.
        let made: wasmtime::Result<_> = meter.run(longest, pin!(made)).await;
        match made {
            Ok((component, exports, calls, replies)) => {
                // From here on: what languages look at while they start is no attempt of the program.
                store.data_mut().made = true;
                store.data_mut().reads_variables_first = code.reads_variables_first;
                Ok(Self {
                    store,
                    exports,
                    calls,
                    replies,
                    component,
                    code,
                    meter,
                    _place: place,
                })
            }
            Err(error) => {
                let fault = no_instance(&store, engine, &code, &error);
                Err(failure(&store, Callback::Instantiation, fault))
            }
        }
    }

    pub(super) async fn describe(mut self) -> Result<Contract, GuestError> {
        let Self {
            store,
            exports,
            component,
            code,
            meter,
            ..
        } = &mut self;
        let longest = lifecycle(&store.data().limits);
        let outcome = match &code.linked().contract {
            Some(export) => {
                let call = export.call(&mut *store, component);
                meter.run(longest, pin!(call)).await
            }
            None => {
                let call = exports.ractor_actor_actor().call_describe(&mut *store);
                meter.run(longest, pin!(call)).await.map(Contract::of_descriptor)
            }
        };
        self.outcome(Callback::Lifecycle("describe"), outcome.map(Ok))
    }

    pub(crate) async fn pre_start(&mut self, arguments: &[u8]) -> Result<(), GuestError> {
        let arguments = self.located(arguments);
        let Self {
            store,
            component,
            code,
            meter,
            ..
        } = self;
        store.data_mut().look_at_taps();
        store.set_epoch_deadline(1);
        let longest = lifecycle(&store.data().limits);
        let export = &code.linked().pre_start;
        // Not through the bindings, whose arguments are bytes and no more.
        let outcome = match component.get_typed_func::<(Located<'_>,), Outcome<()>>(&mut *store, export) {
            Ok(function) => {
                let call = function.call_async(&mut *store, (arguments,));
                meter.run(longest, pin!(call)).await.map(|(outcome,)| outcome)
            }
            Err(error) => Err(error),
        };
        // A handler that isn't done says so as each callback ends, and `post-start` follows.
        self.take_pending();
        self.outcome(Callback::Lifecycle("pre-start"), outcome)
    }

    /// Arguments for the guest that tell where its memory is.
    pub(super) fn located<'a>(&self, bytes: &'a [u8]) -> Located<'a> {
        Located::new(bytes, self.store.data().limiter.shown())
    }

    pub(crate) async fn post_start(&mut self) -> Result<(), GuestError> {
        let Self {
            store, exports, meter, ..
        } = self;
        store.data_mut().look_at_taps();
        store.set_epoch_deadline(1);
        let longest = lifecycle(&store.data().limits);
        let call = exports.ractor_actor_actor().call_post_start(store);
        let outcome = meter.run(longest, pin!(call)).await;
        self.outcome(Callback::Lifecycle("post-start"), outcome)
    }

    pub(crate) async fn handle_cast(
        &mut self,
        variant: &str,
        args: &[u8],
        metadata: Option<Vec<u8>>,
    ) -> Result<(), GuestError> {
        let Self {
            store, exports, meter, ..
        } = self;
        let state = store.data_mut();
        state.metadata = metadata;
        let traced = state.look_at_taps().then(|| state.tally.taps.cast_in(variant, args));
        store.set_epoch_deadline(1);
        let longest = message(&store.data().limits);
        let begun = meter.begin();
        let call = exports.ractor_actor_actor().call_handle_cast(store, variant, args);
        let outcome = meter.run(longest, pin!(call)).await;
        meter.handled(1, &begun);
        let outcome = self.outcome(Callback::Message("handle-cast", variant), outcome);
        if let Some(since) = traced {
            self.show_handled(variant, since, &outcome);
        }
        outcome
    }

    /// Handles a call up to and including its reply, unless the guest puts that off.
    pub(crate) async fn handle_call(
        &mut self,
        variant: &str,
        args: &[u8],
        reply: Port,
        metadata: Option<Vec<u8>>,
    ) -> Result<(), GuestError> {
        let Self {
            store,
            exports,
            calls,
            meter,
            ..
        } = self;
        // Before the guest runs, which may answer or look at the call while it handles it.
        let state = store.data_mut();
        let number = state.replies.begin(reply);
        state.metadata = metadata;
        let traced = state
            .look_at_taps()
            .then(|| state.tally.taps.call_in(variant, args, number));
        store.set_epoch_deadline(1);
        let longest = message(&store.data().limits);
        let begun = meter.begin();
        let outcome = if let Some(calls) = calls {
            let call = calls
                .ractor_actor_calls()
                .call_handle_call(store, variant, args, number);
            meter.run(longest, pin!(call)).await
        } else {
            let call = exports
                .ractor_actor_actor()
                .call_handle_call(store, variant, args, number);
            let outcome = meter.run(longest, pin!(call)).await;
            outcome.map(|returned| returned.map(|reply| reply.map_or(CallOutcome::Later, CallOutcome::Reply)))
        };
        meter.handled(1, &begun);
        // After a failure the port stays where it is: `take_port` may give the call again, or it is dropped with the
        // instance.
        let outcome = self.outcome(Callback::Message("handle-call", variant), outcome);
        if let Some(since) = traced {
            self.show_handled(variant, since, &outcome);
            if let Err(error) = &outcome {
                self.store.data().show_reply(number, Err(&error.fault));
            }
        }
        match outcome.inspect_err(|_| self.store.data().tally.failed())? {
            CallOutcome::Reply(bytes) => self.store.data_mut().answer(variant, bytes),
            CallOutcome::Later => self.store.data_mut().defer(),
            CallOutcome::Failed(reason) => self.store.data_mut().fail_current(variant, &reason),
        }
        Ok(())
    }

    pub(crate) async fn handle_supervisor_evt(&mut self, event: &SupervisionEvent) -> Result<(), GuestError> {
        let Self {
            store, exports, meter, ..
        } = self;
        let state = store.data_mut();
        state.metadata = None;
        state.look_at_taps();
        store.set_epoch_deadline(1);
        let longest = message(&store.data().limits);
        let call = exports.ractor_actor_actor().call_handle_supervisor_evt(store, event);
        let outcome = meter.run(longest, pin!(call)).await;
        self.outcome(Callback::Lifecycle("handle-supervisor-evt"), outcome)
    }

    pub(crate) async fn post_stop(mut self) -> Result<(), GuestError> {
        let Self {
            store, exports, meter, ..
        } = &mut self;
        store.set_epoch_deadline(1);
        let longest = lifecycle(&store.data().limits);
        let call = exports.ractor_actor_actor().call_post_stop(&mut *store);
        let outcome = meter.run(longest, pin!(call)).await;
        self.outcome(Callback::Lifecycle("post-stop"), outcome)
    }

    /// True if this is about a child that the guest has spawned.
    pub(crate) fn supervises(&self, event: &ractor::SupervisionEvent) -> bool {
        self.store.data().supervises(event)
    }

    /// True if the guest is to hear of this.
    pub(crate) fn admits(&mut self, event: &ractor::SupervisionEvent) -> bool {
        self.store.data_mut().admits(event).unwrap_or_default()
    }

    pub(crate) fn label(&self) -> &Label {
        &self.store.data().label
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.store.data().limits
    }

    /// The reason of a stop that the guest has asked for since this was last asked.
    pub(crate) fn take_stop_request(&mut self) -> Option<Option<String>> {
        self.store.data_mut().stopping.take()
    }

    /// True if a timer of the guest has asked for its stop since this was last asked.
    pub(crate) fn take_timed_stop(&mut self) -> bool {
        let timers = self.store.data().timers.as_ref();
        timers.is_some_and(Timers::take_stop)
    }

    /// What the guest may make the host copy is as ever.
    pub(super) fn refuel(&mut self) {
        let fuel = fuel(&self.store.data().limits);
        self.store.set_hostcall_fuel(fuel);
    }

    /// Shows those who trace the actor that a handler has ended.
    #[cold]
    fn show_handled<T>(&self, variant: &str, since: Instant, outcome: &Result<T, GuestError>) {
        let failed = outcome
            .as_ref()
            .err()
            .map(|error| &error.fault as &dyn std::fmt::Display);
        self.store.data().tally.taps.handled(variant, since, failed);
    }

    pub(super) fn failure(&self, callback: Callback<'_>, fault: Fault) -> GuestError {
        failure(&self.store, callback, fault)
    }

    pub(super) fn outcome<T>(
        &self,
        callback: Callback<'_>,
        outcome: wasmtime::Result<Result<T, String>>,
    ) -> Result<T, GuestError> {
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(text)) => {
                let text = tidy(&text, ERROR_TEXT_BYTES).into_owned();
                Err(failure(&self.store, callback, Fault::Returned(text)))
            }
            Err(error) => Err(failure(&self.store, callback, trap(&self.store, &self.code, &error))),
        }
    }
}

pub(crate) fn lifecycle(limits: &Limits) -> Longest {
    (limits.lifecycle_time, Limit::LifecycleTime)
}

pub(super) fn message(limits: &Limits) -> Longest {
    (limits.message_time, Limit::MessageTime)
}

fn fuel(limits: &Limits) -> usize {
    let message_bytes = limits.message_bytes.max(limits.reply_bytes);
    message_bytes.saturating_mul(2).saturating_add(COPIED_BESIDES)
}

fn failure(store: &Store<StoreData>, callback: Callback<'_>, fault: Fault) -> GuestError {
    let Label { name, pid, .. } = &store.data().label;
    GuestError {
        actor: name.clone(),
        pid: *pid,
        during: match callback {
            Callback::Instantiation => "instantiation".to_owned(),
            Callback::Lifecycle(callback) => callback.to_owned(),
            Callback::Message(callback, variant) => {
                format!("{callback} `{}`", tidy(variant, FUNCTION_NAME_BYTES))
            }
        },
        fault,
    }
}

fn trap(store: &Store<StoreData>, code: &Code, error: &wasmtime::Error) -> Fault {
    // First, because the guest meant it: it is an error that it returns, whatever limits it has met before.
    if let Some(Exit(reason)) = error.downcast_ref::<Exit>() {
        return Fault::Returned(reason.clone());
    }
    let at = backtrace(code, error);
    match limit_of(store, error) {
        Some(limit) => {
            telemetry::count_limit(&store.data().label, limit);
            Fault::Limit { limit, at }
        }
        None => Fault::Trapped {
            reason: tidy(&error.root_cause().to_string(), ERROR_TEXT_BYTES).into_owned(),
            refused: store.data().limiter.refused(),
            at,
        },
    }
}

/// The limit that an error is about, if it is about one.
fn limit_of(store: &Store<StoreData>, error: &wasmtime::Error) -> Option<Limit> {
    let StoreData { limits, bounds, .. } = store.data();
    if let Some(limit) = error.downcast_ref::<Limit>() {
        return Some(*limit);
    }
    if let Some(Trap::StackOverflow) = error.downcast_ref::<Trap>() {
        return Some(Limit::Stack(bounds.stack));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return Some(store.data().limit_on_handles());
    }
    if let Some(FieldMapError::TotalSizeTooBig | FieldMapError::TooManyFields) = error.downcast_ref() {
        return Some(Limit::HttpHeaderBytes(limits.http_header_bytes));
    }
    // Of these wasmtime says no more than this.
    let cause = error.root_cause().to_string();
    if cause.contains("store handle limit exceeded") {
        return Some(Limit::Handles(limits.handles));
    }
    let counts = [
        ("instance count too high", Limit::CoreInstances(limits.core_instances)),
        ("memory count too high", Limit::Memories(limits.memories)),
        ("table count too high", Limit::Tables(limits.tables)),
    ];
    let found = counts.into_iter().find(|(text, _)| cause.contains(text));
    found.map(|(_, limit)| limit)
}

/// Why there is no instance: its start trapped, or there was no room for it.
fn no_instance(store: &Store<StoreData>, engine: &Engine, code: &Code, error: &wasmtime::Error) -> Fault {
    // A start that traps is a failure of the code. Everything that isn't counts as want of room.
    if error.is::<Trap>() || limit_of(store, error).is_some() {
        return trap(store, code, error);
    }
    let cause = error.root_cause().to_string();
    let used_up = error
        // The text alone wouldn't do: errors of other kinds speak of memory, too.
        .is::<PoolConcurrencyLimitError>()
        .then(|| engine.capacity().pool?.used_up(&cause))
        .flatten();
    Fault::NoInstance {
        reason: used_up.unwrap_or_else(|| tidy(&cause, ERROR_TEXT_BYTES).into_owned()),
        refused: store.data().limiter.refused(),
    }
}

fn backtrace(code: &Code, error: &wasmtime::Error) -> Frames {
    let frames = error
        .downcast_ref::<WasmBacktrace>()
        .map(WasmBacktrace::frames)
        .unwrap_or_default();
    Frames(code.source_lines.name(frames))
}
