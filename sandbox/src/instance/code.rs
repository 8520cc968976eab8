//! Compiled code, linked with the host: made of the bytes of a file, or taken from the cache.

use std::path::Path;
use std::time::Instant;

use tokio::sync::OnceCell;
use wasmtime::component::Component;

use super::linking::{self, Linked};
use super::reload_exports::ReloadExports;
use super::source_lines::SourceLines;
use crate::component::assembly::Outline;
use crate::component::cache::{Cache, InUse};
use crate::component::complexity::{self, Complexity};
use crate::component::description::Description;
use crate::component::error::LoadFault;
use crate::component::format::check_format;
use crate::component::imports::Offers;
use crate::component::interfaces::{self, Interfaces};
use crate::component::needs::{Capacity, Needs};
use crate::component::source::{Digest, ModuleSource};
use crate::files::{self, ReadError};
use crate::store::imports::{Imports, Used};

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
    /// Which lines of source its code is of.
    pub(super) source_lines: SourceLines,
    /// What it says of itself, once it was asked.
    pub(super) description: OnceCell<Description>,
}

impl Code {
    pub(super) fn linked(&self) -> &Linked {
        &self.linked
    }

    pub(super) fn reload(&self) -> Option<&ReloadExports> {
        self.linked.reload.as_ref()
    }

    /// Reads a file of at most `limit` bytes and checks its digest, if one is expected.
    pub(super) fn read(path: &Path, expected: Option<Digest>, limit: u64) -> Result<(Vec<u8>, Digest), LoadFault> {
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
    pub(super) fn new(
        engine: &wasmtime::Engine,
        imports: &Imports,
        cache: Option<&Cache>,
        admission: &Admission,
        path: &Path,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Self, LoadFault> {
        // Before the cache is asked, too: limits may be lower than when the entry was made.
        let (needs, has_lines) = admission.admit(bytes, &imports.offers)?;
        let (component, origin, in_use) = match cache {
            Some(cache) => cached_or_compiled(engine, cache, path, &digest, bytes)?,
            None => (compile(engine, path, bytes)?, Origin::Compiled, None),
        };
        let linked = linking::check(engine, imports, &component)?;
        let mut interfaces = Interfaces::of(engine, &component, &imports.offers);
        let added = imports.added_among(&interfaces.imports);
        interfaces.uses.extend(added.iter().map(Used::capability));
        Ok(Self {
            digest,
            size: bytes.len(),
            origin,
            _in_use: in_use,
            linked,
            added,
            interfaces,
            needs,
            source_lines: SourceLines::of(has_lines, path, digest),
            description: OnceCell::new(),
        })
    }
}

/// What an engine admits, as far as the bytes of a component tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    pub(super) complexity: Complexity,
    pub(super) capacity: Capacity,
}

impl Admission {
    /// What each guest of the component needs, and whether it has lines of its source, unless it is not even to be compiled.
    fn admit(&self, bytes: &[u8], offers: &Offers) -> Result<(Needs, bool), LoadFault> {
        // From the cheapest to the dearest, and each only on what the one before has let through.
        check_format(bytes)?;
        complexity::check(bytes, &self.complexity)?;
        let outline = Outline::of(bytes);
        interfaces::check_releases(&outline.imports, offers)?;
        let needs = outline.needs()?;
        needs.fit(&self.capacity)?;
        Ok((needs, outline.has_lines))
    }
}

impl ModuleSource {
    /// What each guest of the component in this file needs: read, not compiled. None of a file that can't be loaded, for
    /// which [`Engine::load`](crate::Engine::load) says why.
    ///
    /// It reads a file of up to `limit` bytes, and should run where that may block.
    pub fn needs(&self, limit: u64) -> Option<Needs> {
        let (bytes, _) = Code::read(&self.path, self.digest, limit).ok()?;
        check_format(&bytes).ok()?;
        complexity::check(&bytes, &Complexity::default()).ok()?;
        Outline::of(&bytes).needs().ok()
    }
}

/// Takes it from the cache, or compiles it while other nodes wait to find it there. What keeps its entry there comes with it.
fn cached_or_compiled(
    engine: &wasmtime::Engine,
    cache: &Cache,
    path: &Path,
    digest: &Digest,
    bytes: &[u8],
) -> Result<(Component, Origin, Option<InUse>), LoadFault> {
    // Held before it is read, or another node might give it up in between, and the next start would compile what runs here.
    let load = || {
        let in_use = cache.hold(digest);
        let component = cache.load(engine, digest)?;
        Some((component, Origin::Cache, in_use))
    };
    if let Some(loaded) = load() {
        return Ok(loaded);
    }
    // Looked for once more under the claim: whoever had it before has left the code there.
    let _claim = cache.claim(digest);
    if let Some(loaded) = load() {
        return Ok(loaded);
    }
    let component = compile(engine, path, bytes)?;
    cache.store(digest, &component);
    Ok((component, Origin::Compiled, cache.hold(digest)))
}

/// The size from which on the log says that a component is compiled, in bytes. A language with an interpreter is larger, and can take
/// half a minute.
const LARGE: usize = 1 << 20;

fn compile(engine: &wasmtime::Engine, path: &Path, bytes: &[u8]) -> Result<Component, LoadFault> {
    let (file, is_large) = (path.display(), bytes.len() >= LARGE);
    if is_large {
        // Before: whoever looks at a node that says nothing is to know what it does.
        tracing::info!(%file, bytes = bytes.len(), "compiling a large component");
    }
    let begun = Instant::now();
    let compiled = Component::from_binary(engine, bytes);
    if is_large && compiled.is_ok() {
        tracing::info!(%file, took = ?begun.elapsed(), "compiled a large component");
    }
    compiled.map_err(|error| LoadFault::Invalid(format!("{error:#}")))
}
