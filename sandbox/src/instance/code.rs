//! Compiled code, linked with the host: made of the bytes of a file, or taken from the cache.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;
use wasmtime::component::Component;

use super::backend::{Backend, Threads};
use super::linking::{self, Linked};
use super::reload_exports::ReloadExports;
use super::source_lines::SourceLines;
use crate::component::assembly::Outline;
use crate::component::cache::{Cache, InUse};
use crate::component::complexity::{self, Complexity};
use crate::component::description::Description;
use crate::component::engine_config::Tier;
use crate::component::error::LoadFault;
use crate::component::format::check_format;
use crate::component::imports::Offers;
use crate::component::interfaces::{self, Interfaces};
use crate::component::needs::{Capacity, Needs};
use crate::component::source::{Digest, ModuleSource};
use crate::files;
use crate::store::imports::Used;

/// The import of components that run source, in any release.
const SOURCE: &str = "ractor:actor/source@";

/// Where compiled code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This process compiled it.
    Compiled,
    /// The cache had it.
    Cache,
}

/// Compiled code, linked with the host. Shared by all modules of the same digest.
pub(super) struct Code {
    pub(super) digest: Digest,
    pub(super) tier: Tier,
    /// The component, of code that is to be optimized.
    pub(super) component: Option<Arc<[u8]>>,
    /// Of the file, in bytes.
    pub(super) size: usize,
    pub(super) origin: Origin,
    /// Keeps the compiled code in the cache.
    _in_use: Option<InUse>,
    pub(super) linked: Linked,
    pub(super) interfaces: Interfaces,
    /// Those that it imports of the interfaces that the program adds.
    pub(super) added: Vec<Used>,
    pub(super) needs: Needs,
    /// Its language reads the variables in the first call of each instance, before the program runs, whether that wants them or not.
    pub(super) reads_variables_first: bool,
    /// Which lines of source its code is of.
    pub(super) source_lines: SourceLines,
    /// What it says of itself, once it was asked; of a component that runs by itself.
    pub(super) description: Arc<OnceCell<Description>>,
}

/// What is known of a component before anything looks into it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The module's name.
    pub(super) module: Arc<str>,
    /// The component's file.
    pub(super) path: Arc<Path>,
    /// Its digest.
    pub(super) digest: Digest,
}

/// Compiled code, where it came from, and what keeps its entry in the cache.
type Found = (Component, Origin, Option<InUse>);

impl Code {
    pub(super) fn linked(&self) -> &Linked {
        &self.linked
    }

    /// True if it is an interpreter, which runs the source that it is given.
    pub(super) fn runs_source(&self) -> bool {
        let imports = self.interfaces.imports.iter();
        imports.into_iter().any(|import| import.starts_with(SOURCE))
    }

    pub(super) fn reload(&self) -> Option<&ReloadExports> {
        self.linked.reload.as_ref()
    }

    /// Compiles, or takes what was compiled before, and checks that it is an actor.
    pub(super) fn new(
        backend: &Backend,
        admission: &Admission,
        known: &Known,
        bytes: &Arc<[u8]>,
        threads: Threads,
    ) -> Result<Self, LoadFault> {
        // Before the cache is asked, too: limits may be lower than when the entry was made.
        let admitted = admission.admit(bytes, &backend.imports.offers)?;
        let compiled = match &backend.cache {
            Some(cache) => cached_or_compiled(backend, cache, known, bytes, threads)?,
            None => (backend.compile(known, bytes, threads)?, Origin::Compiled, None),
        };
        Self::link(backend, admitted, known, bytes, compiled)
    }

    /// What was compiled before, checked as by [`new`](Self::new). None if the cache has nothing.
    pub(super) fn cached(
        backend: &Backend,
        admission: &Admission,
        known: &Known,
        bytes: &Arc<[u8]>,
    ) -> Result<Option<Self>, LoadFault> {
        let admitted = admission.admit(bytes, &backend.imports.offers)?;
        let cache = backend.cache.as_ref();
        let found = cache.and_then(|cache| cached(backend, cache, known));
        let linked = found.map(|found| Self::link(backend, admitted, known, bytes, found));
        linked.transpose()
    }

    fn link(
        backend: &Backend,
        admitted: Admitted,
        known: &Known,
        bytes: &Arc<[u8]>,
        (component, origin, in_use): Found,
    ) -> Result<Self, LoadFault> {
        backend.count(origin);
        let Backend { wasmtime, imports, .. } = backend;
        let linked = linking::check(wasmtime, imports, &component)?;
        let mut interfaces = Interfaces::of(wasmtime, &component, &imports.offers);
        let added = imports.added_among(&interfaces.imports);
        interfaces.uses.extend(added.iter().map(Used::capability));
        Ok(Self {
            digest: known.digest,
            tier: backend.tier,
            component: (backend.tier == Tier::Baseline).then(|| bytes.clone()),
            size: bytes.len(),
            origin,
            _in_use: in_use,
            linked,
            added,
            interfaces,
            needs: admitted.needs,
            reads_variables_first: admitted.has_python,
            source_lines: SourceLines::of(admitted.has_lines, &known.path, known.digest),
            description: Arc::default(),
        })
    }
}

/// What an engine admits, as far as the bytes of a component tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    pub(super) complexity: Complexity,
    pub(super) capacity: Capacity,
}

/// What the bytes of a component tell of it before it is compiled.
struct Admitted {
    /// What each of its guests needs.
    needs: Needs,
    /// It has the lines of its source.
    has_lines: bool,
    /// It is an interpreter of Python.
    has_python: bool,
}

impl Admission {
    /// What the bytes tell of the component, unless it is not even to be compiled.
    fn admit(&self, bytes: &[u8], offers: &Offers) -> Result<Admitted, LoadFault> {
        // From the cheapest to the dearest, and each only on what the one before has let through.
        check_format(bytes)?;
        complexity::check(bytes, &self.complexity)?;
        let outline = Outline::of(bytes);
        interfaces::check_releases(&outline.imports, offers)?;
        let needs = outline.needs()?;
        needs.fit(&self.capacity)?;
        Ok(Admitted {
            needs,
            has_lines: outline.has_lines,
            has_python: outline.has_python,
        })
    }
}

impl ModuleSource {
    /// What each guest of the component in this file needs: read, not compiled. None of a file that can't be loaded, for
    /// which [`Engine::load`](crate::Engine::load) says why.
    ///
    /// It reads a file of up to `limit` bytes, and should run where that may block.
    pub fn needs(&self, limit: u64) -> Option<Needs> {
        let bytes = files::read(&self.path, limit).ok()?;
        check_format(&bytes).ok()?;
        complexity::check(&bytes, &Complexity::default()).ok()?;
        Outline::of(&bytes).needs().ok()
    }
}

/// Takes it from the cache, or compiles it while other nodes wait to find it there. What keeps its entry there comes with it.
fn cached_or_compiled(
    backend: &Backend,
    cache: &Cache,
    known: &Known,
    bytes: &[u8],
    threads: Threads,
) -> Result<Found, LoadFault> {
    if let Some(found) = cached(backend, cache, known) {
        return Ok(found);
    }
    // Looked for once more under the claim: whoever had it before has left the code there.
    let _claim = cache.claim(&known.digest);
    if let Some(found) = cached(backend, cache, known) {
        return Ok(found);
    }
    let component = backend.compile(known, bytes, threads)?;
    Ok((component, Origin::Compiled, cache.hold(&known.digest)))
}

fn cached(backend: &Backend, cache: &Cache, known: &Known) -> Option<Found> {
    // Held before it is read, or another node might give it up in between, and the next start would compile what runs here.
    let in_use = cache.hold(&known.digest);
    let component = cache.load(&backend.wasmtime, &known.digest)?;
    Some((component, Origin::Cache, in_use))
}
