//! From a file to a module that actors can be made of.

use std::sync::Arc;

use super::backend::Threads;
use super::code::{Code, Known};
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
        let loaded = self.load_version(source).await;
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

    async fn load_version(&self, source: &ModuleSource) -> Result<Module, LoadFault> {
        let limits = self.file_limits();
        let files = {
            let source = source.clone();
            blocking(move || source.read(limits)).await?
        };
        let known = Known {
            module: source.name.as_str().into(),
            path: source.path.as_path().into(),
            digest: files.component_digest,
        };
        let code = self.load_code(known, files.component.into()).await?;
        if let (Some(file), false) = (&source.source, code.runs_source()) {
            return Err(LoadFault::RunsNoSource {
                path: file.path.clone(),
            });
        }
        Ok(Module::new(self.clone(), source, files.source, files.digest, code))
    }

    async fn load_code(&self, known: Known, bytes: Arc<[u8]>) -> Result<Arc<Code>, LoadFault> {
        if self.is_tiered(bytes.len())
            && let Some(code) = self.ready_or_baseline(&known, &bytes).await?
        {
            return Ok(code);
        }
        self.optimized_code(known, bytes, Threads::All).await
    }

    /// Optimized code, which is compiled if it isn't there.
    pub(super) async fn optimized_code(
        &self,
        known: Known,
        bytes: Arc<[u8]>,
        threads: Threads,
    ) -> Result<Arc<Code>, LoadFault> {
        let slot = self.optimizing().slot(known.digest);
        // Held while it compiles: those that load the same bytes meanwhile wait for this and share the code.
        let mut loaded = slot.lock().await;
        if let Some(code) = loaded.upgrade() {
            return Ok(code);
        }
        let engine = self.clone();
        let code = blocking(move || Code::new(engine.optimizing(), engine.admission(), &known, &bytes, threads));
        let code = Arc::new(code.await?);
        *loaded = Arc::downgrade(&code);
        Ok(code)
    }

    /// Optimized code that is there, or else baseline code. None if the baseline compiler can't compile it.
    async fn ready_or_baseline(&self, known: &Known, bytes: &Arc<[u8]>) -> Result<Option<Arc<Code>>, LoadFault> {
        let slot = self.optimizing().slot(known.digest);
        // One that is locked is being filled, which is not waited for here.
        if let Ok(mut loaded) = slot.try_lock() {
            if let Some(code) = loaded.upgrade() {
                return Ok(Some(code));
            }
            let (engine, known, bytes) = (self.clone(), known.clone(), bytes.clone());
            let cached = blocking(move || Code::cached(engine.optimizing(), engine.admission(), &known, &bytes));
            if let Some(code) = cached.await? {
                let code = Arc::new(code);
                *loaded = Arc::downgrade(&code);
                return Ok(Some(code));
            }
        }
        let Some(baseline) = self.baseline() else {
            return Ok(None);
        };
        let slot = baseline.slot(known.digest);
        let mut loaded = slot.lock().await;
        if let Some(code) = loaded.upgrade() {
            return Ok(Some(code));
        }
        let (engine, of, bytes) = (self.clone(), known.clone(), bytes.clone());
        let compiled = blocking(move || {
            let baseline = engine.baseline();
            baseline
                .map(|baseline| Code::new(baseline, engine.admission(), &of, &bytes, Threads::All))
                .transpose()
        });
        match compiled.await {
            Ok(code) => Ok(code.map(|code| {
                let code = Arc::new(code);
                *loaded = Arc::downgrade(&code);
                code
            })),
            // It may be in order all the same: not all that components have is known to the baseline compiler.
            Err(LoadFault::Invalid(error)) => {
                tracing::debug!(
                    module = &*known.module,
                    error,
                    "no baseline code; it is optimized at once"
                );
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
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
