//! How many handles one instance may have: as many as its own limit says, as long as its family has some left.
//!
//! A table of wasmtime's asks nobody when it grows, and never shrinks. So it is given places in advance, some at a time, before each
//! function that could fill one; and the family is charged for them until the instance ends.

use std::sync::Arc;

use wasmtime::component::ResourceTable;

use crate::accounting::family::Quota;
use crate::policy::limits::{Common, Limit};

/// The most handles that one function of WASI makes, apart from the one that opens all directories.
const AT_ONCE: usize = 4;

/// The fewest places that are taken of the family at a time, if it has them: most guests have no more handles than this.
const STEP: usize = 16;

/// The places of one table.
pub(super) struct Handles {
    /// Its own limit.
    most: usize,
    /// None while the component only describes itself.
    quota: Option<Arc<Quota>>,
    /// Directories, which are open whether or not the guest has handles of them.
    directories: usize,
    /// Places that the table has.
    places: usize,
    /// Handles that there are, at most: they are counted when this comes near the number of places.
    bound: usize,
    refused: Option<Limit>,
}

impl Handles {
    /// Places for an instance that was granted this many directories.
    pub(super) fn new(most: usize, directories: usize, quota: Option<Arc<Quota>>) -> Self {
        if let Some(quota) = &quota {
            // These are the operator's to grant: a family that has used up its handles still starts its members.
            quota.take_anyway(Common::Handles, directories);
        }
        Self {
            most,
            quota,
            directories,
            places: 0,
            bound: 0,
            refused: None,
        }
    }

    /// The limit that the guest has reached if there is no place left.
    pub(super) fn limit(&self) -> Limit {
        self.refused.unwrap_or(Limit::Handles(self.most))
    }

    /// Before a function of WASI: provides for the handles that it may make, as far as they are allowed.
    pub(super) fn provide(&mut self, table: &mut ResourceTable) {
        let needed = AT_ONCE.max(self.directories);
        if self.places < self.most && self.places - self.bound < needed {
            // Counted only when the bound comes near, because it goes through the whole table. Handles that were
            // closed are found here.
            self.bound = table.iter_mut().count();
            let short = needed.saturating_sub(self.places - self.bound);
            if short > 0 {
                // By an eighth more at least: steps of a few would have a guest with thousands of handles count them
                // all the time.
                self.take(short.max(self.places / 8).max(STEP));
            }
            table.set_max_capacity(self.places);
        }
        self.bound = self.places.min(self.bound + needed);
    }

    /// Takes this many places of the family, or what it has left.
    fn take(&mut self, wanted: usize) {
        let mut wanted = wanted.min(self.most - self.places);
        self.refused = None;
        let Some(quota) = &self.quota else {
            self.places += wanted;
            return;
        };
        while wanted > 0 {
            match quota.take(Common::Handles, wanted) {
                Ok(()) => {
                    self.places += wanted;
                    return;
                }
                Err(limit) => self.refused = Some(limit),
            }
            // What is left of the family's is found in halves, because a quota says no without saying how much there
            // is.
            wanted /= 2;
        }
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        if let Some(quota) = &self.quota {
            quota.give_back(Common::Handles, self.places + self.directories);
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Resource;

    use super::*;
    use crate::policy::limits::Limits;

    fn quota(family: usize) -> Arc<Quota> {
        Arc::new(Quota::new(&Limits {
            handles: 1,
            family_handles: Some(family),
            ..Limits::default()
        }))
    }

    fn push(handles: &mut Handles, table: &mut ResourceTable) -> Option<Resource<u8>> {
        handles.provide(table);
        table.push(0u8).ok()
    }

    /// How many handles there can be more.
    fn fill(handles: &mut Handles, table: &mut ResourceTable) -> usize {
        std::iter::from_fn(|| push(handles, table)).count()
    }

    fn empty() -> ResourceTable {
        let mut table = ResourceTable::new();
        table.set_max_capacity(0);
        table
    }

    #[test]
    fn an_instance_has_as_many_handles_as_its_own_limit_says() {
        for most in [0, 1, 3, 4, 5, 16, 17, 4096] {
            for quota in [None, Some(quota(10_000))] {
                let (mut handles, mut table) = (Handles::new(most, 0, quota), empty());
                assert_eq!(fill(&mut handles, &mut table), most);
                assert_eq!(handles.limit(), Limit::Handles(most));
            }
        }
    }

    #[test]
    fn a_family_shares_its_handles_and_has_them_back_when_a_member_ends() {
        let quota = quota(100);
        let member = || (Handles::new(4096, 0, Some(quota.clone())), empty());
        let ((mut one, mut first), (mut other, mut second)) = (member(), member());
        assert!(push(&mut other, &mut second).is_some());
        let filled = fill(&mut one, &mut first);
        assert_eq!(filled, 100 - STEP, "what is left of the family's, to the last");
        assert_eq!(one.limit(), Limit::OfFamily(Common::Handles, 100));
        assert_eq!(fill(&mut other, &mut second), STEP - 1);
        drop((one, first));
        assert_eq!(fill(&mut other, &mut second), 100 - STEP);
    }

    #[test]
    fn handles_that_come_and_go_are_charged_once() {
        let quota = quota(100);
        let (mut handles, mut table) = (Handles::new(4096, 0, Some(quota.clone())), empty());
        for _ in 0..1000 {
            let handle = push(&mut handles, &mut table).unwrap();
            table.delete(handle).unwrap();
        }
        assert!(quota.take(Common::Handles, 100 - STEP).is_ok());
    }

    #[test]
    fn directories_are_charged_though_nobody_asks_for_them() {
        let quota = quota(10);
        let handles = Handles::new(4096, 6, Some(quota.clone()));
        assert!(quota.take(Common::Handles, 5).is_err());
        assert!(quota.take(Common::Handles, 4).is_ok());
        drop(handles);
        assert!(quota.take(Common::Handles, 6).is_ok());
    }
}
