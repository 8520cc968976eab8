//! `lifecycle`: the end of the calling actor, its children, and those that it watches.

use crate::guest::bindings::lifecycle::{self, Child, MonitorError, SpawnError};
use crate::guest::bindings::types::Pid;
use crate::guest::pid;
use crate::guest::state::State;
use crate::guest::text::tidy;

/// How a guest ends itself as failed: the trap that carries its reason.
#[derive(Debug, Clone, thiserror::Error)]
#[error("it exited: {0}")]
pub(in crate::guest) struct Exit(pub(in crate::guest) String);

impl lifecycle::Host for State {
    async fn spawn(&mut self, _child: Child) -> wasmtime::Result<Result<Pid, SpawnError>> {
        self.myself()?;
        Ok(Err(SpawnError::Denied))
    }

    fn children(&mut self) -> wasmtime::Result<Vec<Pid>> {
        let children = self.myself()?.cell.get_children();
        Ok(children.iter().map(|child| pid::of(child.get_id())).collect())
    }

    fn supervisor(&mut self) -> wasmtime::Result<Option<Pid>> {
        let supervisor = self.myself()?.cell.try_get_supervisor();
        Ok(supervisor.map(|supervisor| pid::of(supervisor.get_id())))
    }

    fn stop(&mut self, reason: Option<String>) -> wasmtime::Result<()> {
        self.myself()?;
        self.stopping = Some(reason.map(|reason| tidy(&reason, self.limits.log_bytes).into_owned()));
        Ok(())
    }

    fn exit(&mut self, reason: String) -> wasmtime::Result<()> {
        self.myself()?;
        Err(wasmtime::Error::new(Exit(
            tidy(&reason, self.limits.log_bytes).into_owned(),
        )))
    }

    fn stop_child(&mut self, _child: Pid, _reason: Option<String>) -> wasmtime::Result<bool> {
        self.myself()?;
        Ok(false)
    }

    fn kill_child(&mut self, _child: Pid) -> wasmtime::Result<bool> {
        self.myself()?;
        Ok(false)
    }

    async fn monitor(&mut self, _actor: Pid) -> wasmtime::Result<Result<(), MonitorError>> {
        self.myself()?;
        Ok(Err(MonitorError::TooMany))
    }

    fn demonitor(&mut self, _actor: Pid) -> wasmtime::Result<()> {
        self.myself()?;
        Ok(())
    }
}
