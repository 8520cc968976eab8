//! `timers`: messages to come.

use crate::guest::bindings::timers::{self, TimerError};
use crate::guest::bindings::types::Pid;
use crate::guest::state::State;

impl timers::Host for State {
    async fn send_after(
        &mut self,
        _to: Pid,
        _variant: String,
        _args: Vec<u8>,
        _delay_ms: u64,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        self.myself()?;
        Ok(Err(TimerError::TooMany))
    }

    async fn send_interval(
        &mut self,
        _to: Pid,
        _variant: String,
        _args: Vec<u8>,
        _period_ms: u64,
    ) -> wasmtime::Result<Result<u64, TimerError>> {
        self.myself()?;
        Ok(Err(TimerError::TooMany))
    }

    fn stop_after(&mut self, _delay_ms: u64) -> wasmtime::Result<Result<u64, TimerError>> {
        self.myself()?;
        Ok(Err(TimerError::TooMany))
    }

    fn cancel(&mut self, _timer: u64) -> wasmtime::Result<bool> {
        self.myself()?;
        Ok(false)
    }
}
