//! The actors that an instance hears of: its children, and those and the groups that it monitors.
//!
//! What ractor queued for an earlier instance, or before the guest lost interest, is still to come. It is told apart here and
//! kept from the guest. An entry stays until the guest has heard of the end, so that the limits on entries are limits on what
//! is queued, too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use ractor::{ActorCell, ActorId, ActorStatus, SupervisionEvent};

use crate::accounting::family::{ChildSlot, Quota, Share};
use crate::accounting::tally::{Counted, Held, Tally};
use crate::directory::Lent;
use crate::policy::limits::{Common, Limit};
use crate::store::groups::watch::{GroupWatch, changed};

/// See the module. What it monitors ends when it is dropped.
pub(crate) struct Monitors {
    myself: ActorCell,
    tally: Arc<Tally>,
    /// Those that a native linked to the guest have no place.
    children: HashMap<ActorId, Option<ChildSlot>>,
    monitored: HashMap<ActorId, Monitored>,
    /// Made at the first use.
    pub(super) groups: Option<GroupWatch>,
}

struct Monitored {
    /// A stand-in that nobody else uses ends with this entry.
    lent: Lent,
    /// The guest doesn't want to hear of it any more, but what it would hear is already on its way.
    muted: bool,
    _share: Share,
    _counted: Counted,
}

/// Why an actor is not monitored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotMonitored {
    Ended,
    TooMany(Limit),
}

impl Monitors {
    pub(super) fn new(myself: ActorCell, tally: Arc<Tally>) -> Self {
        Self {
            myself,
            tally,
            children: HashMap::new(),
            monitored: HashMap::new(),
            groups: None,
        }
    }

    /// A child was spawned.
    pub(super) fn add_child(&mut self, child: ActorId, place: ChildSlot) {
        self.children.insert(child, Some(place));
    }

    /// Asks to hear of the end of an actor. Of its children a guest hears anyway.
    pub(super) fn monitor(&mut self, lent: Lent, limit: usize, quota: &Arc<Quota>) -> Result<(), NotMonitored> {
        let actor = lent.cell().clone();
        if actor == self.myself || self.children.contains_key(&actor.get_id()) {
            return Ok(());
        }
        let monitored = self.monitored.len();
        let Entry::Vacant(entry) = self.monitored.entry(actor.get_id()) else {
            let muted = self
                .monitored
                .get(&actor.get_id())
                .is_some_and(|monitored| monitored.muted);
            return if muted { Err(NotMonitored::Ended) } else { Ok(()) };
        };
        if has_ended(&actor) {
            return Err(NotMonitored::Ended);
        }
        if monitored >= limit {
            return Err(NotMonitored::TooMany(Limit::Monitors(limit)));
        }
        // Before ractor is told: the share is given back by itself, what ractor was told is not.
        let share = quota.share(Common::Monitors, 1).map_err(NotMonitored::TooMany)?;
        self.myself.monitor(actor.clone());
        // It tells its monitors after it began to stop: whoever was one before will hear.
        if has_ended(&actor) {
            self.myself.unmonitor(actor);
            return Err(NotMonitored::Ended);
        }
        entry.insert(Monitored {
            lent,
            muted: false,
            _share: share,
            _counted: self.tally.count(Held::Monitor),
        });
        Ok(())
    }

    /// Ends what `monitor` began.
    pub(super) fn demonitor(&mut self, actor: ActorId) {
        let Entry::Occupied(mut entry) = self.monitored.entry(actor) else {
            return;
        };
        // An actor tells its monitors before it counts as stopped, so its end waits in the supervision port already.
        if entry.get().lent.cell().get_status() == ActorStatus::Stopped {
            entry.get_mut().muted = true;
        } else {
            let Monitored { lent, .. } = entry.remove();
            self.myself.unmonitor(lent.cell().clone());
        }
    }

    /// True if there is anything that the guest may hear of.
    pub(crate) fn may_hear(&self) -> bool {
        let groups = self.groups.as_ref();
        !self.children.is_empty()
            || !self.monitored.is_empty()
            || groups.is_some_and(|groups| groups.len() > 0)
            // A native may have linked itself to the guest, or spawned an actor under it.
            || !self.myself.get_children().is_empty()
    }

    /// True if this is about a child that the guest has spawned. Asked before [`admits`](Self::admits), which forgets one that has ended.
    pub(super) fn supervises(&self, event: &SupervisionEvent) -> bool {
        match event {
            SupervisionEvent::ActorStarted(actor)
            | SupervisionEvent::ActorTerminated(actor, ..)
            | SupervisionEvent::ActorFailed(actor, _) => self.children.contains_key(&actor.get_id()),
            _ => false,
        }
    }

    /// True if the guest is to hear of this.
    pub(super) fn admits(&mut self, event: &SupervisionEvent) -> bool {
        match event {
            SupervisionEvent::ActorStarted(actor) => self.is_child(actor),
            SupervisionEvent::ActorTerminated(actor, state, _) => {
                // Supervisors get the state, monitors don't. Of an actor that a native linked to the guest nothing else is
                // known here.
                let linked = state.is_some() && actor.get_id().is_local();
                self.end_of(actor) || linked
            }
            SupervisionEvent::ActorFailed(actor, _) => self.end_of(actor),
            SupervisionEvent::ProcessGroupChanged(change) => {
                let groups = self.groups.as_ref();
                groups.is_some_and(|groups| groups.watches(&changed(change)))
            }
            SupervisionEvent::PidLifecycleEvent(_) => false,
        }
    }

    fn is_child(&mut self, actor: &ActorCell) -> bool {
        if self.children.contains_key(&actor.get_id()) {
            return true;
        }
        // A native may have spawned it under this guest.
        let is_linked = actor.try_get_supervisor().as_ref() == Some(&self.myself);
        if is_linked {
            self.children.insert(actor.get_id(), None);
        }
        is_linked
    }

    fn end_of(&mut self, actor: &ActorCell) -> bool {
        // Both are taken out, also of a child that is monitored: it ends once, and each entry holds a place.
        let was_child = self.children.remove(&actor.get_id()).is_some();
        let monitored = self.monitored.remove(&actor.get_id());
        was_child || monitored.is_some_and(|monitored| !monitored.muted)
    }
}

impl Drop for Monitors {
    fn drop(&mut self) {
        for (_, Monitored { lent, .. }) in self.monitored.drain() {
            self.myself.unmonitor(lent.cell().clone());
        }
    }
}

/// True if whoever begins to monitor the actor now may hear nothing.
fn has_ended(actor: &ActorCell) -> bool {
    actor.get_status() >= ActorStatus::Stopping
}
