//! `timers`: messages to come.

use std::time::Duration;

use crate::accounting::telemetry;
use crate::component::bindings::timers::{self, TimerError};
use crate::component::bindings::types::Pid;
use crate::directory;
use crate::store::pid;
use crate::store::state::State;
use crate::store::timers::{Action, Cast, Timers, TooMany};

impl timers::Host for State {
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
        self.act()?;
        self.start_timer(Action::Stop, Duration::from_millis(delay_ms), None)
    }

    fn cancel(&mut self, timer: u64) -> wasmtime::Result<bool> {
        self.act()?;
        self.myself()?;
        Ok(self.timers.as_ref().is_some_and(|timers| timers.cancel(timer)))
    }
}

impl State {
    async fn send_later(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        after: Duration,
        period: Option<Duration>,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        self.act()?;
        self.myself()?;
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
        if !self.may_send_to(&target)? {
            return Ok(Err(TimerError::Denied));
        }
        let cast = Cast {
            to: target.id,
            variant,
            args,
        };
        self.start_timer(Action::Send(cast), after, period)
    }

    fn timers(&mut self) -> wasmtime::Result<&Timers> {
        let myself = self.myself()?;
        let (actor, purse) = (myself.actor.clone(), myself.family.purse().clone());
        let Self {
            timers, label, limits, ..
        } = self;
        Ok(timers.get_or_insert_with(|| Timers::new(label.clone(), limits.clone(), actor, purse)))
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
