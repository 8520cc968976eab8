//! `lifecycle`: the end of the calling actor.

use crate::guest::bindings::lifecycle;
use crate::guest::state::State;
use crate::guest::text::tidy;

impl lifecycle::Host for State {
    fn stop(&mut self, reason: Option<String>) -> wasmtime::Result<()> {
        let reason = reason.map(|reason| tidy(&reason, self.limits.log_bytes).into_owned());
        self.myself()?.cell.stop(reason);
        Ok(())
    }
}
