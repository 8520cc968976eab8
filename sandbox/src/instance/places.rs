//! The places of a pool, when not all guests come from it.
//!
//! wasmtime counts what is taken of its pool. Guests of baseline code are made beside that pool, and would come on top of what
//! `max_guests`, `max_memories` and `max_tables` allow. So with two compilers the guests of both are counted here first.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::component::needs::{Needs, Pool, PoolPart};

/// See the module.
#[derive(Debug)]
pub(crate) struct Places {
    pool: Pool,
    taken: Mutex<Taken>,
}

/// How much of each part guests have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    guests: u64,
    memories: u64,
    tables: u64,
}

/// The place of one instance, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    taken: Taken,
}

impl Places {
    /// As many as this pool has.
    pub(crate) fn new(pool: Pool) -> Arc<Self> {
        Arc::new(Self {
            pool,
            taken: Mutex::default(),
        })
    }

    /// A place for a guest with these needs.
    ///
    /// # Errors
    /// What is used up, in words.
    pub(crate) fn take(self: &Arc<Self>, needs: &Needs) -> Result<Place, String> {
        let one = Taken {
            guests: 1,
            memories: needs.memories as u64,
            tables: needs.tables as u64,
        };
        let mut taken = self.taken.lock();
        let with = Taken {
            guests: taken.guests + one.guests,
            memories: taken.memories + one.memories,
            tables: taken.tables + one.tables,
        };
        let parts = [
            (with.guests, self.pool.guests, PoolPart::Guests),
            (with.memories, self.pool.memories, PoolPart::Memories),
            (with.tables, self.pool.tables, PoolPart::Tables),
        ];
        if let Some((.., part)) = parts.into_iter().find(|(with, have, _)| *with > u64::from(*have)) {
            return Err(self.pool.all_in_use(part));
        }
        *taken = with;
        Ok(Place {
            places: self.clone(),
            taken: one,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.guests -= self.taken.guests;
        taken.memories -= self.taken.memories;
        taken.tables -= self.taken.tables;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_pool_is_counted_and_comes_back() {
        let places = Places::new(Pool {
            guests: 3,
            memories: 4,
            tables: 100,
        });
        let needs = |memories, tables| Needs {
            memories,
            tables,
            ..Needs::default()
        };
        let first = places.take(&needs(2, 1)).unwrap();
        assert!(places.take(&needs(3, 1)).unwrap_err().contains("max_memories"));
        assert!(places.take(&needs(1, 100)).unwrap_err().contains("max_tables"));
        let others = [places.take(&needs(1, 0)).unwrap(), places.take(&needs(1, 0)).unwrap()];
        assert!(places.take(&needs(0, 0)).unwrap_err().contains("max_guests"));
        drop((first, others));
        assert_eq!(*places.taken.lock(), Taken::default());
    }
}
