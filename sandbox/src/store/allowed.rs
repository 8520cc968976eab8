//! Whom a guest may send to, asked once for a while: membership of groups can't be looked up for each message.

use std::collections::HashMap;
use std::time::Duration;

use ractor::ActorId;
use tokio::time::Instant;

/// The time for which a guest may go on sending to an actor that has left the group that it was allowed to send to.
const REMEMBERED: Duration = Duration::from_secs(1);

/// The most actors that are remembered.
const MOST: usize = 1024;

/// The actors that a guest was found to be allowed to send to, and until when that holds.
#[derive(Debug, Default)]
pub(super) struct Allowed(HashMap<ActorId, Instant>);

impl Allowed {
    /// True if the guest was found to be allowed to send to this actor, and that still holds.
    pub(super) fn has(&self, id: ActorId, now: Instant) -> bool {
        self.0.get(&id).is_some_and(|until| *until > now)
    }

    /// The guest may send to this actor for a while.
    pub(super) fn remember(&mut self, id: ActorId, now: Instant) {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now);
        }
        // Where all of them still hold, this one isn't remembered: the next message costs a look-up and nothing else.
        if self.0.len() < MOST {
            self.0.insert(id, now + REMEMBERED);
        }
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
