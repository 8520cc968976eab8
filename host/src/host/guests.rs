//! The engine and the modules of a configuration.

use std::fmt;
use std::path::PathBuf;

use crate::config::{Code, NodeConfig, RuntimeSection};
use crate::guest::{
    Allocation, Engine, EngineConfig, EngineError, LoadError, LoadFault, Machine, Module, ModuleSource, Modules, Room,
};

use super::error::HostError;

/// Guests that a pool is made for at least, so that some can be added later.
const SMALLEST_POOL: u32 = 1000;

/// The modules of a configuration, loaded.
pub(crate) struct Guests {
    modules: Modules,
}

impl Guests {
    /// Sets up the engine and loads every module from its source, several at once. Gives those that could be loaded, and
    /// why the others could not.
    pub(super) async fn load(
        config: &NodeConfig,
        sources: &[ModuleSource],
    ) -> Result<(Self, Vec<LoadError>), HostError> {
        let modules = Modules::default();
        if sources.is_empty() {
            return Ok((Self { modules }, Vec::new()));
        }
        let engine = engine(config)?;
        let start = |source: &ModuleSource| {
            let (engine, source) = (engine.clone(), source.clone());
            tokio::spawn(async move { engine.load(&source).await })
        };
        let loading: Vec<_> = sources.iter().map(|source| (source, start(source))).collect();
        let mut failed = Vec::new();
        for (source, task) in loading {
            let loaded = task.await.unwrap_or_else(|ended| {
                let (module, path) = (source.name.clone(), source.path.clone());
                Err(LoadError {
                    module,
                    path,
                    fault: LoadFault::Interrupted(ended.to_string()),
                })
            });
            match loaded {
                Ok(module) => {
                    tracing::info!(module = module.name(), digest = %module.digest(), code = ?module.origin(), "module loaded");
                    modules.insert(module);
                }
                Err(error) => failed.push(error),
            }
        }
        Ok((Self { modules }, failed))
    }

    /// The module with this name.
    pub(crate) fn module(&self, name: &str) -> Option<Module> {
        self.modules.find(name)
    }

    /// All modules.
    pub(crate) fn modules(&self) -> &Modules {
        &self.modules
    }
}

/// The largest memory that an actor may have, in whole pages, if that is more than the default has room for.
fn largest_memory(config: &NodeConfig) -> Option<u64> {
    const PAGE: u64 = 64 << 10;
    let memories = config.actors.iter().map(|actor| actor.limits.memory_bytes as u64);
    let largest = memories.max()?.next_multiple_of(PAGE);
    (largest > EngineConfig::default().memory_reservation).then_some(largest)
}

fn engine(config: &NodeConfig) -> Result<Engine, EngineError> {
    let wanted = Wanted::of(config);
    let runtime = RuntimeSection {
        memory_reservation: config.runtime.memory_reservation.or_else(|| largest_memory(config)),
        ..config.runtime.clone()
    };
    let (setup, too_many) = setup(&runtime, &wanted, &Machine::this());
    if let Some(too_many) = too_many {
        tracing::warn!("{too_many}");
    }
    match &config.runtime.cache_dir {
        Some(dir) => {
            let engine = |cache_dir| {
                Engine::new(EngineConfig {
                    cache_dir,
                    ..setup.clone()
                })
            };
            match engine(Some(dir.clone())) {
                // Compiled code saves time, and nothing else hangs on it.
                Err(error) if error.is_trouble_of_the_cache() => {
                    tracing::warn!(%error, "compiled code is not kept; this start takes longer");
                    engine(None)
                }
                other => other,
            }
        }
        None => engine_with_cache(&setup),
    }
}

/// An engine that keeps compiled code in the user's cache directory or, where that can't be, not at all.
pub(crate) fn engine_with_cache(setup: &EngineConfig) -> Result<Engine, EngineError> {
    let engine = |cache_dir| {
        Engine::new(EngineConfig {
            cache_dir,
            ..setup.clone()
        })
    };
    match engine(default_cache_dir()) {
        Err(error @ (EngineError::CacheDirectory { .. } | EngineError::CacheNotPrivate { .. })) => {
            tracing::warn!(%error, "compiled code is not kept; `cache_dir` in [runtime] chooses another folder");
            engine(None)
        }
        other => other,
    }
}

/// How many guests there are to be room for.
struct Wanted {
    /// Those that are started.
    configured: u32,
    /// Those that may live at once.
    at_most: u32,
}

/// More guests are wanted than fit.
#[derive(Debug, PartialEq, Eq)]
struct TooMany {
    wanted: u32,
    room: Room,
}

impl Wanted {
    fn of(config: &NodeConfig) -> Self {
        let is_guest = |code: &Code| matches!(code, Code::Module(_));
        let actors = config.actors.iter().filter(|actor| is_guest(&actor.code));
        Self::new(
            actors.map(|actor| actor.count).fold(0, u32::saturating_add),
            config.runtime.max_guests,
        )
    }

    /// Room for some that are spawned later, if the file doesn't say how many there can be.
    fn new(configured: u32, max_guests: Option<u32>) -> Self {
        let at_most = max_guests.unwrap_or(configured.saturating_mul(2).max(SMALLEST_POOL));
        Self {
            configured: configured.max(max_guests.unwrap_or_default()),
            at_most,
        }
    }
}

impl fmt::Display for TooMany {
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
fn setup(runtime: &RuntimeSection, wanted: &Wanted, machine: &Machine) -> (EngineConfig, Option<TooMany>) {
    let defaults = EngineConfig::default();
    let shared = EngineConfig {
        cache_dir: None,
        epoch_tick: runtime.epoch_tick.unwrap_or(defaults.epoch_tick),
        memory_reservation: runtime.memory_reservation.unwrap_or(defaults.memory_reservation),
        stack_bytes: runtime.stack_bytes.unwrap_or(defaults.stack_bytes),
        component_bytes: runtime.component_bytes.unwrap_or(defaults.component_bytes),
        ..defaults
    };
    let with = |copy_on_write| {
        let config = EngineConfig {
            copy_on_write,
            ..shared.clone()
        };
        (machine.room(&config), config)
    };
    let (mut room, mut config) = with(runtime.copy_on_write.unwrap_or(true));
    if runtime.copy_on_write.is_none() && room.guests < wanted.configured {
        // Many guests are small ones, which have little to share.
        (room, config) = with(false);
    }
    config.allocation = Allocation::Pool {
        guests: wanted.at_most.min(room.guests),
    };
    let wanted = wanted.configured;
    let too_many = (wanted > room.guests).then_some(TooMany { wanted, room });
    (config, too_many)
}

/// The folder for this program in the user's cache directory, as the XDG base directory specification has it.
fn default_cache_dir() -> Option<PathBuf> {
    let folder = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let user = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(user.join("ractor-host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: Machine = Machine {
        mappings: Some(65_530),
        address_space: None,
    };

    fn of(configured: u32, max_guests: Option<u32>) -> (EngineConfig, Option<TooMany>) {
        setup(&RuntimeSection::default(), &Wanted::new(configured, max_guests), &LINUX)
    }

    fn pool(config: &EngineConfig) -> u32 {
        match config.allocation {
            Allocation::Pool { guests } => guests,
            Allocation::OnDemand => 0,
        }
    }

    #[test]
    fn a_pool_has_room_for_more_than_is_configured() {
        for (configured, max_guests, expected) in [
            (0, None, 1000),
            (3, None, 1000),
            (600, None, 1200),
            (3, Some(5), 5),
            (3, Some(5000), 5000),
            (9000, None, 9556),
        ] {
            let (config, too_many) = of(configured, max_guests);
            assert_eq!(pool(&config), expected, "{configured} {max_guests:?}");
            assert!(config.copy_on_write);
            assert_eq!(too_many, None);
        }
    }

    #[test]
    fn many_guests_share_no_pages() {
        let (config, too_many) = of(10_000, None);
        assert!(!config.copy_on_write);
        assert_eq!((pool(&config), too_many), (14_334, None));
    }

    #[test]
    fn more_guests_than_fit_are_told_of() {
        let (config, too_many) = of(20_000, None);
        assert_eq!(pool(&config), 14_334);
        let text = too_many.map(|too_many| too_many.to_string()).unwrap_or_default();
        assert_eq!(
            text,
            "20000 guests are configured, and only about 14334 fit, so that those beyond will not start: a process can have \
             65530 memory mappings here, and a guest takes 4; `sysctl -w vm.max_map_count=131060` makes room for twice as \
             many"
        );
        assert!(of(3, Some(20_000)).1.is_some());
    }

    #[test]
    fn the_file_decides() {
        let runtime = RuntimeSection {
            memory_reservation: Some(1 << 30),
            stack_bytes: Some(1 << 20),
            component_bytes: Some(1 << 20),
            epoch_tick: Some(std::time::Duration::from_millis(2)),
            copy_on_write: Some(true),
            ..RuntimeSection::default()
        };
        let (config, too_many) = setup(&runtime, &Wanted::new(10_000, None), &LINUX);
        assert_eq!(
            config,
            EngineConfig {
                cache_dir: None,
                epoch_tick: std::time::Duration::from_millis(2),
                allocation: Allocation::Pool { guests: 9556 },
                memory_reservation: 1 << 30,
                stack_bytes: 1 << 20,
                component_bytes: 1 << 20,
                copy_on_write: true,
                complexity: crate::guest::Complexity::default(),
            }
        );
        assert!(too_many.is_some());
    }
}
