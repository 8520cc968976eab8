//! From a file to a module that actors can be made of.

use std::sync::Arc;

use super::code::Code;
use super::engine::Engine;
use super::module::Module;
use crate::component::error::{LoadError, LoadFault};
use crate::component::source::ModuleSource;

impl Engine {
    /// Reads a component, checks that it is an actor, and compiles it unless that was done before.
    ///
    /// # Errors
    /// See [`LoadFault`].
    pub async fn load(&self, source: &ModuleSource) -> Result<Module, LoadError> {
        let loaded = self.load_code(source).await;
        let loaded = loaded.map(|code| Module::new(self.clone(), source, code));
        if let Ok(module) = &loaded {
            self.warn_of_room(module);
        }
        loaded.map_err(|fault| LoadError {
            module: source.name.clone(),
            path: source.path.clone(),
            fault,
        })
    }

    /// A module that came later may need more of the pool than was foreseen.
    fn warn_of_room(&self, module: &Module) {
        let Some(pool) = self.capacity().pool else { return };
        let needs = module.needs();
        let fit = pool.guests_with(needs);
        if fit < pool.guests.into() {
            tracing::warn!(
                module = module.name(),
                memories = needs.memories,
                tables = needs.tables,
                "only about {fit} guests of this module fit; `max_memories` and `max_tables` under [runtime], {} and {} now, make \
                 room for more",
                pool.memories,
                pool.tables
            );
        }
    }

    async fn load_code(&self, source: &ModuleSource) -> Result<Arc<Code>, LoadFault> {
        let (path, expected, limit) = (source.path.clone(), source.digest, self.component_bytes());
        let (bytes, digest) = blocking(move || Code::read(&path, expected, limit)).await?;
        let slot = self.slot(digest);
        // Held while it compiles: those that load the same bytes meanwhile wait for this and share the code.
        let mut loaded = slot.lock().await;
        if let Some(code) = loaded.upgrade() {
            return Ok(code);
        }
        let (engine, path) = (self.clone(), source.path.clone());
        let code = blocking(move || engine.compile(&path, digest, &bytes)).await?;
        let code = Arc::new(code);
        *loaded = Arc::downgrade(&code);
        Ok(code)
    }
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadFault> + Send + 'static,
) -> Result<T, LoadFault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LoadFault::Interrupted(error.to_string())))
}
