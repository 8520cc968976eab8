//! Families: an actor that no guest spawned, and all that descend from it.
//!
//! The names that guests give to their children are names of the family. To everybody else they live below the name of its first
//! member, as `FIRST/CHILD`, so that no guest can take a name by which others know somebody else. Within the family they are what they
//! were given.
//!
//! Here is also how many guests there are: of a family, so that no chain or tree of actors that spawn each other gets around the limit on
//! children; and of an engine, so that all families together leave room for the actors that no guest spawned. What a family may
//! take together is in `quota`.

mod quota;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::log_rate::LogRate;
use super::pools::{self, Pools};
use super::turns::Account;
use crate::policy::limits::{Limit, Limits};

pub(crate) use quota::{Quota, Share};

/// One of this many places of a pool is left free by children, for instances that live for a moment beside the actors' own:
/// that describe a module, or are about to replace another.
const SPARE: usize = 8;

/// The guests of one engine.
#[derive(Debug, Default)]
pub(crate) struct GuestCount {
    /// How many can live at once, if that is bounded.
    places: Option<usize>,
    /// Families, which are as many as actors that no guest spawned.
    families: AtomicUsize,
    /// The most families that there were at once: this many places are theirs, also while they restart.
    most_families: AtomicUsize,
    children: AtomicUsize,
}

impl GuestCount {
    /// Guests of a pool with this many places, or without bound.
    pub(crate) fn new(places: Option<u32>) -> Self {
        Self {
            places: places.map(|places| places as usize),
            ..Self::default()
        }
    }

    /// How many live.
    pub(crate) fn living(&self) -> usize {
        self.families.load(Ordering::Relaxed) + self.children.load(Ordering::Relaxed)
    }

    /// How many can live at once, if that is bounded.
    pub(crate) fn places(&self) -> Option<usize> {
        self.places
    }

    /// How many children there may be.
    fn room_for_children(&self) -> usize {
        let Some(places) = self.places else {
            return usize::MAX;
        };
        let kept = self.most_families.load(Ordering::Relaxed) + places / SPARE;
        places.saturating_sub(kept)
    }
}

/// An actor that no guest spawned, and all that descend from it.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    shared: Arc<Shared>,
    member: Member,
}

/// What separates the name of a family from those of its children.
const BELOW: char = '/';

/// How an actor came into its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    /// No guest spawned it.
    First,
    /// Another member did.
    Child,
}

#[derive(Debug)]
struct Shared {
    /// Ends with what separates it from the names of the children.
    prefix: String,
    children: AtomicUsize,
    /// What its guests have had of the runtime's threads.
    account: Arc<Account>,
    /// What they have of what all guests share.
    share: pools::PoolShare,
    guest_count: Arc<GuestCount>,
    quota: Arc<Quota>,
    log: Arc<LogRate>,
}

/// The place of one child, until dropped.
#[derive(Debug)]
pub(crate) struct ChildSlot(Arc<Shared>);

impl Family {
    /// A family of one, which has this name and may take what its limits say.
    pub(crate) fn new(guest_count: Arc<GuestCount>, pools: Arc<Pools>, name: &str, limits: &Limits) -> Self {
        // Relaxed, here and below: these are counts that no other memory depends on.
        let families = guest_count.families.fetch_add(1, Ordering::Relaxed) + 1;
        guest_count.most_families.fetch_max(families, Ordering::Relaxed);
        Self {
            shared: Arc::new(Shared {
                prefix: format!("{name}{BELOW}"),
                children: AtomicUsize::new(0),
                account: Arc::default(),
                share: pools::PoolShare::of(pools),
                guest_count,
                quota: Arc::new(Quota::new(limits)),
                log: Arc::new(LogRate::of_family(name.into(), limits.log_rate_of_family())),
            }),
            member: Member::First,
        }
    }

    /// The same family, as a child sees it.
    pub(crate) fn of_child(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            member: Member::Child,
        }
    }

    /// The name of its first member.
    pub(crate) fn name(&self) -> &str {
        self.shared.prefix.strip_suffix(BELOW).unwrap_or(&self.shared.prefix)
    }

    /// The name on the node of a child that is given this name. An empty one stays empty, which is none that an actor can have.
    pub(crate) fn full_name(&self, given: &str) -> String {
        if given.is_empty() {
            return String::new();
        }
        format!("{}{given}", self.shared.prefix)
    }

    /// A name on the node as this family knows it: for one of its children, the name that it was given.
    pub(crate) fn shown<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(&self.shared.prefix).unwrap_or(name)
    }

    /// What the family has taken, and may.
    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.shared.quota
    }

    /// What the family may log.
    pub(crate) fn log(&self) -> &Arc<LogRate> {
        &self.shared.log
    }

    /// How the actor that has this came into its family.
    pub(crate) fn member(&self) -> Member {
        self.member
    }

    /// What the family's guests have had of the runtime's threads.
    pub(crate) fn account(&self) -> Arc<Account> {
        self.shared.account.clone()
    }

    /// What the family has of what all guests share.
    pub(crate) fn share(&self) -> &pools::PoolShare {
        &self.shared.share
    }

    /// A place for one more child.
    ///
    /// # Errors
    /// The family has `limit` children already, or all families together have as many as leave enough for others.
    pub(crate) fn place(&self, limit: usize) -> Result<ChildSlot, Limit> {
        let Shared {
            children, guest_count, ..
        } = &*self.shared;
        // A family that begins at this moment may be missed. `SPARE` leaves places for it.
        let room = guest_count.room_for_children();
        take(children, limit).map_err(|_| Limit::Children(limit))?;
        if take(&guest_count.children, room).is_err() {
            // The family's own count goes back, or each refusal would cost it a place for good.
            children.fetch_sub(1, Ordering::Relaxed);
            return Err(Limit::ChildrenOfAll(room));
        }
        Ok(ChildSlot(self.shared.clone()))
    }
}

/// Counts one more, up to `limit`.
fn take(count: &AtomicUsize, limit: usize) -> Result<usize, usize> {
    let one_more = |count: usize| (count < limit).then_some(count + 1);
    // In one step, or two that start children at once would both find the last place.
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
}

impl Drop for ChildSlot {
    fn drop(&mut self) {
        self.0.children.fetch_sub(1, Ordering::Relaxed);
        self.0.guest_count.children.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.guest_count.families.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_so_many_children_and_no_more() {
        let family = Family::new(Arc::default(), Arc::default(), "first", &Limits::default());
        let places = [family.place(2), family.of_child().place(2)];
        assert!(places.iter().all(Result::is_ok));
        assert_eq!(family.place(2).map(drop), Err(Limit::Children(2)));
        drop(places);
        assert!(family.place(2).is_ok());
    }

    #[test]
    fn a_child_is_below_the_first_member_to_others_and_what_it_was_called_within_the_family() {
        let family = Family::new(Arc::default(), Arc::default(), "bank", &Limits::default());
        let child = family.of_child();
        assert_eq!(child.full_name("clerk"), "bank/clerk");
        assert_eq!(child.shown("bank/clerk"), "clerk");
        for name in ["bank", "bank-1/clerk", "shop/clerk", "clerk"] {
            assert_eq!(family.shown(name), name);
        }
        // A name that looks like a full one is below the family all the same.
        assert_eq!(family.full_name("shop/clerk"), "bank/shop/clerk");
        assert_eq!(family.full_name(""), "");
    }

    #[test]
    fn all_families_together_leave_room_for_each_first_member_and_some() {
        let guest_count = Arc::new(GuestCount::new(Some(16)));
        let families: Vec<_> = (0..4)
            .map(|_| Family::new(guest_count.clone(), Arc::default(), "first", &Limits::default()))
            .collect();
        let mut places = Vec::new();
        for family in families.iter().cycle().take(10) {
            places.push(family.place(100).unwrap());
        }
        for family in &families {
            assert_eq!(family.place(100).map(drop), Err(Limit::ChildrenOfAll(10)));
        }
        // One that has ended is to be started again.
        let mut families = families;
        families.pop();
        assert_eq!(families[0].place(100).map(drop), Err(Limit::ChildrenOfAll(10)));
        places.pop();
        assert!(families[0].place(100).is_ok());
    }
}
