//! Holds one store to its limits on memory and tables.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::family::Quota;
use super::instance_memory::InstanceMemory;
use super::tally::Tally;
use super::telemetry;
use crate::accounting::label::Label;
use crate::policy::limits::{Common, Limit, Limits};

/// Holds one store to its [`Limits`] on memory and tables, and remembers the last refusal: a guest that is refused
/// memory usually traps with something as vague as `unreachable`.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory: GrowthBudget,
    /// The bytes that were granted last, as long as nobody has said that the system refused them.
    granted: usize,
    /// What has the family's part of the memory, and whose that is; none if there is no actor.
    member: Option<(Arc<Quota>, Label)>,
    /// What shows the memory to others, and where.
    shown: Option<(Arc<Tally>, Arc<InstanceMemory>)>,
    tables: GrowthBudget,
    core_instances: usize,
    memory_count: usize,
    table_count: usize,
    bounds: EngineBounds,
    refused: Option<Limit>,
}

/// What an engine bounds for each guest alike, whatever its [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EngineBounds {
    /// The stack, in bytes.
    pub(crate) stack: usize,
    /// One memory, in bytes.
    pub(crate) memory: u64,
    /// One table, in elements.
    pub(crate) table: usize,
}

#[derive(Debug)]
struct GrowthBudget {
    used: usize,
    limit: usize,
}

/// What a guest asks for, in bytes or elements.
struct Growth {
    current: usize,
    desired: usize,
    maximum: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum GrowthVerdict {
    Granted,
    /// Beyond the limit.
    Refused,
    /// Beyond the module's own maximum, or the engine's: it fails whatever is answered, and must not be counted.
    Impossible,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, bounds: EngineBounds, member: Option<(Arc<Quota>, Label)>) -> Self {
        Self {
            memory: GrowthBudget::new(limits.memory_bytes),
            granted: 0,
            member,
            shown: None,
            tables: GrowthBudget::new(limits.table_elements),
            core_instances: limits.core_instances,
            memory_count: limits.memories,
            table_count: limits.tables,
            bounds,
            refused: None,
        }
    }

    /// The memory is shown here.
    pub(crate) fn shown_by(mut self, tally: Arc<Tally>) -> Self {
        let reserved = usize::try_from(self.bounds.memory).unwrap_or(usize::MAX);
        let memory = tally.instance_begins(reserved);
        self.shown = Some((tally, memory));
        self
    }

    /// What is shown of the memory.
    pub(crate) fn shown(&self) -> Option<Arc<InstanceMemory>> {
        self.shown.as_ref().map(|(_, memory)| memory.clone())
    }

    pub(crate) fn refused(&self) -> Option<Limit> {
        self.refused
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        if let Some((quota, _)) = &self.member {
            // wasmtime doesn't tell when a memory is freed. All of a store's memories go with the store, and this
            // does, too.
            quota.give_back(Common::Memory, self.memory.used);
        }
        if let Some((tally, memory)) = &self.shown {
            tally.instance_ends(memory);
        }
    }
}

impl GrowthBudget {
    fn new(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    fn grow(&mut self, growth: &Growth) -> GrowthVerdict {
        let used = self.used.saturating_add(growth.desired.saturating_sub(growth.current));
        // Asked first, so that a guest which goes beyond its own limit hears of that one.
        if used > self.limit {
            return GrowthVerdict::Refused;
        }
        if growth.maximum.is_some_and(|maximum| growth.desired > maximum) {
            return GrowthVerdict::Impossible;
        }
        self.used = used;
        GrowthVerdict::Granted
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let verdict = self.memory.grow(&Growth {
            current,
            desired,
            maximum,
        });
        self.granted = 0;
        match verdict {
            // Neither logged nor counted: the guest may do without. If it fails, the failure names this limit.
            GrowthVerdict::Refused => self.refused = Some(Limit::Memory(self.memory.limit)),
            // It fails whatever is answered, and nobody else says why.
            GrowthVerdict::Granted if desired as u64 > self.bounds.memory => {
                self.memory.used -= desired - current;
                self.refused = Some(Limit::MemoryReservation(self.bounds.memory));
                return Ok(false);
            }
            GrowthVerdict::Granted => {
                // The family last, so that it isn't charged for what something else refuses.
                let more = desired.saturating_sub(current);
                if let Some((quota, label)) = &self.member
                    && let Err(limit) = quota.take(Common::Memory, more)
                {
                    // The guest's own count goes back, too, because the memory stays as it was.
                    self.memory.used -= more;
                    // A guest may try again and again.
                    if self.refused.replace(limit) != Some(limit) {
                        telemetry::limit(label, limit);
                    }
                    return Ok(false);
                }
                self.granted = more;
                if let Some((_, memory)) = &self.shown {
                    memory.grew(more);
                }
            }
            GrowthVerdict::Impossible => {}
        }
        Ok(verdict == GrowthVerdict::Granted)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // What was granted is not there, because the system has no more. wasmtime also calls this without having asked, but only
        // for memories whose pages are smaller than usual, which the engine refuses.
        let granted = std::mem::take(&mut self.granted);
        self.memory.used -= granted;
        if let Some((quota, _)) = &self.member {
            quota.give_back(Common::Memory, granted);
        }
        if let Some((_, memory)) = &self.shown {
            memory.shrank(granted);
        }
        // The guest sees a growth that failed, as after every other refusal.
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let verdict = self.tables.grow(&Growth {
            current,
            desired,
            maximum,
        });
        match verdict {
            GrowthVerdict::Refused => self.refused = Some(Limit::TableElements(self.tables.limit)),
            GrowthVerdict::Granted if desired > self.bounds.table => {
                self.tables.used -= desired - current;
                self.refused = Some(Limit::TableReservation(self.bounds.table));
                return Ok(false);
            }
            GrowthVerdict::Granted | GrowthVerdict::Impossible => {}
        }
        Ok(verdict == GrowthVerdict::Granted)
    }

    fn instances(&self) -> usize {
        self.core_instances
    }

    fn memories(&self) -> usize {
        self.memory_count
    }

    fn tables(&self) -> usize {
        self.table_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: EngineBounds = EngineBounds {
        stack: usize::MAX,
        memory: u64::MAX,
        table: usize::MAX,
    };

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn all_memories_share_one_budget() {
        let limits = Limits {
            memory_bytes: 3 * 65_536,
            ..Limits::default()
        };
        let mut limiter = Limiter::new(&limits, WIDE, None);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.memory_growing(0, 2 * 65_536, None).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.memory_growing(65_536, 2 * 65_536, None).unwrap());
        assert_eq!(limiter.refused(), Some(Limit::Memory(3 * 65_536)));
    }

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn what_one_memory_and_one_table_can_have_is_named() {
        let bounds = EngineBounds {
            memory: 65_536,
            table: 10,
            ..WIDE
        };
        let mut limiter = Limiter::new(&Limits::default(), bounds, None);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(!limiter.memory_growing(65_536, 2 * 65_536, None).unwrap());
        assert_eq!(limiter.refused(), Some(Limit::MemoryReservation(65_536)));
        assert_eq!(limiter.memory.used, 65_536);
        assert!(!limiter.table_growing(0, 11, None).unwrap());
        assert_eq!(limiter.refused(), Some(Limit::TableReservation(10)));
        assert_eq!(limiter.tables.used, 0);
    }

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn a_family_shares_its_memory_and_has_it_back_when_a_member_ends() {
        let limits = Limits {
            memory_bytes: 3 * 65_536,
            family_memory_bytes: Some(3 * 65_536),
            ..Limits::default()
        };
        let quota = Arc::new(Quota::new(&limits));
        let label = || Label::new("test".into(), "test".into(), 1, &limits);
        let member = || Limiter::new(&limits, WIDE, Some((quota.clone(), label())));
        let (mut one, mut other) = (member(), member());
        assert!(one.memory_growing(0, 2 * 65_536, None).unwrap());
        assert!(!other.memory_growing(0, 2 * 65_536, None).unwrap());
        assert_eq!(other.refused(), Some(Limit::OfFamily(Common::Memory, 3 * 65_536)));
        assert!(other.memory_growing(0, 65_536, None).unwrap());
        drop(one);
        assert!(other.memory_growing(65_536, 3 * 65_536, None).unwrap());
    }

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn memory_that_the_system_refuses_is_given_back() {
        let limits = Limits {
            memory_bytes: 3 * 65_536,
            family_memory_bytes: Some(3 * 65_536),
            ..Limits::default()
        };
        let quota = Arc::new(Quota::new(&limits));
        let label = Label::new("test".into(), "test".into(), 1, &limits);
        let mut limiter = Limiter::new(&limits, WIDE, Some((quota.clone(), label)));
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        for _ in 0..5 {
            assert!(limiter.memory_growing(65_536, 3 * 65_536, None).unwrap());
            limiter.memory_grow_failed(wasmtime::format_err!("no memory")).unwrap();
        }
        assert_eq!(limiter.memory.used, 65_536);
        quota.take(Common::Memory, 2 * 65_536).unwrap();
        // Once each: a second failure without a grant between the two says nothing of memory that was granted before.
        limiter.memory_grow_failed(wasmtime::format_err!("no memory")).unwrap();
        assert_eq!(limiter.memory.used, 65_536);
        quota.give_back(Common::Memory, 2 * 65_536);
    }

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn growth_beyond_the_modules_own_maximum_is_not_counted() {
        let mut limiter = Limiter::new(&Limits::default(), WIDE, None);
        assert!(!limiter.table_growing(0, 20, Some(10)).unwrap());
        assert_eq!(limiter.tables.used, 0);
    }
}
