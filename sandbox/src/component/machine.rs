//! What this machine has room for.
//!
//! The kernel bounds the memory mappings of a process (`vm.max_map_count` on Linux, 65 530 by default) and its address
//! space. A process that reaches the first fails in whatever allocates next, so a pool is made no larger than what fits:
//! then one guest too many is the error of one start.

use std::fmt;

use crate::component::engine_config::{EngineConfig, POOL_MEMORIES, POOL_TABLES};

/// Mappings of a guest's stack: the stack, and a guard page below it. A pool has them from its beginning.
const STACK_MAPPINGS: u64 = 2;

/// Mappings of one linear memory: what can be accessed, and what is reserved behind it.
const MEMORY_MAPPINGS: u64 = 2;

/// Mappings of one whose initial contents are shared: before them, they themselves, behind them, and the reserve.
const SHARED_MEMORY_MAPPINGS: u64 = 4;

/// One of this many mappings is left to the rest of the process: its code, the threads, the allocator, the modules.
const REST_OF_MAPPINGS: u64 = 8;

/// The address space that a pool may take where nothing else limits it, in bytes: half of what a process has on x86-64.
const ADDRESS_SPACE: u64 = 1 << 46;

/// The bounds of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The most memory mappings that a process can have. None where there is no such limit, or it can't be read.
    pub mappings: Option<u64>,
    /// The most address space that this process can have, in bytes. None where it has no limit of its own.
    pub address_space: Option<u64>,
}

/// Guests that are to live at once, and what they take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// How many they are. At least one.
    pub guests: u32,
    /// Their linear memories.
    pub memories: u64,
    /// Their tables.
    pub tables: u64,
}

impl Crowd {
    /// A guest of a single module.
    pub const ONE: Self = Self {
        guests: 1,
        memories: 1,
        tables: 1,
    };
}

/// How many guests there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Guests of the kind, or the mix, that was asked for.
    pub guests: u32,
    /// What it is that has room for this many.
    pub bound: Bound,
}

/// What bounds the number of guests. Displayed with what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The memory mappings of a process.
    Mappings {
        /// How many it can have.
        limit: u64,
        /// How many one guest takes.
        each: u64,
    },
    /// The address space of a process.
    AddressSpace {
        /// How much a pool can take of it, in bytes.
        limit: u64,
        /// How much one guest takes, in bytes.
        each: u64,
    },
}

impl Machine {
    /// This machine, as this process finds it.
    pub fn this() -> Self {
        let read = |path| std::fs::read_to_string(path).ok();
        Self {
            mappings: read("/proc/sys/vm/max_map_count").and_then(|text| text.trim().parse().ok()),
            address_space: read("/proc/self/limits").and_then(|text| address_space(&text)),
        }
    }

    /// How many guests of an engine that is set up like this there is room for, if they are like these.
    pub fn room(&self, config: &EngineConfig, like: &Crowd) -> Room {
        let guests = u64::from(like.guests.max(1));
        let together = guests * STACK_MAPPINGS + like.memories.saturating_mul(memory_mappings(config));
        let mappings = self.mappings_of_guests().map(|usable| Room {
            guests: u32::try_from(usable.saturating_mul(guests) / together).unwrap_or(u32::MAX),
            bound: Bound::Mappings {
                limit: self.mappings.unwrap_or_default(),
                each: together.div_ceil(guests),
            },
        });
        let limit = self
            .address_space
            .map_or(ADDRESS_SPACE, |own| own / 2)
            .min(ADDRESS_SPACE);
        let each = address_space_of_one(config, like);
        let address_space = Room {
            guests: u32::try_from(limit / each).unwrap_or(u32::MAX),
            bound: Bound::AddressSpace { limit, each },
        };
        match mappings {
            Some(mappings) if mappings.guests <= address_space.guests => mappings,
            _ => address_space,
        }
    }

    /// How many linear memories a pool for this many guests may have: as many as are wanted, as far as they fit.
    pub(crate) fn memories(&self, config: &EngineConfig, guests: u32) -> u32 {
        let wanted = config.max_memories.unwrap_or(guests.saturating_mul(POOL_MEMORIES));
        let Some(usable) = self.mappings_of_guests() else {
            return wanted;
        };
        let stacks = u64::from(guests).saturating_mul(STACK_MAPPINGS);
        let fit = usable.saturating_sub(stacks) / memory_mappings(config);
        wanted.min(u32::try_from(fit).unwrap_or(u32::MAX).max(guests))
    }

    fn mappings_of_guests(&self) -> Option<u64> {
        self.mappings.map(|all| all - all / REST_OF_MAPPINGS)
    }
}

fn memory_mappings(config: &EngineConfig) -> u64 {
    if config.copy_on_write {
        SHARED_MEMORY_MAPPINGS
    } else {
        MEMORY_MAPPINGS
    }
}

fn address_space_of_one(config: &EngineConfig, like: &Crowd) -> u64 {
    let each = |together: u64, least: u32| together.div_ceil(like.guests.max(1).into()).max(least.into());
    let memories = config
        .memory_reservation
        .saturating_mul(each(like.memories, POOL_MEMORIES));
    let tables = each(like.tables, POOL_TABLES).saturating_mul((config.table_reservation * size_of::<usize>()) as u64);
    let stack = config.stack_with_host() as u64;
    memories.saturating_add(tables).saturating_add(stack).max(1)
}

/// The soft limit of the line `Max address space  soft  hard  bytes` in `/proc/self/limits`.
fn address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mappings { limit, each } => write!(
                f,
                "a process can have {limit} memory mappings here, and a guest takes {each}; `sysctl -w \
                 vm.max_map_count={}` makes room for twice as many",
                limit.saturating_mul(2)
            ),
            Self::AddressSpace { limit, each } => write!(
                f,
                "{limit} bytes of address space can be reserved here, and a guest reserves {each}; a smaller \
                 `memory_reservation` in [runtime], or a higher `ulimit -v`, makes room for more"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(copy_on_write: bool) -> EngineConfig {
        EngineConfig {
            copy_on_write,
            ..EngineConfig::default()
        }
    }

    const LINUX: Machine = Machine {
        mappings: Some(65_530),
        address_space: None,
    };

    #[test]
    fn mappings_bound_the_guests_of_an_ordinary_machine() {
        let room = LINUX.room(&config(false), &Crowd::ONE);
        assert_eq!(room.guests, 14_334);
        assert_eq!(room.bound, Bound::Mappings { limit: 65_530, each: 4 });
        assert_eq!(LINUX.room(&config(true), &Crowd::ONE).guests, 9_556);
        assert_eq!(
            room.bound.to_string(),
            "a process can have 65530 memory mappings here, and a guest takes 4; `sysctl -w vm.max_map_count=131060` makes \
             room for twice as many"
        );
    }

    #[test]
    fn address_space_bounds_those_that_reserve_much() {
        let config = EngineConfig {
            memory_reservation: 4 << 30,
            ..config(false)
        };
        let room = LINUX.room(&config, &Crowd::ONE);
        assert!(matches!(room.bound, Bound::AddressSpace { .. }), "{room:?}");
        assert!((4000..6000).contains(&room.guests), "{room:?}");
        let limited = Machine {
            address_space: Some(100 << 30),
            ..LINUX
        };
        assert!(limited.room(&config, &Crowd::ONE).guests < 10);
    }

    #[test]
    fn where_nothing_is_known_there_is_room() {
        let machine = Machine {
            mappings: None,
            address_space: None,
        };
        assert!(machine.room(&config(true), &Crowd::ONE).guests > 100_000);
        assert_eq!(machine.memories(&config(true), 10), 30);
    }

    #[test]
    fn memories_get_what_the_stacks_leave() {
        assert_eq!(LINUX.memories(&config(false), 1000), 3000);
        assert_eq!(LINUX.memories(&config(false), 10_000), 18_669);
        assert_eq!(LINUX.memories(&config(false), 20_000), 20_000);
    }

    #[test]
    fn the_limit_of_the_address_space_is_read() {
        let limits =
            |soft: &str| format!("Limit  Soft  Hard  Units\nMax address space         {soft}    unlimited  bytes\n");
        assert_eq!(address_space(&limits("1048576")), Some(1 << 20));
        assert_eq!(address_space(&limits("unlimited")), None);
        assert_eq!(address_space(""), None);
    }
}
