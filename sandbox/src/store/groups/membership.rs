//! The process groups of one actor, over all its instances.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use ractor::{ActorCell, pg};

use crate::accounting::family::{Quota, Share};
use crate::policy::limits::{Common, Limit};

/// A process group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    /// None for the default scope.
    pub(super) scope: Option<String>,
    pub(super) name: String,
}

impl Group {
    pub(crate) fn new(scope: Option<String>, name: String) -> Self {
        Self {
            // One group must not have two names here, or it would be joined, counted and left twice.
            scope: scope.filter(|scope| scope != pg::DEFAULT_SCOPE),
            name,
        }
    }

    pub(crate) fn join(self, actor: ActorCell) {
        match self.scope {
            Some(scope) => pg::join_scoped(scope, self.name, vec![actor]),
            None => pg::join(self.name, vec![actor]),
        }
    }

    pub(crate) fn leave(self, actor: ActorCell) {
        match self.scope {
            Some(scope) => pg::leave_scoped(scope, self.name, vec![actor]),
            None => pg::leave(self.name, vec![actor]),
        }
    }

    pub(crate) fn members(&self) -> Vec<ActorCell> {
        match &self.scope {
            Some(scope) => pg::get_scoped_members(scope, &self.name),
            None => pg::get_members(&self.name),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Groups {
    joined: Mutex<HashMap<Group, Share>>,
    /// Changes of groups that the actor monitors, on their way to it.
    changes: AtomicUsize,
}

impl Groups {
    /// # Errors
    /// Its family may not be in this many.
    pub(crate) fn new(joined: impl IntoIterator<Item = Group>, quota: &Arc<Quota>) -> Result<Self, Limit> {
        let charged = |group| Ok((group, quota.share(Common::Groups, 1)?));
        let joined = joined.into_iter().map(charged).collect::<Result<_, _>>()?;
        Ok(Self {
            joined: Mutex::new(joined),
            changes: AtomicUsize::default(),
        })
    }

    /// The groups that the actor joined or was started in, each with its part of what the family may be in. To be held for a
    /// moment.
    pub(crate) fn joined(&self) -> MutexGuard<'_, HashMap<Group, Share>> {
        self.joined.lock()
    }

    /// A change is to be sent to the actor. False if `limit` are on their way already.
    pub(super) fn change_sent(&self, limit: usize) -> bool {
        let one_more = |changes: usize| (changes < limit).then_some(changes + 1);
        // Relaxed: the count bounds how many are on their way, and no other memory depends on it.
        self.changes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    /// A change has come.
    pub(crate) fn change_came(&self) {
        let one_less = |changes: usize| changes.checked_sub(1);
        // There is none if somebody else made the actor monitor a group.
        self.changes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .ok();
    }
}
