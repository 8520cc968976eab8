//! How large the pool of an engine is: made for what the guests of the file need, as far as the machine has room for them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::config::{Code, MOST_ELEMENTS, NodeConfig, RuntimeSection};
use crate::guest::{
    Allocation, Compilation, Crowd, EngineConfig, Limits, Machine, Needs, POOL_MEMORIES, POOL_TABLES, Room,
};

/// Guests that a pool is made for at least, so that some can be added later.
const SMALLEST_POOL: u32 = 1000;

/// What an engine is to have room for.
pub(super) struct PoolDemand {
    /// The guests of the file, and what they have together when they start.
    started: Crowd,
    /// Guests that are sure to come: those that are started or, if that is more, those that the file says there can be.
    sure: u32,
    /// Guests that may live at once.
    at_most: u32,
    /// Memories and tables of a guest of whichever module of the file has most of them.
    largest: Crowd,
    /// The largest limits of any guest, as far as they are about memories and tables.
    limits: Limits,
}

/// More guests are wanted than fit.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyGuests {
    wanted: u32,
    room: Room,
}

/// The guests of the file have more than the file says that all guests can have together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the guests of [[actors]] have {needed} {what} together when they start, and `{key}` under [runtime] is {allowed}: write \
     {needed} or more, and more for those that guests spawn, or leave it out"
)]
pub struct PoolTooSmall {
    what: &'static str,
    key: &'static str,
    needed: u64,
    allowed: u32,
}

impl PoolDemand {
    /// What the guests of this configuration want, whose modules need this, by name.
    pub(super) fn of(config: &NodeConfig, needs: &BTreeMap<String, Needs>) -> Self {
        let each = |module: &String| needs.get(module).map_or(Crowd::ONE, one);
        let mut started = Crowd {
            guests: 0,
            memories: 0,
            tables: 0,
        };
        let mut limits = Limits::default();
        let mut entities = 0u32;
        for actor in &config.actors {
            let Code::Module(module) = &actor.code else { continue };
            let (Crowd { memories, tables, .. }, count) = (each(module), u64::from(actor.count));
            started = Crowd {
                guests: started.guests.saturating_add(actor.count),
                memories: started.memories.saturating_add(memories.saturating_mul(count)),
                tables: started.tables.saturating_add(tables.saturating_mul(count)),
            };
            widen(&mut limits, &actor.limits);
        }
        for section in &config.entities {
            let Code::Module(module) = section.code() else { continue };
            // Those that are always active are sure to come; for the others there is room for as many as may be.
            let always = u32::try_from(section.always.len()).unwrap_or(u32::MAX);
            let (Crowd { memories, tables, .. }, count) = (each(module), u64::from(always));
            started = Crowd {
                guests: started.guests.saturating_add(always),
                memories: started.memories.saturating_add(memories.saturating_mul(count)),
                tables: started.tables.saturating_add(tables.saturating_mul(count)),
            };
            entities = entities.saturating_add(section.max_active.saturating_sub(always));
            widen(&mut limits, &section.actor.limits);
        }
        let all = needs.values().map(one);
        let largest = all.fold(Crowd::ONE, |largest, each| Crowd {
            guests: 1,
            memories: largest.memories.max(each.memories),
            tables: largest.tables.max(each.tables),
        });
        let max_guests = config.runtime.max_guests;
        Self {
            started,
            sure: started.guests.max(max_guests.unwrap_or_default()),
            // Room for some that are spawned later, if the file doesn't say how many there can be.
            at_most: max_guests.unwrap_or(
                started
                    .guests
                    .saturating_mul(2)
                    .max(SMALLEST_POOL)
                    .saturating_add(entities),
            ),
            largest,
            limits,
        }
    }

    /// True if the guests of the file alone are more than this machine has room for.
    pub(super) fn exceeds(&self, too_many: &TooManyGuests) -> bool {
        self.started.guests > too_many.room.guests
    }

    /// What the file says of the pool must be enough for what it starts.
    pub(super) fn check(&self, runtime: &RuntimeSection) -> Result<(), PoolTooSmall> {
        let cases = [
            ("memories", "max_memories", self.started.memories, runtime.max_memories),
            ("tables", "max_tables", self.started.tables, runtime.max_tables),
        ];
        for (what, key, needed, allowed) in cases {
            if let Some(allowed) = allowed.filter(|allowed| u64::from(*allowed) < needed) {
                return Err(PoolTooSmall {
                    what,
                    key,
                    needed,
                    allowed,
                });
            }
        }
        Ok(())
    }

    /// How many memories, or tables, a pool for this number of guests has: as many as those of the file have, and for each further
    /// one as many as any module has; but no fewer than `least` for each guest.
    fn shared(&self, guests: u32, started: u64, each: u64, least: u32) -> u32 {
        let further = u64::from(guests.saturating_sub(self.started.guests));
        let wanted = started.saturating_add(further.saturating_mul(each));
        let wanted = wanted.max(u64::from(guests) * u64::from(least));
        u32::try_from(wanted).unwrap_or(u32::MAX)
    }
}

fn one(needs: &Needs) -> Crowd {
    Crowd {
        guests: 1,
        memories: needs.memories as u64,
        tables: needs.tables as u64,
    }
}

fn widen(limits: &mut Limits, other: &Limits) {
    let Limits {
        memory_bytes,
        table_elements,
        core_instances,
        memories,
        tables,
        ..
    } = limits;
    *memory_bytes = other.memory_bytes.max(*memory_bytes);
    *table_elements = other.table_elements.max(*table_elements);
    *core_instances = other.core_instances.max(*core_instances);
    *memories = other.memories.max(*memories);
    *tables = other.tables.max(*tables);
}

impl std::error::Error for TooManyGuests {}

impl fmt::Display for TooManyGuests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, room } = self;
        write!(
            f,
            "{wanted} guests are configured, and only about {} fit, so that those beyond will not start: {}",
            room.guests, room.bound
        )
    }
}

/// An engine with a pool for the guests that are wanted, as far as the machine has room for them.
pub(super) fn setup(
    runtime: &RuntimeSection,
    wanted: &PoolDemand,
    machine: &Machine,
) -> (EngineConfig, Option<TooManyGuests>) {
    let shared = without_pool(runtime, &wanted.limits);
    let like = if wanted.started.guests == 0 {
        Crowd::ONE
    } else {
        wanted.started
    };
    let with = |copy_on_write| {
        let config = EngineConfig {
            copy_on_write,
            ..shared.clone()
        };
        (machine.room(&config, &like), config)
    };
    let (mut room, mut config) = with(runtime.copy_on_write.unwrap_or(true));
    if runtime.copy_on_write.is_none() && room.guests < wanted.sure {
        // Many guests are small ones, which have little to share.
        (room, config) = with(false);
    }
    let guests = wanted.at_most.min(room.guests);
    let PoolDemand { started, largest, .. } = wanted;
    let memories = wanted.shared(guests, started.memories, largest.memories, POOL_MEMORIES);
    let tables = wanted.shared(guests, started.tables, largest.tables, POOL_TABLES);
    config.allocation = Allocation::Pool { guests };
    config.max_memories = Some(runtime.max_memories.unwrap_or(memories));
    config.max_tables = Some(runtime.max_tables.unwrap_or(tables));
    let wanted = wanted.sure;
    let too_many = (wanted > room.guests).then_some(TooManyGuests { wanted, room });
    (config, too_many)
}

/// What of the engine doesn't depend on the number of guests. What the file doesn't say about single memories and tables
/// follows from the limits of its actors.
fn without_pool(runtime: &RuntimeSection, largest: &Limits) -> EngineConfig {
    const PAGE: u64 = 64 << 10;
    let defaults = EngineConfig::default();
    let memory = (largest.memory_bytes as u64).next_multiple_of(PAGE);
    let most_elements = MOST_ELEMENTS as usize;
    let table = largest.table_elements.clamp(defaults.table_reservation, most_elements);
    EngineConfig {
        cache_dir: None,
        cache_key: None,
        cache_bytes: runtime.cache_bytes.unwrap_or(defaults.cache_bytes),
        epoch_tick: runtime.epoch_tick.unwrap_or(defaults.epoch_tick),
        memory_reservation: runtime
            .memory_reservation
            .unwrap_or(memory.max(defaults.memory_reservation)),
        table_reservation: runtime.table_reservation.map_or(table, |elements| elements as usize),
        instance_bytes: runtime.instance_bytes.unwrap_or(defaults.instance_bytes),
        stack_bytes: runtime.stack_bytes.unwrap_or(defaults.stack_bytes),
        component_bytes: runtime.component_bytes.unwrap_or(defaults.component_bytes),
        source_bytes: runtime.source_bytes.unwrap_or(defaults.source_bytes),
        compilation: match runtime.tiered_compilation {
            Some(true) => Compilation::TIERED,
            Some(false) | None => Compilation::Optimized,
        },
        description_limits: largest.clone(),
        name_servers: runtime.name_servers.clone(),
        ..defaults
    }
}
