//! A loaded module: a component that was read, checked against the world and compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;
use wasmtime::component::{Component, Linker};

use super::calls::Instance;
use super::engine::Engine;
use super::linking::{self, Linked};
use crate::accounting::label::Label;
use crate::component::bindings::Descriptor;
use crate::component::cache::{Cache, InUse};
use crate::component::capabilities::Want;
use crate::component::complexity::{self, Complexity};
use crate::component::description::Description;
use crate::component::error::LoadFault;
use crate::component::format::check_format;
use crate::component::interfaces::{self, Interfaces};
use crate::component::needs::{Capacity, Needs, Outline};
use crate::component::source::{Digest, ModuleSource};
use crate::files::{self, ReadError};
use crate::instance::error::{Fault, GuestError};
use crate::instance::reload_exports::ReloadExports;
use crate::policy::grants::{Grants, NotGranted};
use crate::policy::limits::Limits;
use crate::store::state::State;

/// A module that actors can be made of. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    engine: Engine,
    name: Arc<str>,
    path: Arc<Path>,
    code: Arc<Code>,
}

/// Where compiled code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This process compiled it.
    Compiled,
    /// The cache had it.
    Cache,
}

/// Compiled code, linked with the host. Shared by all modules of the same digest.
pub(crate) struct Code {
    digest: Digest,
    /// Of the file, in bytes.
    size: usize,
    origin: Origin,
    /// Keeps the compiled code in the cache.
    _in_use: Option<InUse>,
    linked: Linked,
    interfaces: Interfaces,
    needs: Needs,
    /// What it says of itself, once it was asked.
    description: OnceCell<Description>,
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
    pub(crate) fn new(engine: Engine, source: &ModuleSource, code: Arc<Code>) -> Self {
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

    /// The capabilities that its actors could use.
    pub fn wants(&self) -> &[Want] {
        &self.code.interfaces.wants
    }

    /// Checks that it imports nothing that an actor would have to be granted and isn't.
    ///
    /// # Errors
    /// What it imports, and what to write into node.toml.
    pub fn admitted_by(&self, grants: &Grants) -> Result<(), NotGranted> {
        grants.admit(self.imports())
    }

    /// What each of its guests takes of the pool when it starts.
    pub fn needs(&self) -> &Needs {
        &self.code.needs
    }

    /// The size of its file, in bytes.
    pub fn size(&self) -> usize {
        self.code.size
    }

    /// Asks the component what it is, on a fresh instance that is no actor.
    ///
    /// # Errors
    /// The component trapped, e.g. because it used an import.
    pub async fn describe(&self) -> Result<Descriptor, GuestError> {
        self.trial(self.engine.description_limits()).await?.describe().await
    }

    /// The largest file that another version of it can be, in bytes.
    pub fn largest_file(&self) -> u64 {
        self.engine.component_bytes()
    }

    /// Whether an actor with these limits could be instantiated, and what it then says of itself; none if it does not. Nothing
    /// of the component runs but its instantiation and the function that describes it.
    ///
    /// # Errors
    /// There would be no instance: its memories or tables are too large from the start, it has too many core instances, or
    /// its start traps.
    pub async fn rehearse(&self, limits: Arc<Limits>) -> Result<Option<Descriptor>, GuestError> {
        drop(self.trial(limits).await?);
        // Asked for once for all actors, and on an instance with room for it.
        Ok(self.descriptor().await)
    }

    /// An instance that is no actor.
    async fn trial(&self, limits: Arc<Limits>) -> Result<Instance, GuestError> {
        let label = Label::new(self.name.clone(), self.name.clone(), 0, &limits);
        Instance::new(self, None, label, limits).await
    }

    /// What it says of itself, if it was asked before.
    pub(crate) fn known_description(&self) -> Option<Description> {
        self.code.description.get().cloned()
    }

    /// What it says of itself, as bytes; none if it does not. It is asked once for all its actors, unless there was no
    /// room for the instance that it takes.
    pub(crate) async fn description(&self) -> Description {
        let described = self.code.description.get_or_try_init(|| async {
            let description = match self.describe().await {
                Ok(descriptor) => descriptor.to_bytes().map_err(|error| error.to_string()),
                Err(error) if matches!(error.fault, Fault::NoInstance { .. }) => return Err(error),
                Err(error) => Err(error.to_string()),
            };
            Ok(match description {
                Ok(bytes) => Some(bytes.into()),
                Err(error) => {
                    tracing::warn!(module = &*self.name, error, "the module does not describe itself");
                    None
                }
            })
        });
        match described.await {
            Ok(description) => description.clone(),
            Err(error) => {
                tracing::debug!(module = &*self.name, %error, "no room to describe the module");
                None
            }
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.code
    }

    /// True if it exports the interface `reload`, so that it can give its state to other code and take it over.
    pub fn is_reloadable(&self) -> bool {
        self.code.linked.reload.is_some()
    }

    /// What it says of itself, asked for once; none if it does not.
    pub async fn descriptor(&self) -> Option<Descriptor> {
        let bytes = self.description().await?;
        Descriptor::from_bytes(&bytes).ok()
    }
}

impl Code {
    pub(crate) fn linked(&self) -> &Linked {
        &self.linked
    }

    pub(crate) fn reload(&self) -> Option<&ReloadExports> {
        self.linked.reload.as_ref()
    }

    /// Reads a file of at most `limit` bytes and checks its digest, if one is expected.
    pub(crate) fn read(path: &Path, expected: Option<Digest>, limit: u64) -> Result<(Vec<u8>, Digest), LoadFault> {
        let bytes = files::read(path, limit).map_err(|error| match error {
            ReadError::TooLarge(limit) => LoadFault::TooLarge { limit },
            other => LoadFault::Read(other),
        })?;
        let found = Digest::of(&bytes);
        match expected {
            Some(expected) if expected != found => Err(LoadFault::DigestMismatch { expected, found }),
            _ => Ok((bytes, found)),
        }
    }

    /// Compiles, or takes what was compiled before, and checks that it is an actor.
    pub(crate) fn new(
        engine: &wasmtime::Engine,
        linker: &Linker<State>,
        cache: Option<&Cache>,
        admission: &Admission,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Self, LoadFault> {
        let needs = admission.needs(bytes)?;
        let (component, origin) = match cache {
            Some(cache) => cached_or_compiled(engine, cache, &digest, bytes)?,
            None => (compile(engine, bytes)?, Origin::Compiled),
        };
        let linked = linking::check(engine, linker, &component)?;
        Ok(Self {
            digest,
            size: bytes.len(),
            origin,
            _in_use: cache.and_then(|cache| cache.hold(&digest)),
            linked,
            interfaces: Interfaces::of(engine, &component),
            needs,
            description: OnceCell::new(),
        })
    }
}

/// What an engine admits, as far as the bytes of a component tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    pub(crate) complexity: Complexity,
    pub(crate) capacity: Capacity,
}

impl Admission {
    /// What each guest of the component needs, unless it is not even to be compiled.
    fn needs(&self, bytes: &[u8]) -> Result<Needs, LoadFault> {
        check_format(bytes)?;
        complexity::check(bytes, &self.complexity)?;
        let outline = Outline::of(bytes);
        interfaces::check_releases(&outline.imports)?;
        let needs = outline.needs()?;
        needs.fit(&self.capacity)?;
        Ok(needs)
    }
}

impl ModuleSource {
    /// What each guest of the component in this file needs: read, not compiled. None of a file that can't be loaded, for
    /// which [`Engine::load`] says why.
    ///
    /// It reads a file of up to `limit` bytes, and should run where that may block.
    pub fn needs(&self, limit: u64) -> Option<Needs> {
        let (bytes, _) = Code::read(&self.path, self.digest, limit).ok()?;
        check_format(&bytes).ok()?;
        complexity::check(&bytes, &Complexity::default()).ok()?;
        Outline::of(&bytes).needs().ok()
    }
}

/// Takes it from the cache, or compiles it while other nodes wait to find it there.
fn cached_or_compiled(
    engine: &wasmtime::Engine,
    cache: &Cache,
    digest: &Digest,
    bytes: &[u8],
) -> Result<(Component, Origin), LoadFault> {
    if let Some(component) = cache.load(engine, digest) {
        return Ok((component, Origin::Cache));
    }
    let _claim = cache.claim(digest);
    if let Some(component) = cache.load(engine, digest) {
        return Ok((component, Origin::Cache));
    }
    let component = compile(engine, bytes)?;
    cache.store(digest, &component);
    Ok((component, Origin::Compiled))
}

fn compile(engine: &wasmtime::Engine, bytes: &[u8]) -> Result<Component, LoadFault> {
    Component::from_binary(engine, bytes).map_err(|error| LoadFault::Invalid(format!("{error:#}")))
}
