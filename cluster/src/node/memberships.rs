//! The groups that the actors of one peer are in, and what that takes of memory: ractor keeps the names of a scope and a group for
//! the group, and once more for each member.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::session::{Full, PeerAccount};

/// The bytes that a member of a group is charged beside the names of group and scope. Measured: 175 in each of many groups, 520
/// with the tables that ractor and this node make for an actor that is in its first.
const MEMBER: usize = 576;

/// The bytes that a group is charged beside [`GROUP_NAMES`] times the names of group and scope. Measured for a group with a scope
/// of its own: 460, and 140 here.
const GROUP: usize = 640;

/// The number of copies of the names of a group and its scope beside those for each member: in the tables of groups, of scopes and
/// of their monitors, and here.
const GROUP_NAMES: usize = 6;

/// A process group.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ScopedGroup {
    pub(super) scope: String,
    pub(super) group: String,
}

impl ScopedGroup {
    fn names(&self) -> usize {
        self.scope.len() + self.group.len()
    }

    /// What the group itself takes.
    fn cost(&self) -> usize {
        GROUP + GROUP_NAMES * self.names()
    }

    /// What each of its members takes.
    fn member_cost(&self) -> usize {
        MEMBER + self.names()
    }
}

/// The groups that the actors of one peer are in.
#[derive(Debug)]
pub(super) struct Memberships {
    account: Arc<PeerAccount>,
    by_pid: HashMap<u64, HashSet<Arc<ScopedGroup>>>,
    /// How many of the peer's actors each group has.
    members: HashMap<Arc<ScopedGroup>, usize>,
}

impl Memberships {
    pub(super) fn new(account: Arc<PeerAccount>) -> Self {
        Self {
            account,
            by_pid: HashMap::new(),
            members: HashMap::new(),
        }
    }

    /// Enters a member. A pid that is in the group already stays as it is.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn join(&mut self, pid: u64, group: &Arc<ScopedGroup>) -> Result<(), Full> {
        if self.by_pid.get(&pid).is_some_and(|groups| groups.contains(group)) {
            return Ok(());
        }
        // One allocation for all members, whatever message they come with.
        let known = self.members.get_key_value(group).map(|(group, _)| group.clone());
        let opening = known.as_ref().map_or(group.cost(), |_| 0);
        // Charged before the tables are touched, so a refusal leaves nothing to take back.
        self.account.charge(opening + group.member_cost())?;
        let group = known.unwrap_or_else(|| group.clone());
        *self.members.entry(group.clone()).or_default() += 1;
        self.by_pid.entry(pid).or_default().insert(group);
        Ok(())
    }

    /// Takes a member out of a group. False if it was none.
    pub(super) fn leave(&mut self, pid: u64, group: &Arc<ScopedGroup>) -> bool {
        let Some(groups) = self.by_pid.get_mut(&pid) else {
            return false;
        };
        if !groups.remove(group) {
            return false;
        }
        // An empty set would take memory that nobody is charged for.
        if groups.is_empty() {
            self.by_pid.remove(&pid);
        }
        self.left(group);
        true
    }

    /// Takes a member out of all groups.
    pub(super) fn leave_all(&mut self, pid: u64) {
        for group in self.by_pid.remove(&pid).unwrap_or_default() {
            self.left(&group);
        }
    }

    fn left(&mut self, group: &Arc<ScopedGroup>) {
        self.account.give_back(group.member_cost());
        let Some(members) = self.members.get_mut(group) else {
            return;
        };
        *members -= 1;
        if *members == 0 {
            self.members.remove(group);
            self.account.give_back(group.cost());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Memberships, ScopedGroup};
    use crate::session::{Full, PeerAccount, PeerLedger};

    fn group(scope: &str, group: &str) -> Arc<ScopedGroup> {
        Arc::new(ScopedGroup {
            scope: scope.to_owned(),
            group: group.to_owned(),
        })
    }

    #[test]
    fn whoever_joins_again_is_charged_once_and_whoever_leaves_gives_all_back() {
        let (one, two) = (group("s", "one"), group("s", "two"));
        let limit = one.cost() + two.cost() + 2 * one.member_cost() + two.member_cost();
        let account = Arc::new(PeerAccount::new(Arc::new(PeerLedger::new(limit)), limit));
        let mut memberships = Memberships::new(account.clone());
        for _ in 0..3 {
            assert_eq!(memberships.join(1, &one), Ok(()));
            assert_eq!(memberships.join(2, &group("s", "one")), Ok(()));
            assert_eq!(memberships.join(2, &two), Ok(()));
        }
        assert_eq!(memberships.join(3, &one), Err(Full::Peer(limit)));
        assert!(!memberships.leave(3, &one));
        assert!(!memberships.leave(1, &two));
        assert_eq!(account.charge(1), Err(Full::Peer(limit)), "nobody has left");
        assert!(memberships.leave(1, &one));
        memberships.leave_all(2);
        assert_eq!(account.charge(limit), Ok(()), "nobody is there any more");
    }
}
