//! The engine: wasmtime set up for actors, its compiled-code cache, and the modules that are loaded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::code::{Admission, Code, Origin};
use super::meter::Meter;
use super::ticker;
use crate::accounting::family::GuestCount;
use crate::accounting::limiter::EngineBounds;
use crate::accounting::pools::Pools;
use crate::accounting::tally::{ModuleTally, Tally};
use crate::accounting::turns::clock::Clock;
use crate::accounting::turns::{Account, STEPS, TurnCounts, Turns};
use crate::component::cache::Cache;
use crate::component::cache_key::CacheKey;
use crate::component::engine_config::{Allocation, EngineConfig, POOL_TABLES};
use crate::component::error::{EngineError, LoadFault};
use crate::component::machine::Machine;
use crate::component::needs::{Capacity, Pool};
use crate::component::source::Digest;
use crate::policy::limits::Limits;
use crate::store::imports::Imports;
use crate::store::interface::HostInterfaces;

/// Compiles components and runs them. Cheap to clone; everything ends with the last clone, module and guest.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    wasmtime: wasmtime::Engine,
    imports: Imports,
    cache: Option<Cache>,
    clock: Clock,
    /// That of the clock.
    step: Duration,
    turns: Arc<Turns>,
    /// Of instances that are no actors: those that describe their modules.
    describing: Arc<Account>,
    stack_bytes: usize,
    component_bytes: u64,
    admission: Admission,
    description_limits: Arc<Limits>,
    guest_count: Arc<GuestCount>,
    pools: Arc<Pools>,
    /// Loaded code by digest. The inner lock is held while it is compiled, so that nobody compiles it twice.
    loaded: Mutex<HashMap<Digest, Slot>>,
    /// What actors have done, by the names of their modules.
    tallies: Mutex<HashMap<String, Arc<ModuleTally>>>,
    /// Components that were compiled, and that were taken from the cache.
    compiled: AtomicU64,
    from_cache: AtomicU64,
}

/// What an engine has, and has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineFigures {
    /// Guests that live.
    pub guests: usize,
    /// The instances that its pool has places for; none if it has no pool.
    pub most_guests: Option<usize>,
    /// Components that were compiled.
    pub compiled: u64,
    /// Components whose code was taken from the cache.
    pub from_cache: u64,
}

pub(super) type Slot = Arc<tokio::sync::Mutex<Weak<Code>>>;

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Sets up an engine.
    ///
    /// # Errors
    /// This machine can't run it, or the cache directory is unusable or open to others, or there is no key for it.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        Self::with_interfaces(config, HostInterfaces::default())
    }

    /// The same, for guests that may also import these interfaces, which the program adds.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or an interface has a key that names no section, imports that no component can have, or those of
    /// another interface or of the node itself.
    pub fn with_interfaces(config: EngineConfig, interfaces: HostInterfaces) -> Result<Self, EngineError> {
        let (wasmtime, pool) = new_wasmtime(&config)?;
        let cache = match (config.cache_dir, config.cache_key) {
            (Some(directory), Some(key)) => Some(Cache::open(
                directory,
                CacheKey::open(&key)?,
                config.cache_bytes,
                &wasmtime,
            )?),
            (Some(_), None) => return Err(EngineError::NoCacheKey),
            (None, _) => None,
        };
        let imports = Imports::new(&wasmtime, interfaces)?;
        let clock = Clock::default();
        // A step of zero would have the ticker take a thread for itself.
        let step = config.epoch_tick.max(Duration::from_millis(1)) / STEPS;
        // Weak, as in the closure below: held by what it owns itself, the engine would never end.
        ticker::start(wasmtime.weak(), Arc::downgrade(&clock), step).map_err(EngineError::Ticker)?;
        let turns = Turns::new(clock.clone(), step, {
            let wasmtime = wasmtime.weak();
            move || wasmtime.upgrade().iter().for_each(wasmtime::Engine::increment_epoch)
        });
        Ok(Self {
            inner: Arc::new(Inner {
                wasmtime,
                imports,
                cache,
                clock,
                step,
                turns: Arc::new(turns),
                describing: Arc::default(),
                stack_bytes: config.stack_bytes,
                component_bytes: config.component_bytes,
                admission: Admission {
                    complexity: config.complexity,
                    capacity: Capacity {
                        memory_reservation: config.memory_reservation,
                        table_reservation: config.table_reservation,
                        instance_bytes: config.instance_bytes,
                        pool,
                    },
                },
                description_limits: Arc::new(config.description_limits),
                guest_count: Arc::new(GuestCount::new(pool.map(|pool| pool.guests))),
                pools: Arc::new(Pools::new(config.name_servers)),
                loaded: Mutex::default(),
                tallies: Mutex::default(),
                compiled: AtomicU64::new(0),
                from_cache: AtomicU64::new(0),
            }),
        })
    }

    /// Compiles a component with this digest, or takes it from the cache. Blocks.
    pub(super) fn compile(&self, digest: Digest, bytes: &[u8]) -> Result<Code, LoadFault> {
        let Inner {
            wasmtime,
            imports,
            cache,
            admission,
            compiled,
            from_cache,
            ..
        } = &*self.inner;
        let code = Code::new(wasmtime, imports, cache.as_ref(), admission, digest, bytes)?;
        match code.origin {
            Origin::Compiled => compiled,
            Origin::Cache => from_cache,
        }
        .fetch_add(1, Ordering::Relaxed);
        Ok(code)
    }

    /// Where the code with this digest is, or comes to be.
    pub(super) fn slot(&self, digest: Digest) -> Slot {
        let mut loaded = self.inner.loaded.lock();
        // Forgets what nobody has or loads any more.
        loaded.retain(|_, slot| {
            // A locked slot is being filled. One that is empty may be held by a load that is about to lock it.
            slot.try_lock().map_or(true, |code| code.strong_count() > 0) || Arc::strong_count(slot) > 1
        });
        loaded.entry(digest).or_default().clone()
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.wasmtime
    }

    pub(super) fn bounds(&self) -> EngineBounds {
        let capacity = self.capacity();
        EngineBounds {
            stack: self.inner.stack_bytes,
            memory: capacity.memory_reservation,
            table: capacity.table_reservation,
        }
    }

    pub(super) fn capacity(&self) -> &Capacity {
        &self.inner.admission.capacity
    }

    pub(super) fn component_bytes(&self) -> u64 {
        self.inner.component_bytes
    }

    pub(super) fn description_limits(&self) -> Arc<Limits> {
        self.inner.description_limits.clone()
    }

    pub(crate) fn guest_count(&self) -> Arc<GuestCount> {
        self.inner.guest_count.clone()
    }

    pub(crate) fn pools(&self) -> Arc<Pools> {
        self.inner.pools.clone()
    }

    /// How the guests of this engine have shared the runtime's threads since it was made.
    pub fn turns(&self) -> TurnCounts {
        self.inner.turns.counts()
    }

    pub(super) fn meter(&self, budget: Duration, family: Option<Arc<Account>>, tally: Arc<Tally>) -> Meter {
        let Inner {
            clock,
            step,
            turns,
            describing,
            ..
        } = &*self.inner;
        let family = family.unwrap_or_else(|| describing.clone());
        Meter::new(clock.clone(), *step, budget, turns.clone(), (family, tally))
    }

    /// What the actors of a module of this name have done. It stays, as names of modules do, for as long as the engine lives.
    pub(crate) fn module_tally(&self, module: &str) -> Arc<ModuleTally> {
        let mut tallies = self.inner.tallies.lock();
        if let Some(tally) = tallies.get(module) {
            return tally.clone();
        }
        tallies.entry(module.to_owned()).or_default().clone()
    }

    /// What the engine has, and has done.
    pub fn figures(&self) -> EngineFigures {
        let Inner {
            guest_count,
            compiled,
            from_cache,
            ..
        } = &*self.inner;
        EngineFigures {
            guests: guest_count.living(),
            most_guests: guest_count.places(),
            compiled: compiled.load(Ordering::Relaxed),
            from_cache: from_cache.load(Ordering::Relaxed),
        }
    }
}

/// With its pool, if it has one.
fn new_wasmtime(config: &EngineConfig) -> Result<(wasmtime::Engine, Option<Pool>), EngineError> {
    if let Allocation::Pool { guests } = config.allocation {
        let pool = Pool {
            guests,
            memories: Machine::this().memories(config, guests),
            tables: config.max_tables.unwrap_or(guests.saturating_mul(POOL_TABLES)),
        };
        match wasmtime::Engine::new(wasmtime_config(config).allocation_strategy(strategy(config, &pool))) {
            Ok(engine) => return Ok((engine, Some(pool))),
            // A container may have too little address space for the pool, and a slow node is of more use there than
            // none.
            Err(error) => tracing::warn!(
                guests,
                error = format!("{error:#}"),
                "no address space for a pool of instances; they are made on demand, which is slower"
            ),
        }
    }
    let engine = wasmtime::Engine::new(&wasmtime_config(config));
    let engine = engine.map_err(|error| EngineError::Setup(format!("{error:#}")))?;
    Ok((engine, None))
}

fn wasmtime_config(config: &EngineConfig) -> Config {
    let mut wasmtime = Config::new();
    wasmtime
        .epoch_interruption(true)
        // Guests handle one message at a time; without the machinery for more, an entry costs a third.
        .concurrency_support(false)
        .memory_reservation(config.memory_reservation)
        .memory_guard_size(64 << 10)
        // No memory outgrows its reservation then, with a pool or without. `EngineBounds` counts on that.
        .memory_may_move(false)
        .max_wasm_stack(config.stack_bytes)
        // What the host's own functions need besides, when a guest calls them.
        .async_stack_size(config.stack_with_host())
        // Otherwise the pages of a stack that nobody uses any more would stay, with what a guest left on them.
        .async_stack_zeroing(true)
        .memory_init_cow(config.copy_on_write);
    wasmtime
}

/// The pool, with what it reserves bounded, and everything else free: wasmtime would refuse a component for what costs
/// nothing before there is an instance, in words that name no key. Those bounds are [`Capacity`] and [`Limits`].
fn strategy(config: &EngineConfig, of: &Pool) -> InstanceAllocationStrategy {
    /// Its sizes are rounded up, so that the largest number would overflow.
    const ANY_SIZE: usize = isize::MAX as usize;
    /// A module can't have more memories, or tables, than this anyway. And wasmtime goes through that many when one is dropped.
    const OF_A_MODULE: u32 = 100;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(of.guests)
        .total_stacks(of.guests)
        .total_memories(of.memories)
        .total_tables(of.tables)
        .table_elements(config.table_reservation)
        .max_memory_size(usize::try_from(config.memory_reservation).unwrap_or(usize::MAX))
        .total_core_instances(u32::MAX)
        .max_core_instances_per_component(u32::MAX)
        .max_memories_per_component(u32::MAX)
        .max_tables_per_component(u32::MAX)
        .max_memories_per_module(OF_A_MODULE)
        .max_tables_per_module(OF_A_MODULE)
        .max_component_instance_size(ANY_SIZE)
        .max_core_instance_size(ANY_SIZE);
    InstanceAllocationStrategy::Pooling(pool)
}
