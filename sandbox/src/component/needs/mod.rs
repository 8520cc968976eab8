//! What each guest of a component takes of the pool that guests come from, known before anything is compiled.

#[cfg(test)]
mod tests;
mod weight;

use std::fmt;

use crate::component::assembly::Outline;
use crate::component::complexity::TooComplex;
use crate::component::engine_config::EngineConfig;
use crate::policy::limits::{Limit, Limits};

pub(super) use weight::Weighing;

/// How many of each thing one guest of a component has when it starts. More of memory and tables may come when they grow.
///
/// A component that is put together of several has a few core instances more than its file shows: the compiler adds those
/// that hand values from one to the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Instances of core modules.
    pub core_instances: usize,
    /// Linear memories.
    pub memories: usize,
    /// What all memories have together, in bytes.
    pub memory_bytes: u64,
    /// What the largest memory has, in bytes.
    pub largest_memory: u64,
    /// Tables.
    pub tables: usize,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Elements of the largest table.
    pub largest_table: u64,
    /// What the host keeps of the instances besides: an entry for each function, global, import and data segment, in bytes.
    /// Never less than wasmtime takes for what the file shows.
    pub instance_bytes: u64,
}

/// What an engine has room for, whoever the guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// See [`EngineConfig::memory_reservation`](crate::EngineConfig::memory_reservation).
    pub(crate) memory_reservation: u64,
    /// See [`EngineConfig::table_reservation`](crate::EngineConfig::table_reservation).
    pub(crate) table_reservation: usize,
    /// See [`EngineConfig::instance_bytes`](crate::EngineConfig::instance_bytes).
    pub(crate) instance_bytes: u64,
    /// Of the pool. None without one.
    pub(crate) pool: Option<Pool>,
}

/// How much a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(crate) guests: u32,
    pub(crate) memories: u32,
    pub(crate) tables: u32,
}

/// A guest needs more of something than it may have. Displayed with the key of node.toml that allows more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// More than the actor may have.
    Limit {
        /// How much it needs.
        needed: u64,
        /// The limit.
        limit: Limit,
    },
    /// One of its memories is larger, in bytes, than any memory of this engine can be.
    Memory {
        /// How much it needs.
        needed: u64,
        /// [`EngineConfig::memory_reservation`](crate::EngineConfig::memory_reservation).
        reserved: u64,
    },
    /// One of its tables has more elements than any table of this engine can have.
    Table {
        /// How many it needs.
        needed: u64,
        /// [`EngineConfig::table_reservation`](crate::EngineConfig::table_reservation).
        reserved: u64,
    },
    /// More than the host keeps for one guest, in bytes.
    InstanceBytes {
        /// How much it needs.
        needed: u64,
        /// [`EngineConfig::instance_bytes`](crate::EngineConfig::instance_bytes).
        limit: u64,
    },
    /// More memories than the whole pool has.
    Memories {
        /// How many it needs.
        needed: u64,
        /// How many there are.
        pool: u32,
    },
    /// More tables than the whole pool has.
    Tables {
        /// How many it needs.
        needed: u64,
        /// How many there are.
        pool: u32,
    },
}

/// Every [`Shortage`] at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Shortages(pub Vec<Shortage>);

impl Outline {
    /// What each guest of the component needs.
    ///
    /// # Errors
    /// It is put together in more steps, or deeper, than is followed.
    pub(crate) fn needs(&self) -> Result<Needs, TooComplex> {
        if self.is_module() {
            return Ok(self.modules.first().copied().unwrap_or_default());
        }
        Ok(self.assembly()?.needs)
    }
}

impl Needs {
    /// Checks that an actor with these limits can start.
    ///
    /// # Errors
    /// Every limit that stands in the way.
    pub fn check(&self, limits: &Limits) -> Result<(), Shortages> {
        let count = |count: usize| count as u64;
        Shortages::of(
            [
                (count(self.core_instances), Limit::CoreInstances(limits.core_instances)),
                (count(self.memories), Limit::Memories(limits.memories)),
                (self.memory_bytes, Limit::Memory(limits.memory_bytes)),
                (count(self.tables), Limit::Tables(limits.tables)),
                (self.table_elements, Limit::TableElements(limits.table_elements)),
            ]
            .into_iter()
            .filter(|(needed, limit)| limit.amount().is_some_and(|amount| *needed > amount))
            .map(|(needed, limit)| Shortage::Limit { needed, limit }),
        )
    }

    /// What an actor can't have where node.toml says nothing about it.
    pub fn beyond_defaults(&self) -> Vec<Shortage> {
        let shortages = self.check(&Limits::default()).err();
        let mut shortages = shortages.map_or_else(Vec::new, |shortages| shortages.0);
        let limit = EngineConfig::default().instance_bytes;
        if self.instance_bytes > limit {
            shortages.push(Shortage::InstanceBytes {
                needed: self.instance_bytes,
                limit,
            });
        }
        shortages
    }

    /// These limits, raised as far as needed to start; none of them if that takes more than `most_memory` bytes.
    #[must_use]
    pub fn raise(&self, limits: &Limits, most_memory: u64) -> Limits {
        if self.memory_bytes > most_memory {
            return limits.clone();
        }
        let elements = usize::try_from(self.table_elements).unwrap_or(usize::MAX);
        let memory = usize::try_from(self.memory_bytes).unwrap_or(usize::MAX);
        Limits {
            memory_bytes: limits.memory_bytes.max(memory),
            table_elements: limits.table_elements.max(elements),
            core_instances: limits.core_instances.max(self.core_instances),
            memories: limits.memories.max(self.memories),
            tables: limits.tables.max(self.tables),
            ..limits.clone()
        }
    }

    /// Checks that an engine has room for one guest at least.
    pub(crate) fn fit(&self, capacity: &Capacity) -> Result<(), Shortages> {
        let Capacity {
            memory_reservation: memory,
            table_reservation: table,
            instance_bytes,
            pool,
        } = *capacity;
        let table = table as u64;
        let (memories, tables) = pool.map_or((u32::MAX, u32::MAX), |pool| (pool.memories, pool.tables));
        let cases = [
            (
                self.largest_memory,
                memory,
                Shortage::Memory {
                    needed: self.largest_memory,
                    reserved: memory,
                },
            ),
            (
                self.largest_table,
                table,
                Shortage::Table {
                    needed: self.largest_table,
                    reserved: table,
                },
            ),
            (
                self.instance_bytes,
                instance_bytes,
                Shortage::InstanceBytes {
                    needed: self.instance_bytes,
                    limit: instance_bytes,
                },
            ),
            (
                self.memories as u64,
                memories.into(),
                Shortage::Memories {
                    needed: self.memories as u64,
                    pool: memories,
                },
            ),
            (
                self.tables as u64,
                tables.into(),
                Shortage::Tables {
                    needed: self.tables as u64,
                    pool: tables,
                },
            ),
        ];
        let beyond = cases.into_iter().filter(|(needed, room, _)| needed > room);
        Shortages::of(beyond.map(|(_, _, shortage)| shortage))
    }

    /// What both have together.
    #[must_use]
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            core_instances: self.core_instances.saturating_add(other.core_instances),
            memories: self.memories.saturating_add(other.memories),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            largest_memory: self.largest_memory.max(other.largest_memory),
            tables: self.tables.saturating_add(other.tables),
            table_elements: self.table_elements.saturating_add(other.table_elements),
            largest_table: self.largest_table.max(other.largest_table),
            instance_bytes: self.instance_bytes.saturating_add(other.instance_bytes),
        }
    }
}

impl Pool {
    /// About how many guests with these needs fit.
    pub(crate) fn guests_with(&self, needs: &Needs) -> u64 {
        let fit = |have: u32, each: usize| match each as u64 {
            0 => u64::MAX,
            each => u64::from(have) / each,
        };
        u64::from(self.guests)
            .min(fit(self.memories, needs.memories))
            .min(fit(self.tables, needs.tables))
    }

    /// What of it is used up, in words, by what wasmtime says.
    pub(crate) fn used_up(&self, cause: &str) -> Option<String> {
        let Self {
            guests,
            memories,
            tables,
        } = self;
        // wasmtime's error has no other sign of which part of the pool is used up. A text that isn't known is passed
        // on as it is.
        let (what, key) = if cause.contains("component instances") || cause.contains("fibers") {
            (format!("{guests} guests live, as many as there may be"), "max_guests")
        } else if cause.contains("memory") {
            (
                format!("all {memories} memories of this node are in use"),
                "max_memories",
            )
        } else if cause.contains("tables") {
            (format!("all {tables} tables of this node are in use"), "max_tables")
        } else {
            return None;
        };
        Some(format!(
            "{what} ({key}); a higher `{key}` under [runtime] makes room for more"
        ))
    }
}

impl Shortages {
    /// Those of the actor's limits that are among them.
    pub(crate) fn limits(&self) -> impl Iterator<Item = Limit> {
        self.0.iter().filter_map(|shortage| match shortage {
            Shortage::Limit { limit, .. } => Some(*limit),
            _ => None,
        })
    }

    fn of(shortages: impl IntoIterator<Item = Shortage>) -> Result<(), Self> {
        let shortages: Vec<_> = shortages.into_iter().collect();
        if shortages.is_empty() {
            return Ok(());
        }
        Err(Self(shortages))
    }
}

impl Shortage {
    /// The key of node.toml that allows more.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Limit { limit, .. } => limit.name(),
            Self::Memory { .. } => "memory_reservation",
            Self::Table { .. } => "table_reservation",
            Self::InstanceBytes { .. } => "instance_bytes",
            Self::Memories { .. } => "max_memories",
            Self::Tables { .. } => "max_tables",
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { needed, limit } => write!(
                f,
                "it starts with {needed}, beyond {limit}; write `{} = {needed}` or more under [actors.limits]",
                limit.name()
            ),
            Self::Memory { needed, reserved } => write!(
                f,
                "one of its memories starts with {needed} bytes, and no memory of this node has more than {reserved} \
                 (memory_reservation); raise `memory_bytes` under [actors.limits], or `memory_reservation` under [runtime] \
                 if that is set"
            ),
            Self::Table { needed, reserved } => write!(
                f,
                "one of its tables starts with {needed} elements, and no table of this node has more than {reserved} \
                 (table_reservation); raise `table_elements` under [actors.limits], or `table_reservation` under [runtime] \
                 if that is set"
            ),
            Self::InstanceBytes { needed, limit } => write!(
                f,
                "the host would keep {needed} bytes for the functions and globals of each guest, beyond the limit of \
                 {limit} bytes (instance_bytes); write `instance_bytes = {needed}` or more under [runtime]"
            ),
            Self::Memories { needed, pool } => write!(
                f,
                "each guest has {needed} memories, and there are {pool} for all guests together (max_memories); write \
                 `max_memories = {needed}` or more under [runtime]"
            ),
            Self::Tables { needed, pool } => write!(
                f,
                "each guest has {needed} tables, and there are {pool} for all guests together (max_tables); write \
                 `max_tables = {needed}` or more under [runtime]"
            ),
        }
    }
}

impl fmt::Display for Shortages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, shortage) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            shortage.fmt(f)?;
        }
        Ok(())
    }
}
