//! Several casts in one call of the guest, where they wait for it anyway: an entry into WebAssembly costs more than handling
//! a small message.
//!
//! ractor hands out one message at a time and doesn't say whether there is another. So a cast is held, and a *mark* sent to
//! the actor itself: what comes before the mark was waiting already, and is handled with it, in the order of the mailbox.
//! Where casts come one at a time, most are handled at once, without a mark; every now and then one is held to see whether
//! that has changed. Whatever can't wait (a call, a large cast, what the host asks) comes after those that are held.
//!
//! The guest says when it begins with each cast. So after a trap it is known which one is lost, and those behind it are
//! given to the next instance. It is told to return early when something else is due: a stop, a command of the host, or other
//! actors, once the engine's clock has ticked. News of other actors waits no longer than that.

use std::pin::pin;

use ractor::message::SerializedMessage;
use ractor::{ActorProcessingErr, ActorRef};

pub(crate) use super::casts::Casts;
use super::guest::{Alive, Guest, Opaque};
use super::work::Work;
use crate::accounting::telemetry;
use crate::component::error::GuestError;
pub(crate) use crate::instance::batch_export::BatchExport;
use crate::instance::batch_export::{Outcome, Parameters};
use crate::instance::calls::{Callback, Instance, message};
use crate::instance::meter::{Clock, ticks};
use crate::store::mailbox::MARK;

/// What becomes of a message of ractor's mailbox.
pub(crate) enum Gathered {
    /// It is held, or stood for nothing.
    Waits,
    /// Those that are held are to be handled now.
    Due,
    /// It is to be handled by itself, after those that are held.
    Apart(SerializedMessage),
}

/// How far a guest has come with a batch.
#[derive(Debug)]
pub(crate) struct Progress {
    given: usize,
    begun: usize,
    clock: Clock,
    /// What the clock said when the batch was given.
    since: u64,
}

impl Progress {
    fn new(given: usize, clock: &Clock) -> Self {
        Self {
            given,
            begun: 1,
            clock: clock.clone(),
            since: ticks(clock),
        }
    }

    /// One is done. True if the guest is to begin with the next.
    pub(crate) fn next(&mut self) -> bool {
        let goes_on = self.begun < self.given && ticks(&self.clock) == self.since;
        self.begun += usize::from(goes_on);
        goes_on
    }
}

impl Alive {
    /// Holds a message that can be handled together with others.
    pub(crate) fn gather(&mut self, message: SerializedMessage) -> Gathered {
        if let SerializedMessage::CallReply(MARK, _) = message {
            self.casts.mark_came();
            return if self.casts.is_empty() {
                Gathered::Waits
            } else {
                Gathered::Due
            };
        }
        let message = match message {
            // A token: see `mailbox`.
            SerializedMessage::CallReply(..) => match self.life.mailbox.next() {
                Some(message) => message,
                None => return Gathered::Waits,
            },
            message => message,
        };
        let batches = self.instance.as_ref().is_some_and(|instance| instance.takes_batches());
        match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata: None,
            } if batches && self.probation.is_none() && self.casts.takes(variant.len() + args.len()) => {
                let wants_mark = self.casts.push(&variant, &args);
                if wants_mark && !self.life.mailbox.mark() {
                    self.casts.mark_came();
                    return Gathered::Due;
                }
                if self.casts.is_full() {
                    Gathered::Due
                } else {
                    Gathered::Waits
                }
            }
            message => Gathered::Apart(message),
        }
    }
}

impl Guest {
    /// Handles the casts that are held. True if the actor goes on.
    pub(crate) async fn work_off(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
    ) -> Result<bool, ActorProcessingErr> {
        while !alive.casts.is_empty() {
            if alive.life.mailbox.is_commanded() && !Box::pin(self.obey_all(myself, alive)).await? {
                return Ok(false);
            }
            if alive.probation.is_some() {
                let work = Work::Message(alive.casts.take_first());
                if !Box::pin(self.prove(myself, alive, work)).await? {
                    return Ok(false);
                }
                continue;
            }
            let mut instance = alive.take()?;
            let (begun, outcome) = instance.handle_casts(&alive.casts).await;
            alive.casts.begun(begun);
            if outcome.is_err() {
                telemetry::dead_letters(&alive.label, "failed", 1);
            }
            if !self.settle(myself, alive, instance, outcome).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Instance {
    fn takes_batches(&self) -> bool {
        self.code.linked().batch.is_some()
    }

    /// Handles the first of these casts, and as many behind it as the guest gets to. Gives back how many it has begun with; if
    /// it failed, it did at the last of them.
    async fn handle_casts(&mut self, casts: &Casts) -> (usize, Result<(), GuestError>) {
        match self.code.linked().batch.clone() {
            Some(export) if casts.len() > 1 => {
                let outcome = self.call_handle_casts(&export, casts).await;
                let begun = self.store.data_mut().batch.take().map_or(1, |batch| batch.begun);
                let (variant, _) = casts.get(begun - 1).unwrap_or_default();
                (begun, self.settle(Callback::Message("handle-cast", variant), outcome))
            }
            _ => {
                let (variant, args) = casts.get(0).unwrap_or_default();
                (1, self.handle_cast(variant, args, None).await)
            }
        }
    }

    async fn call_handle_casts(&mut self, export: &BatchExport, casts: &Casts) -> wasmtime::Result<Result<(), String>> {
        let Self {
            store,
            component,
            meter,
            ..
        } = self;
        let function = component.get_typed_func::<Parameters<'_>, Outcome>(&mut *store, &export.0)?;
        let state = store.data_mut();
        state.metadata = None;
        state.batch = Some(Progress::new(casts.len(), meter.clock()));
        let longest = message(&state.limits);
        store.set_epoch_deadline(1);
        let call = function.call_async(store, casts.all());
        meter.run(longest, pin!(call)).await.map(|(outcome,)| outcome)
    }
}
