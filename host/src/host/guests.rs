//! The engine and the modules of a configuration.

use std::collections::BTreeMap;

use super::error::HostError;
use super::pool::engine_for;
use crate::config::{Code, NodeConfig};
use crate::guest::{EngineConfig, LoadError, LoadFault, Module, ModuleSource, Modules, Needs};

/// The modules of a configuration, loaded.
pub(crate) struct Guests {
    modules: Modules,
}

impl Guests {
    /// Sets up the engine and loads every module from its source, several at once.
    pub(crate) async fn load(config: &NodeConfig, sources: &[ModuleSource]) -> Result<Self, HostError> {
        if sources.is_empty() {
            return Ok(Self {
                modules: Modules::default(),
            });
        }
        let needs = read_needs(config, sources).await;
        check_needs(config, &needs)?;
        let engine = engine_for(config, &needs)?;
        let start = |source: &ModuleSource| {
            let (engine, source) = (engine.clone(), source.clone());
            tokio::spawn(async move { engine.load(&source).await })
        };
        let loading: Vec<_> = sources.iter().map(|source| (source, start(source))).collect();
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
            tracing::info!(module = module.name(), digest = %module.digest(), code = ?module.origin(), "module loaded");
            modules.insert(module);
        }
        Ok(Self { modules })
    }

    /// The module with this name.
    pub(crate) fn module(&self, name: &str) -> Option<Module> {
        self.modules.find(name)
    }

    /// Checks that no actor is of a module that imports what it is not granted, and that the directories are there.
    pub(crate) fn check_grants(&self, config: &NodeConfig) -> Result<(), HostError> {
        for section in &config.actors {
            if let Code::Module(name) = &section.code
                && let Some(module) = self.module(name)
            {
                module
                    .admitted_by(&section.grants)
                    .map_err(|reason| HostError::NotGranted {
                        actor: section.name.clone(),
                        module: name.clone(),
                        reason,
                    })?;
            }
            for directory in &section.grants.directories {
                directory.check().map_err(|reason| HostError::Directory {
                    actor: section.name.clone(),
                    reason,
                })?;
            }
        }
        Ok(())
    }

    /// All modules.
    pub(crate) fn modules(&self) -> &Modules {
        &self.modules
    }
}

/// What the guests of each module need, by its name: before there is an engine, whose pool is made for them. A module that
/// can't be read is missing, and refused when it is loaded.
async fn read_needs(config: &NodeConfig, sources: &[ModuleSource]) -> BTreeMap<String, Needs> {
    let limit = config.runtime.component_bytes;
    let limit = limit.unwrap_or(EngineConfig::default().component_bytes);
    let read = |source: &ModuleSource| {
        let source = source.clone();
        tokio::task::spawn_blocking(move || Some((source.name.clone(), source.needs(limit)?)))
    };
    let reading: Vec<_> = sources.iter().map(read).collect();
    let mut needs = BTreeMap::new();
    for task in reading {
        needs.extend(task.await.ok().flatten());
    }
    needs
}

/// Checks that every actor may have what its module has when it starts. Before modules are loaded: what an engine has room for
/// follows from the limits of actors, and those are what to raise.
fn check_needs(config: &NodeConfig, needs: &BTreeMap<String, Needs>) -> Result<(), HostError> {
    for section in &config.actors {
        if let Code::Module(module) = &section.code
            && let Some(needs) = needs.get(module)
        {
            needs.check(&section.limits).map_err(|reason| HostError::Limits {
                actor: section.name.clone(),
                module: module.clone(),
                reason,
            })?;
        }
    }
    Ok(())
}
