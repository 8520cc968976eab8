//! Whether a guest may send to an actor, asked once for a while: membership of groups can't be looked up for each message.

use std::collections::HashMap;
use std::time::Duration;

use ractor::{ActorCell, ActorId};
use tokio::time::Instant;

use super::pid;
use super::state::{Myself, State};
use crate::accounting::telemetry;
use crate::component::bindings::types::Pid;
use crate::directory::{self, FoundActor};
use crate::policy::denied::Denied;

/// How long a guest may go on sending to an actor that has left the group that it was allowed to send to.
const REMEMBERED: Duration = Duration::from_secs(1);

/// The most actors that are remembered.
const MOST: usize = 1024;

/// The actors that a guest was found to be allowed to send to, and until when that holds.
#[derive(Debug, Default)]
pub(crate) struct Allowed(HashMap<ActorId, Instant>);

/// A guest may not send to an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// There is no such actor.
    Unknown,
    /// It was not granted. That was said.
    Denied,
}

impl Allowed {
    fn has(&self, id: ActorId, now: Instant) -> bool {
        self.0.get(&id).is_some_and(|until| *until > now)
    }

    fn remember(&mut self, id: ActorId, now: Instant) {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() < MOST {
            self.0.insert(id, now + REMEMBERED);
        }
    }
}

impl State {
    /// Checks that the guest may send to the actor with this pid.
    pub(crate) async fn check_recipient(&mut self, to: Pid) -> wasmtime::Result<Result<(), NotSent>> {
        if self.myself()?.grants.messages.are_everyone() {
            return Ok(Ok(()));
        }
        let Some(id) = pid::to_id(to) else {
            return Ok(Err(NotSent::Unknown));
        };
        let now = Instant::now();
        if self.allowed.has(id, now) {
            return Ok(Ok(()));
        }
        let Some(found) = directory::look(id).await else {
            return Ok(Err(NotSent::Unknown));
        };
        if !self.may_send_to(&found)? {
            return Ok(Err(NotSent::Denied));
        }
        self.allowed.remember(id, now);
        Ok(Ok(()))
    }

    /// True if the guest may send to this actor: to itself, to its supervisor and its children, and beyond that as it was
    /// granted. If it may not, that is said.
    pub(crate) fn may_send_to(&self, to: &FoundActor) -> wasmtime::Result<bool> {
        let Myself { cell, profile, .. } = self.myself()?;
        let kin = || {
            let supervisor = |actor: &ActorCell| actor.try_get_supervisor().map(|supervisor| supervisor.get_id());
            // An actor of another node is no kin: nobody is supervised across nodes.
            to.local.as_ref().is_some_and(|to| {
                to == cell || supervisor(cell) == Some(to.get_id()) || supervisor(to) == Some(cell.get_id())
            })
        };
        let may = profile.grants.messages.include(to) || kin();
        if !may {
            telemetry::denied(&self.label, Denied::Messages(to.qualified_name().as_deref()));
        }
        Ok(may)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_forgotten_and_bounded() {
        let mut allowed = Allowed::default();
        let now = Instant::now();
        for pid in 0..=MOST as u64 {
            allowed.remember(ActorId::Local(pid), now);
        }
        assert_eq!(allowed.0.len(), MOST);
        assert!(allowed.has(ActorId::Local(0), now));
        assert!(!allowed.has(ActorId::Local(0), now + REMEMBERED));
        let pid = MOST as u64;
        assert!(!allowed.has(ActorId::Local(pid), now), "no room");
        allowed.remember(ActorId::Local(pid), now + REMEMBERED);
        assert!(allowed.has(ActorId::Local(pid), now + REMEMBERED));
    }
}
