//! The engine and the modules of a configuration.

use std::path::PathBuf;

use crate::config::{Code, NodeConfig};
use crate::guest::{Allocation, Engine, EngineConfig, EngineError, LoadError, LoadFault, Module, Modules};

use super::error::HostError;

/// Guests that a pool is made for at least, so that some can be added later.
const SMALLEST_POOL: u32 = 1000;

/// Guests that a pool is made for at most. Beyond it the address space of a process gets short.
const LARGEST_POOL: u32 = 8000;

/// The modules of a configuration, loaded.
pub(crate) struct Guests {
    modules: Modules,
}

impl Guests {
    /// Sets up the engine and loads every module, several at once.
    pub(crate) async fn load(config: &NodeConfig) -> Result<Self, HostError> {
        if config.modules.is_empty() {
            return Ok(Self {
                modules: Modules::default(),
            });
        }
        let engine = engine(config)?;
        let start = |source: &crate::guest::ModuleSource| {
            let (engine, source) = (engine.clone(), source.clone());
            tokio::spawn(async move { engine.load(&source).await })
        };
        let loading: Vec<_> = config.modules.iter().map(|source| (source, start(source))).collect();
        let modules = Modules::default();
        for (source, task) in loading {
            let module = task.await.unwrap_or_else(|ended| {
                let (module, path) = (source.name.clone(), source.path.clone());
                Err(LoadError {
                    module,
                    path,
                    fault: LoadFault::Interrupted(ended.to_string()),
                })
            })?;
            tracing::info!(module = module.name(), digest = %module.digest(), "module loaded");
            modules.insert(module);
        }
        Ok(Self { modules })
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

fn engine(config: &NodeConfig) -> Result<Engine, EngineError> {
    let allocation = allocation(config);
    let engine = |cache_dir| {
        Engine::new(EngineConfig {
            cache_dir,
            allocation,
            ..EngineConfig::default()
        })
    };
    if let Some(dir) = &config.runtime.cache_dir {
        return engine(Some(dir.clone()));
    }
    match engine(default_cache_dir()) {
        Err(error @ (EngineError::CacheDirectory { .. } | EngineError::CacheNotPrivate { .. })) => {
            tracing::warn!(%error, "compiled code is not kept; `cache_dir` in [runtime] chooses another folder");
            engine(None)
        }
        other => other,
    }
}

/// A pool with room for the guests that are configured, unless they are more than a pool can hold.
fn allocation(config: &NodeConfig) -> Allocation {
    let is_guest = |code: &Code| matches!(code, Code::Module(_));
    let counts = config
        .actors
        .iter()
        .filter(|actor| is_guest(&actor.code))
        .map(|actor| actor.count);
    let guests = counts.fold(0u32, u32::saturating_add);
    if guests > LARGEST_POOL {
        Allocation::OnDemand
    } else {
        Allocation::Pool {
            guests: guests.saturating_mul(2).clamp(SMALLEST_POOL, LARGEST_POOL),
        }
    }
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
