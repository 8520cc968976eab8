//! The engine and the modules of a configuration.

use std::collections::BTreeMap;

use super::engine::engine_for;
use super::error::HostError;
use crate::config::NodeConfig;
use crate::guest::{EngineConfig, LoadError, LoadFault, ModuleSource, Modules, Needs};

/// Sets up the engine, for guests that need this by the names of their modules, and loads every module from its source, several at
/// once. Gives those that could be loaded, and why the others could not.
pub(super) async fn load(
    config: &NodeConfig,
    sources: &[ModuleSource],
    needs: &BTreeMap<String, Needs>,
) -> Result<(Modules, Vec<LoadError>), HostError> {
    let modules = Modules::default();
    if sources.is_empty() {
        return Ok((modules, Vec::new()));
    }
    let engine = engine_for(config, needs)?;
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
    Ok((modules, failed))
}

/// What the guests of each module need, by its name: before there is an engine, whose pool is made for them. A module that
/// can't be read is missing, and refused when it is loaded.
pub(super) async fn read_needs(config: &NodeConfig, sources: &[ModuleSource]) -> BTreeMap<String, Needs> {
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
