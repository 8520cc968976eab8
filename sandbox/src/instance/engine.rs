//! The engine: wasmtime set up for actors, its compiled-code cache, and the modules that are loaded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::backend::Backend;
use super::code::Admission;
use super::meter::Meter;
use super::places::{Place, Places};
use super::ticker;
use crate::accounting::family::GuestCount;
use crate::accounting::limiter::EngineBounds;
use crate::accounting::pools::Pools;
use crate::accounting::tally::{ModuleTally, Tally};
use crate::accounting::turns::clock::Clock;
use crate::accounting::turns::{Account, STEPS, TurnCounts, Turns};
use crate::component::engine_config::{Compilation, EngineConfig};
use crate::component::error::EngineError;
use crate::component::needs::{Capacity, Needs};
use crate::component::source::FileLimits;
use crate::policy::limits::Limits;
use crate::store::interface::HostInterfaces;

/// Compiles components and runs them. Cheap to clone; everything ends with the last clone, module and guest.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    optimizing: Backend,
    /// None if guests wait for optimized code.
    baseline: Option<Backend>,
    /// The size of a component from which it has baseline code first.
    tiered_bytes: usize,
    /// What the guests of both have together of the pool; none if wasmtime's own count does, because all come from the pool.
    places: Option<Arc<Places>>,
    clock: Clock,
    /// That of the clock.
    step: Duration,
    turns: Arc<Turns>,
    /// Of instances that are no actors: those that describe their modules.
    describing: Arc<Account>,
    stack_bytes: usize,
    file_limits: FileLimits,
    admission: Admission,
    description_limits: Arc<Limits>,
    guest_count: Arc<GuestCount>,
    pools: Arc<Pools>,
    /// What actors have done, by the names of their modules.
    tallies: Mutex<HashMap<String, Arc<ModuleTally>>>,
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
        let baseline = Backend::baseline(&config, interfaces.clone())?;
        let (optimizing, pool) = Backend::optimizing(&config, interfaces)?;
        let engines = || {
            baseline
                .iter()
                .chain([&optimizing])
                .map(|backend| backend.wasmtime.weak())
        };
        let clock = Clock::default();
        // A step of zero would have the ticker take a thread for itself.
        let step = config.epoch_tick.max(Duration::from_millis(1)) / STEPS;
        // Weak, as in the closure below: held by what it owns itself, the engine would never end.
        ticker::start(engines().collect(), Arc::downgrade(&clock), step).map_err(EngineError::Ticker)?;
        let turns = Turns::new(clock.clone(), step, {
            let engines: Vec<_> = engines().collect();
            move || ticker::end_epoch(&engines)
        });
        let tiered_bytes = match config.compilation {
            Compilation::Tiered { smallest } => smallest,
            Compilation::Optimized => usize::MAX,
        };
        let places = baseline.as_ref().and(pool).map(Places::new);
        Ok(Self {
            inner: Arc::new(Inner {
                optimizing,
                baseline,
                tiered_bytes,
                places,
                clock,
                step,
                turns: Arc::new(turns),
                describing: Arc::default(),
                stack_bytes: config.stack_bytes,
                file_limits: FileLimits {
                    component: config.component_bytes,
                    source: config.source_bytes,
                },
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
                tallies: Mutex::default(),
            }),
        })
    }

    pub(super) fn optimizing(&self) -> &Backend {
        &self.inner.optimizing
    }

    pub(super) fn baseline(&self) -> Option<&Backend> {
        self.inner.baseline.as_ref()
    }

    /// True if a component of this many bytes has baseline code first.
    pub(super) fn is_tiered(&self, bytes: usize) -> bool {
        self.inner.baseline.is_some() && bytes >= self.inner.tiered_bytes
    }

    pub(super) fn admission(&self) -> &Admission {
        &self.inner.admission
    }

    /// A place for one guest with these needs, among those of both compilers.
    ///
    /// # Errors
    /// What is used up, in words.
    pub(super) fn place(&self, needs: &Needs) -> Result<Option<Place>, String> {
        self.inner.places.as_ref().map(|places| places.take(needs)).transpose()
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

    pub(super) fn file_limits(&self) -> FileLimits {
        self.inner.file_limits
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
            optimizing,
            baseline,
            ..
        } = &*self.inner;
        let loaded = [Some(optimizing), baseline.as_ref()].into_iter().flatten();
        let (compiled, from_cache) = loaded.fold((0, 0), |(compiled, from_cache), backend| {
            let of_backend = backend.counts();
            (compiled + of_backend.0, from_cache + of_backend.1)
        });
        EngineFigures {
            guests: guest_count.living(),
            most_guests: guest_count.places(),
            compiled,
            from_cache,
        }
    }
}
