//! A loaded module: a component that was read, checked against the world and compiled.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::backend::Threads;
use super::code::{Code, Known, Origin};
use super::engine::Engine;
use crate::component::capabilities::Capabilities;
use crate::component::description::Description;
use crate::component::engine_config::Tier;
use crate::component::error::{LoadError, LoadFault};
use crate::component::needs::Needs;
use crate::component::reach;
use crate::component::source::{Digest, ModuleSource, SourceFile, SourceText, read_component};
use crate::policy::grants::{Grants, NotGranted};

/// A module that actors can be made of. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    engine: Engine,
    name: Arc<str>,
    path: Arc<Path>,
    /// What it runs, and its file.
    source: Option<(Arc<SourceText>, Arc<SourceFile>)>,
    /// Of the version: of the component, and of the source that it runs.
    digest: Digest,
    /// What the version says of itself, once it was asked.
    description: Arc<OnceCell<Description>>,
    code: Arc<Code>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Module {
    pub(super) fn new(
        engine: Engine,
        from: &ModuleSource,
        source: Option<Arc<SourceText>>,
        digest: Digest,
        code: Arc<Code>,
    ) -> Self {
        let source = source.zip(from.source.clone().map(Arc::new));
        Self {
            engine,
            name: from.name.as_str().into(),
            path: from.path.as_path().into(),
            // What a component with a source is depends on that. Without, all its modules share the answer.
            description: match &source {
                Some(_) => Arc::default(),
                None => code.description.clone(),
            },
            source,
            digest,
            code,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the source that it runs, if it runs one.
    pub fn source_file(&self) -> Option<&SourceFile> {
        self.source.as_ref().map(|(_, file)| &**file)
    }

    /// The digest of that source as it was loaded, if there is one.
    pub fn source_digest(&self) -> Option<Digest> {
        let (source, _) = self.source.as_ref()?;
        Some(Digest::of(source.text.as_bytes()))
    }

    /// The digest of its file as it was loaded or, if it runs a source, of both together.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where its compiled code came from.
    pub fn origin(&self) -> Origin {
        self.code.origin
    }

    /// How well its code is compiled.
    pub fn tier(&self) -> Tier {
        self.code.tier
    }

    /// The same module with optimized code: itself if its code is that, and else after it was compiled, on one thread, beside
    /// the guests that run meanwhile.
    ///
    /// # Errors
    /// It can't be compiled.
    pub async fn optimized(&self) -> Result<Self, LoadError> {
        let Some(component) = self.code.component.clone() else {
            return Ok(self.clone());
        };
        let known = Known {
            module: self.name.clone(),
            path: self.path.clone(),
            digest: self.code.digest,
        };
        let code = self
            .engine
            .optimized_code(known, component, Threads::One)
            .await
            .map_err(|fault| self.error(fault))?;
        Ok(Self { code, ..self.clone() })
    }

    /// True if both run the same compiled code, loaded once.
    pub fn shares_code_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.code, &other.code)
    }

    /// The names of what it imports, in the order of the component.
    pub fn imports(&self) -> impl Iterator<Item = &str> {
        self.code.interfaces.imports.iter().map(String::as_str)
    }

    /// The names of what it exports.
    pub fn exports(&self) -> impl Iterator<Item = &str> {
        self.code.interfaces.exports.iter().map(String::as_str)
    }

    /// The capabilities that its actors could use. It reads the file once more and follows the calls in its code, which takes about a
    /// second for one of twenty megabytes, and should run where that may block.
    ///
    /// # Errors
    /// The file can't be read, or is another one by now.
    pub fn capabilities(&self) -> Result<Capabilities, LoadError> {
        let read = read_component(&self.path, Some(self.code.digest), self.largest_file());
        let (bytes, _) = read.map_err(|fault| self.error(fault))?;
        Ok(Capabilities::of(&self.code.interfaces.uses, reach::of(&bytes)))
    }

    fn error(&self, fault: LoadFault) -> LoadError {
        LoadError {
            module: self.name.to_string(),
            path: self.path.to_path_buf(),
            fault,
        }
    }

    /// Checks that it imports nothing that an actor would have to be granted and isn't.
    ///
    /// # Errors
    /// What it imports, and what to write into node.toml.
    pub fn admitted_by(&self, grants: &Grants) -> Result<(), NotGranted> {
        // Asked for each instance and not once for the module: actors of one module may have different grants.
        grants.admit(self.imports())?;
        for used in &self.code.added {
            used.granted(grants)?;
        }
        Ok(())
    }

    /// What each of its guests takes of the pool when it starts.
    pub fn needs(&self) -> &Needs {
        &self.code.needs
    }

    /// The size of its file, in bytes.
    pub fn size(&self) -> usize {
        self.code.size
    }

    /// The largest file that another version of it can be, in bytes.
    pub fn largest_file(&self) -> u64 {
        self.engine.file_limits().component
    }

    /// The largest source that another version of it can run, in bytes.
    pub fn largest_source(&self) -> u64 {
        self.engine.file_limits().source
    }

    /// What it says of itself, if it was asked before.
    pub(crate) fn known_description(&self) -> Option<Description> {
        self.description.get().cloned()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn description_cell(&self) -> &OnceCell<Description> {
        &self.description
    }

    pub(super) fn source(&self) -> Option<Arc<SourceText>> {
        self.source.as_ref().map(|(text, _)| text.clone())
    }

    pub(super) fn code(&self) -> &Arc<Code> {
        &self.code
    }

    /// True if it exports the interface `reload`, so that it can give its state to other code and take it over.
    pub fn is_reloadable(&self) -> bool {
        self.code.linked.reload.is_some()
    }
}
