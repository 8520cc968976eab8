//! The engine that a configuration asks for, with its cache of compiled code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::HostError;
use super::pool::{PoolDemand, setup};
use super::user_dirs;
use crate::config::{NodeConfig, RuntimeSection};
use crate::guest::{Engine, EngineConfig, EngineError, HostInterfaces, Machine, Needs};

/// The name of the file with the cache's key.
const CACHE_KEY: &str = "cache.key";

/// The engine for a configuration whose modules need this, by name.
pub(super) fn engine_for(config: &NodeConfig, needs: &BTreeMap<String, Needs>) -> Result<Engine, HostError> {
    let demand = PoolDemand::of(config, needs);
    demand.check(&config.runtime)?;
    let (setup, too_many) = setup(&config.runtime, &demand, &Machine::this());
    match too_many {
        // One of them would not start, and the node with it.
        Some(too_many) if demand.exceeds(&too_many) => return Err(too_many.into()),
        // Those of the file fit. The others are guests that may be spawned later, each of which can fail by itself.
        Some(too_many) => tracing::warn!("{too_many}"),
        None => {}
    }
    let key = cache_key(&config.runtime);
    let interfaces = &config.interfaces;
    let engine = match &config.runtime.cache_dir {
        Some(dir) => {
            let harmless = EngineError::is_trouble_of_the_cache;
            engine_or_without_cache(
                &setup,
                interfaces,
                (Some(dir.clone()), key),
                harmless,
                "this start takes longer",
            )
        }
        None => with_default_cache(&setup, interfaces, key),
    };
    Ok(engine?)
}

/// An engine that keeps compiled code in the user's cache directory or, where that can't be, not at all.
pub(crate) fn engine_with_cache(setup: &EngineConfig, interfaces: &HostInterfaces) -> Result<Engine, EngineError> {
    with_default_cache(setup, interfaces, cache_key(&RuntimeSection::default()))
}

fn with_default_cache(
    setup: &EngineConfig,
    interfaces: &HostInterfaces,
    key: Option<PathBuf>,
) -> Result<Engine, EngineError> {
    let harmless = |error: &EngineError| {
        let is_of_the_folder = matches!(
            error,
            EngineError::CacheDirectory { .. } | EngineError::CacheNotPrivate { .. }
        );
        is_of_the_folder || error.is_trouble_of_the_cache()
    };
    let advice = "`cache_dir` in [runtime] chooses another folder";
    engine_or_without_cache(setup, interfaces, (user_dirs::cache(), key), harmless, advice)
}

/// An engine with this cache or, after a failure that is harmless, without one: compiled code saves time, and nothing else hangs
/// on it.
fn engine_or_without_cache(
    setup: &EngineConfig,
    interfaces: &HostInterfaces,
    (cache_dir, cache_key): (Option<PathBuf>, Option<PathBuf>),
    is_harmless: impl FnOnce(&EngineError) -> bool,
    advice: &str,
) -> Result<Engine, EngineError> {
    let engine = |cache_dir| {
        let config = EngineConfig {
            cache_dir,
            cache_key: cache_key.clone(),
            ..setup.clone()
        };
        Engine::with_interfaces(config, interfaces.clone())
    };
    match engine(cache_dir) {
        Err(error) if is_harmless(&error) => {
            tracing::warn!(%error, "compiled code is not kept; {advice}");
            engine(None)
        }
        other => other,
    }
}

/// Where compiled code is kept.
pub(crate) fn cache_dir(runtime: &RuntimeSection) -> Option<PathBuf> {
    runtime.cache_dir.clone().or_else(user_dirs::cache)
}

/// Where the key of the cache is. Never in the cache, nor where a guest can be granted something. A node that is told where to keep
/// both its code and its states keeps the key with its states; the others of a user share one.
pub(super) fn cache_key(runtime: &RuntimeSection) -> Option<PathBuf> {
    let own = runtime.state_dir.as_ref().filter(|_| runtime.cache_dir.is_some());
    let chosen = runtime.cache_key_file.clone();
    let folder = || own.cloned().or_else(user_dirs::state);
    chosen.or_else(|| Some(folder()?.join(CACHE_KEY)))
}
