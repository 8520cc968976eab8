//! What an actor began since some moment, and ending it.

use std::collections::HashSet;

use ractor::ActorId;

use super::data::StoreData;
use super::groups::membership::Group;

/// What an actor had at some moment.
pub(crate) struct Mark {
    /// The last timer's number.
    timers: u64,
    /// The last token that was given out.
    token: u64,
    groups: HashSet<Group>,
    children: HashSet<ActorId>,
}

impl Mark {
    pub(crate) fn of(state: &StoreData) -> Self {
        let myself = state.context().ok();
        Self {
            timers: state.timers.as_ref().map_or(0, |timers| timers.last()),
            token: state.last_token(),
            groups: myself
                .map(|myself| myself.groups.joined().keys().cloned().collect())
                .unwrap_or_default(),
            children: myself
                .map(|myself| myself.cell.get_children().iter().map(|child| child.get_id()).collect())
                .unwrap_or_default(),
        }
    }

    /// Ends timers, asks, memberships and children that are younger than this mark.
    pub(crate) fn undo(self, state: &mut StoreData) {
        if let Some(timers) = &state.timers {
            // First, because a timer could fire while the rest is undone.
            timers.cancel_after(self.timers);
        }
        if let Some(asks) = &state.asks {
            asks.cancel_after(self.token);
        }
        let Ok(myself) = state.context() else { return };
        let joined: Vec<Group> = {
            let mut now = myself.groups.joined();
            let joined = now
                .keys()
                .filter(|group| !self.groups.contains(group))
                .cloned()
                .collect();
            // In the same lock as the look, and ractor is told after it, since it tells others.
            now.retain(|group, _| self.groups.contains(group));
            joined
        };
        for group in joined {
            group.leave(myself.cell.clone());
        }
        for child in myself.cell.get_children() {
            if !self.children.contains(&child.get_id()) {
                // The old instance never had this child, so it is not to hear of it.
                child.unlink(myself.cell.clone());
                child.kill();
            }
        }
    }
}
