//! One compiler with what is made for its code: wasmtime set up for it, the host's imports, and the code that is loaded.
//!
//! A compilation strategy is that of a wasmtime engine, so that the baseline compiler has a second one. All else that guests share is
//! the [`Engine`](super::engine::Engine)'s, and counts for both.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;
use wasmtime::component::Component;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

use super::code::{Code, Known, Origin};
use crate::component::cache::Cache;
use crate::component::cache_key::CacheKey;
use crate::component::engine_config::{Allocation, Compilation, EngineConfig, POOL_TABLES, Tier};
use crate::component::error::{EngineError, LoadFault};
use crate::component::machine::Machine;
use crate::component::needs::Pool;
use crate::component::proposals::Missing;
use crate::component::source::Digest;
use crate::store::imports::Imports;
use crate::store::interface::HostInterfaces;

/// The size from which a component's functions are kept one by one, in bytes. A smaller one is compiled in less time than its
/// author notices.
const INCREMENTAL_BYTES: usize = 512 << 10;

/// The size from which on the log says that a component is compiled, in bytes. A language with an interpreter is larger, and can take
/// half a minute.
const LARGE: usize = 1 << 20;

/// The number of times that the stack of baseline code is larger: its functions keep everything there that optimized code has in
/// registers.
const BASELINE_STACK: usize = 4;

/// See the module.
pub(super) struct Backend {
    pub(super) tier: Tier,
    pub(super) wasmtime: wasmtime::Engine,
    pub(super) imports: Imports,
    /// Only of optimized code: what the baseline compiler makes is ready before a file of it would be read.
    pub(super) cache: Option<Cache>,
    /// As wasmtime was set up, but for the pool: for engines that only compile.
    config: Config,
    /// Loaded code by digest. The inner lock is held while it is compiled, so that nobody compiles it twice.
    loaded: Mutex<HashMap<Digest, Slot>>,
    /// Components that were compiled, and that were taken from the cache.
    compiled: AtomicU64,
    from_cache: AtomicU64,
}

pub(super) type Slot = Arc<tokio::sync::Mutex<Weak<Code>>>;

/// How many threads compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// One for each processor: somebody waits.
    All,
    /// One, and the others are left to the guests that run meanwhile.
    One,
}

impl Backend {
    /// That of optimized code, with the pool that guests come from.
    pub(super) fn optimizing(
        config: &EngineConfig,
        interfaces: HostInterfaces,
    ) -> Result<(Self, Option<Pool>), EngineError> {
        let (wasmtime, pool) = new_wasmtime(config)?;
        let cache = match (&config.cache_dir, &config.cache_key) {
            (Some(directory), Some(key)) => Some(Cache::open(
                directory.clone(),
                CacheKey::open(key)?,
                config.cache_bytes,
                &wasmtime,
            )?),
            (Some(_), None) => return Err(EngineError::NoCacheKey),
            (None, _) => None,
        };
        let backend = Self {
            tier: Tier::Optimized,
            imports: Imports::new(&wasmtime, interfaces)?,
            wasmtime,
            cache,
            config: wasmtime_config(config, Tier::Optimized),
            loaded: Mutex::default(),
            compiled: AtomicU64::new(0),
            from_cache: AtomicU64::new(0),
        };
        Ok((backend, pool))
    }

    /// That of baseline code, if there is to be any. Its guests are made on demand: they are few and soon replaced, and a second
    /// pool would reserve the address space of the first once more.
    pub(super) fn baseline(config: &EngineConfig, interfaces: HostInterfaces) -> Result<Option<Self>, EngineError> {
        if config.compilation == Compilation::Optimized {
            return Ok(None);
        }
        let compiling = wasmtime_config(config, Tier::Baseline);
        let wasmtime = match wasmtime::Engine::new(&compiling) {
            Ok(wasmtime) => wasmtime,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(
                    error,
                    "this machine has no baseline compiler; guests wait for optimized code (tiered_compilation)"
                );
                return Ok(None);
            }
        };
        Ok(Some(Self {
            tier: Tier::Baseline,
            imports: Imports::new(&wasmtime, interfaces)?,
            wasmtime,
            cache: None,
            config: compiling,
            loaded: Mutex::default(),
            compiled: AtomicU64::new(0),
            from_cache: AtomicU64::new(0),
        }))
    }

    /// Where the code with this digest is, or comes to be.
    pub(super) fn slot(&self, digest: Digest) -> Slot {
        let mut loaded = self.loaded.lock();
        // Forgets what nobody has or loads any more.
        loaded.retain(|_, slot| {
            // A locked slot is being filled. One that is empty may be held by a load that is about to lock it.
            slot.try_lock().map_or(true, |code| code.strong_count() > 0) || Arc::strong_count(slot) > 1
        });
        loaded.entry(digest).or_default().clone()
    }

    /// Code was loaded that came from here.
    pub(super) fn count(&self, origin: Origin) {
        match origin {
            Origin::Compiled => &self.compiled,
            Origin::Cache => &self.from_cache,
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    /// Components that were compiled, and that were taken from the cache.
    pub(super) fn counts(&self) -> (u64, u64) {
        let (compiled, from_cache) = (&self.compiled, &self.from_cache);
        (compiled.load(Ordering::Relaxed), from_cache.load(Ordering::Relaxed))
    }

    /// Compiles a component, and keeps the code. Blocks.
    pub(super) fn compile(&self, known: &Known, bytes: &[u8], threads: Threads) -> Result<Component, LoadFault> {
        let (file, code, is_large) = (known.path.display(), self.tier, bytes.len() >= LARGE);
        if is_large {
            // Before: whoever looks at a node that says nothing is to know what it does.
            tracing::info!(%file, ?code, bytes = bytes.len(), "compiling a large component");
        }
        let begun = Instant::now();
        let component = self.compile_quietly(&known.module, &known.digest, bytes, threads)?;
        if is_large {
            tracing::info!(%file, ?code, took = ?begun.elapsed(), "compiled a large component");
        }
        Ok(component)
    }

    fn compile_quietly(
        &self,
        module: &str,
        digest: &Digest,
        bytes: &[u8],
        threads: Threads,
    ) -> Result<Component, LoadFault> {
        // Asked after the compiler, which knows better what is in order.
        let invalid = |error: wasmtime::Error| match Missing::of(bytes) {
            Some(missing) => LoadFault::Unsupported(missing),
            None => LoadFault::Invalid(format!("{error:#}")),
        };
        let Some(cache) = &self.cache else {
            return match threads {
                Threads::All => Component::from_binary(&self.wasmtime, bytes).map_err(invalid),
                Threads::One => self.deserialize(&self.artifact(bytes, threads).map_err(invalid)?),
            };
        };
        let artifact = if bytes.len() < INCREMENTAL_BYTES {
            self.artifact(bytes, threads).map_err(invalid)?
        } else {
            let functions = Arc::new(cache.functions(module));
            let mut config = self.config.clone();
            let artifact = config
                .parallel_compilation(threads == Threads::All)
                .enable_incremental_compilation(functions.clone())
                .and_then(|config| wasmtime::Engine::new(config))
                .and_then(|compiling| compiling.precompile_component(bytes))
                .map_err(invalid)?;
            tracing::debug!(module, functions = ?functions.counts(), "compiled");
            cache.store_functions(module, &functions);
            artifact
        };
        cache.store(digest, &artifact);
        self.deserialize(&artifact)
    }

    fn artifact(&self, bytes: &[u8], threads: Threads) -> wasmtime::Result<Vec<u8>> {
        match threads {
            Threads::All => self.wasmtime.precompile_component(bytes),
            Threads::One => {
                let mut config = self.config.clone();
                wasmtime::Engine::new(config.parallel_compilation(false))?.precompile_component(bytes)
            }
        }
    }

    fn deserialize(&self, artifact: &[u8]) -> Result<Component, LoadFault> {
        #[expect(unsafe_code, reason = "wasmtime can't check native code, so it asks for a promise")]
        // SAFETY: the compiler of this process made it just now, with the settings of this engine.
        let component = unsafe { Component::deserialize(&self.wasmtime, artifact) };
        component.map_err(|error| LoadFault::Invalid(format!("{error:#}")))
    }
}

/// With its pool, if it has one.
fn new_wasmtime(config: &EngineConfig) -> Result<(wasmtime::Engine, Option<Pool>), EngineError> {
    let mut wasmtime = wasmtime_config(config, Tier::Optimized);
    if let Allocation::Pool { guests } = config.allocation {
        let pool = Pool {
            guests,
            memories: Machine::this().memories(config, guests),
            tables: config.max_tables.unwrap_or(guests.saturating_mul(POOL_TABLES)),
        };
        match wasmtime::Engine::new(wasmtime.clone().allocation_strategy(strategy(config, &pool))) {
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
    let engine = wasmtime::Engine::new(wasmtime.allocation_strategy(InstanceAllocationStrategy::OnDemand));
    let engine = engine.map_err(|error| EngineError::Setup(format!("{error:#}")))?;
    Ok((engine, None))
}

fn wasmtime_config(config: &EngineConfig, tier: Tier) -> Config {
    let mut wasmtime = Config::new();
    let (strategy, stack) = match tier {
        Tier::Optimized => (Strategy::Cranelift, config.stack_bytes),
        Tier::Baseline => (Strategy::Winch, config.stack_bytes.saturating_mul(BASELINE_STACK)),
    };
    wasmtime
        .strategy(strategy)
        .epoch_interruption(true)
        // Guests handle one message at a time; without the machinery for more, an entry costs a third.
        .concurrency_support(false)
        .memory_reservation(config.memory_reservation)
        .memory_guard_size(64 << 10)
        // No memory outgrows its reservation then, with a pool or without. `EngineBounds` counts on that.
        .memory_may_move(false)
        .max_wasm_stack(stack)
        // What the host's own functions need besides, when a guest calls them.
        .async_stack_size(EngineConfig::with_host_stack(stack))
        // Otherwise the pages of a stack that nobody uses any more would stay, with what a guest left on them.
        .async_stack_zeroing(true)
        .memory_init_cow(config.copy_on_write);
    wasmtime
}

/// The pool, with what it reserves bounded, and everything else free: wasmtime would refuse a component for what costs
/// nothing before there is an instance, in words that name no key. Those bounds are [`Capacity`](crate::component::needs::Capacity) and
/// [`Limits`](crate::Limits).
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
