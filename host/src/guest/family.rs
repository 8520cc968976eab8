//! How many guests there are: of a family, so that no chain or tree of actors that spawn each other gets around the limit on
//! children; and of an engine, so that all families together leave room for the actors that no guest spawned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::limits::Limit;
use super::pools::{Pools, Share};
use super::turns::Account;

/// One of so many places of a pool is left free by children, for instances that live for a moment beside the actors' own:
/// that describe a module, or are about to replace another.
const SPARE: usize = 8;

/// The guests of one engine.
#[derive(Debug, Default)]
pub(super) struct Population {
    /// How many can live at once, if that is bounded.
    places: Option<usize>,
    /// Families, which are as many as actors that no guest spawned.
    families: AtomicUsize,
    /// The most families that there were at once: so many places are theirs, also while they restart.
    most_families: AtomicUsize,
    children: AtomicUsize,
}

impl Population {
    /// Guests of a pool with so many places, or without bound.
    pub(super) fn new(places: Option<u32>) -> Self {
        Self {
            places: places.map(|places| places as usize),
            ..Self::default()
        }
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
pub(super) struct Family {
    shared: Arc<Shared>,
    member: Member,
}

/// How an actor came into its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// No guest spawned it.
    First,
    /// Another member did.
    Child,
}

#[derive(Debug)]
struct Shared {
    children: AtomicUsize,
    /// What its guests have had of the runtime's threads.
    account: Arc<Account>,
    /// What they have of what all guests share.
    share: Share,
    population: Arc<Population>,
}

/// The place of one child, until dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Shared>);

impl Family {
    /// A family of one.
    pub(super) fn new(population: Arc<Population>, pools: Arc<Pools>) -> Self {
        let families = population.families.fetch_add(1, Ordering::Relaxed) + 1;
        population.most_families.fetch_max(families, Ordering::Relaxed);
        Self {
            shared: Arc::new(Shared {
                children: AtomicUsize::new(0),
                account: Arc::default(),
                share: Share::of(pools),
                population,
            }),
            member: Member::First,
        }
    }

    /// The same family, as a child sees it.
    pub(super) fn of_child(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            member: Member::Child,
        }
    }

    /// How the actor that has this came into its family.
    pub(super) fn member(&self) -> Member {
        self.member
    }

    /// What the family's guests have had of the runtime's threads.
    pub(super) fn account(&self) -> Arc<Account> {
        self.shared.account.clone()
    }

    /// What the family has of what all guests share.
    pub(super) fn share(&self) -> &Share {
        &self.shared.share
    }

    /// A place for one more child.
    ///
    /// # Errors
    /// The family has `limit` children already, or all families together have as many as leave enough for others.
    pub(super) fn place(&self, limit: usize) -> Result<Place, Limit> {
        let Shared {
            children, population, ..
        } = &*self.shared;
        let room = population.room_for_children();
        take(children, limit).map_err(|_| Limit::Children(limit))?;
        if take(&population.children, room).is_err() {
            children.fetch_sub(1, Ordering::Relaxed);
            return Err(Limit::ChildrenOfAll(room));
        }
        Ok(Place(self.shared.clone()))
    }
}

/// Counts one more, up to `limit`.
fn take(count: &AtomicUsize, limit: usize) -> Result<usize, usize> {
    let one_more = |count: usize| (count < limit).then_some(count + 1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.children.fetch_sub(1, Ordering::Relaxed);
        self.0.population.children.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.population.families.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_so_many_children_and_no_more() {
        let family = Family::new(Arc::default(), Arc::default());
        let places = [family.place(2), family.of_child().place(2)];
        assert!(places.iter().all(Result::is_ok));
        assert_eq!(family.place(2).map(drop), Err(Limit::Children(2)));
        drop(places);
        assert!(family.place(2).is_ok());
    }

    #[test]
    fn all_families_together_leave_room_for_each_first_member_and_some() {
        let population = Arc::new(Population::new(Some(16)));
        let families: Vec<_> = (0..4)
            .map(|_| Family::new(population.clone(), Arc::default()))
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
