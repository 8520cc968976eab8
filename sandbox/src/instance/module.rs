//! A loaded module: a component that was read, checked against the world and compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::code::{Code, Origin};
use super::engine::Engine;
use crate::component::capabilities::Capabilities;
use crate::component::description::Description;
use crate::component::error::LoadError;
use crate::component::needs::Needs;
use crate::component::reach;
use crate::component::source::{Digest, ModuleSource};
use crate::policy::grants::{Grants, NotGranted};

/// A module that actors can be made of. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    engine: Engine,
    name: Arc<str>,
    path: Arc<Path>,
    code: Arc<Code>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("digest", &self.code.digest)
            .finish_non_exhaustive()
    }
}

impl Module {
    pub(super) fn new(engine: Engine, source: &ModuleSource, code: Arc<Code>) -> Self {
        Self {
            engine,
            name: source.name.as_str().into(),
            path: PathBuf::as_path(&source.path).into(),
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

    /// The digest of that file as it was loaded.
    pub fn digest(&self) -> Digest {
        self.code.digest
    }

    /// Where its compiled code came from.
    pub fn origin(&self) -> Origin {
        self.code.origin
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
        let read = Code::read(&self.path, Some(self.digest()), self.largest_file());
        let (bytes, _) = read.map_err(|fault| LoadError {
            module: self.name.as_ref().to_owned(),
            path: self.path.to_path_buf(),
            fault,
        })?;
        Ok(Capabilities::of(&self.code.interfaces.uses, reach::of(&bytes)))
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
        self.engine.component_bytes()
    }

    /// What it says of itself, if it was asked before.
    pub(crate) fn known_description(&self) -> Option<Description> {
        self.code.description.get().cloned()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn code(&self) -> &Arc<Code> {
        &self.code
    }

    /// True if it exports the interface `reload`, so that it can give its state to other code and take it over.
    pub fn is_reloadable(&self) -> bool {
        self.code.linked.reload.is_some()
    }
}
