//! What one session leaves out of what two nodes tell each other of their actors and groups: counted always, logged within reason.

use std::collections::BTreeMap;

use crate::session::{EntryRefusal, Refused};
use crate::wire::{ENTITIES, MAX_NAME_BYTES};

/// The longest part of a name that is shown, in characters.
const SHOWN: usize = 60;

/// The entries that were left out, by reason. Reasons are names in this program's source, so there are few.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    peer: String,
    by_reason: BTreeMap<&'static str, u64>,
}

impl LeftOut {
    /// The full name of the peer.
    pub(super) fn set_peer(&mut self, name: &str) {
        name.clone_into(&mut self.peer);
    }

    /// The number of all of them.
    pub(super) fn count(&self) -> u64 {
        self.by_reason.values().sum()
    }

    /// Entries of the peer's were not taken.
    pub(super) fn theirs(&mut self, refused: &Refused) {
        let Refused { refusal, first, count } = refused;
        let reason = match refusal {
            EntryRefusal::ActorName => "actor_name",
            EntryRefusal::GroupName => "group_name",
            EntryRefusal::Reserved => "reserved",
            EntryRefusal::OwnEntities => "own_entities",
            EntryRefusal::Full(_) => "full",
            EntryRefusal::PidReused => "pid_reused",
        };
        if let Some(left_out) = self.add(reason, *count) {
            let peer = &self.peer;
            tracing::warn!(
                peer,
                reason,
                left_out,
                "did not take {first} of this peer: {refusal}; the session goes on"
            );
        }
    }

    /// An actor of this node isn't advertised, for the length of its name.
    pub(super) fn own_actor(&mut self, name: &str) {
        if let Some(left_out) = self.add("own_actor_name", 1) {
            let (peer, shown) = (&self.peer, shown(name));
            tracing::warn!(
                peer,
                left_out,
                "did not tell this peer of the actor {shown}: its name has {} bytes, and other nodes take {MAX_NAME_BYTES}; give \
                 it a shorter one",
                name.len()
            );
        }
    }

    /// An actor of this node, or a member of a group, isn't advertised: the name is only an entity's.
    pub(super) fn own_reserved(&mut self, name: &str) {
        if let Some(left_out) = self.add("own_reserved_name", 1) {
            let (peer, shown) = (&self.peer, shown(name));
            tracing::warn!(
                peer,
                left_out,
                "did not tell this peer of an actor that is called {shown} or is in a group of that name: names that begin with \
                 `{ENTITIES}` are those of entities; choose another"
            );
        }
    }

    /// Members of a group aren't advertised as such, for the length of its name or its scope's.
    pub(super) fn own_group(&mut self, scope: &str, group: &str, members: usize) {
        if let Some(left_out) = self.add("own_group_name", members) {
            let (peer, shown_group, shown_scope) = (&self.peer, shown(group), shown(scope));
            tracing::warn!(
                peer,
                left_out,
                "did not tell this peer of the members of the group {shown_group} of the scope {shown_scope}: the names have {} \
                 and {} bytes, and other nodes take {MAX_NAME_BYTES}; give it a shorter one",
                group.len(),
                scope.len()
            );
        }
    }

    /// Counts entries. Gives their number if it should be logged, which is at each doubling: what is left out again and again must
    /// not become a flood of log lines.
    fn add(&mut self, reason: &'static str, count: usize) -> Option<u64> {
        let held = self.by_reason.entry(reason).or_default();
        let before = held.checked_ilog2();
        *held += count as u64;
        (held.checked_ilog2() > before).then_some(*held)
    }
}

fn shown(name: &str) -> String {
    format!("{name:.SHOWN$}").escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::LeftOut;

    #[test]
    fn a_flood_is_counted_in_full_and_logged_at_each_doubling() {
        let mut left_out = LeftOut::default();
        let logged: Vec<_> = (0..1000).filter_map(|_| left_out.add("a", 1)).collect();
        assert_eq!(logged, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        assert_eq!(left_out.add("b", 700), Some(700), "another reason has lines of its own");
        assert_eq!(left_out.add("b", 0), None);
        assert_eq!(left_out.count(), 1700);
    }
}
