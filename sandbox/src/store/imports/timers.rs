//! `timers`: messages to come.

use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::accounting::telemetry;
use crate::component::bindings::timers::{self, TimerError};
use crate::component::bindings::types::Pid;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::directory;
use crate::policy::grants::Capability;
use crate::store::data::StoreData;
use crate::store::interface;
use crate::store::pid;
use crate::store::timers::{Action, TimedCast, Timers, TooMany};

/// The interface `timers`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/timers", RELEASE)] }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Messages,
                "ractor:actor/timers@",
                &["send-after", "send-interval"],
                Certainty::Called,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        timers::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl timers::Host for StoreData {
    async fn send_after(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        delay_ms: u64,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        self.send_later(to, variant, args, Duration::from_millis(delay_ms), None)
            .await
    }

    async fn send_interval(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        period_ms: u64,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        let period = Duration::from_millis(period_ms.max(1));
        self.send_later(to, variant, args, period, Some(period)).await
    }

    fn stop_after(&mut self, delay_ms: u64) -> wasmtime::Result<Result<u64, TimerError>> {
        self.side_effect()?;
        self.start_timer(Action::Stop, Duration::from_millis(delay_ms), None)
    }

    fn wake_after(&mut self, delay_ms: u64) -> wasmtime::Result<Result<u64, TimerError>> {
        self.side_effect()?;
        let arrivals = self.asks("timers.wake-after")?.arrivals();
        self.start_timer(
            Action::Wake(arrivals, self.span.clone()),
            Duration::from_millis(delay_ms),
            None,
        )
    }

    fn cancel(&mut self, timer: u64) -> wasmtime::Result<bool> {
        self.side_effect()?;
        self.context()?;
        Ok(self.timers.as_ref().is_some_and(|timers| timers.cancel(timer)))
    }
}

impl StoreData {
    async fn send_later(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        after: Duration,
        period: Option<Duration>,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        self.side_effect()?;
        self.context()?;
        if !self.fits(&variant, &args) {
            return Ok(Err(TimerError::TooLarge));
        }
        let target = match pid::to_id(to) {
            Some(id) => directory::look(id).await,
            None => None,
        };
        // Nothing is to happen if the actor is gone, whoever gets its pid.
        let Some(target) = target else {
            return Ok(Ok(self.timers()?.ended()));
        };
        // Asked now and not when the timer fires, when nobody is there to hear of a refusal.
        if !self.may_send_to(&target)? {
            return Ok(Err(TimerError::Denied));
        }
        let cast = TimedCast {
            to: target.id,
            variant,
            args,
        };
        self.start_timer(Action::Send(cast), after, period)
    }

    fn timers(&mut self) -> wasmtime::Result<&Timers> {
        let myself = self.context()?;
        let (actor, quota) = (myself.actor.clone(), myself.family.quota().clone());
        let seat = self.holding_seat().cloned();
        let Self {
            timers,
            label,
            limits,
            tally,
            ..
        } = self;
        Ok(timers.get_or_insert_with(|| {
            let timers = Timers::new(label.clone(), limits.clone(), actor, quota, tally.clone());
            timers.held_by(seat)
        }))
    }

    fn start_timer(
        &mut self,
        action: Action,
        after: Duration,
        period: Option<Duration>,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        Ok(self.timers()?.start(action, after, period).map_err(|TooMany(limit)| {
            telemetry::limit(&self.label, limit);
            TimerError::TooMany
        }))
    }
}
