//! The engine could not be set up, or a component could not be loaded.

use std::io;
use std::path::PathBuf;

use super::complexity::TooComplex;
use super::foreign::{CoreWasi, advice};
use super::needs::Shortages;
use super::proposals::Missing;
use super::source::Digest;
use crate::files::{self, ReadError, Writable};

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// wasmtime refused the configuration or this machine.
    #[error("the WebAssembly engine could not be set up: {0}")]
    Setup(String),
    /// An import interface that the program adds can't be offered.
    #[error("the interface `{key}` can't be added: {reason}")]
    Interface {
        /// Its key.
        key: &'static str,
        /// Why.
        reason: String,
    },
    /// No thread for the epochs.
    #[error("the thread that interrupts busy guests could not be started: {0}")]
    Ticker(#[source] io::Error),
    /// The cache directory can't be made, read or written.
    #[error("the cache directory {} can't be used: {source}; make it writable or choose another", path.display())]
    CacheDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may write to the cache directory, and so could make this process run their code.
    #[error(
        "the cache directory {} is not this user's alone: {by}; compiled code is run as it is found there: {}, or choose another \
         `cache_dir`",
        path.display(), by.help()
    )]
    CacheNotPrivate {
        /// The directory.
        path: PathBuf,
        /// Who else may write.
        by: Writable,
    },
    /// There is no key to tell compiled code by that is this installation's.
    #[error("the key of the cache of compiled code, {}, can't be used: {reason}", path.display())]
    CacheKey {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is not said where the key is.
    #[error(
        "there is no place for the key of the cache of compiled code; name a file as `cache_key_file` in [runtime]"
    )]
    NoCacheKey,
}

impl EngineError {
    /// True if the cache directory may be as it should be, and it is the disk that is full, fails or can't be written; or if there is no
    /// key that could be used, without which nothing is taken from there.
    pub fn is_trouble_of_the_cache(&self) -> bool {
        match self {
            Self::CacheDirectory { source, .. } => files::is_trouble(source),
            Self::CacheKey { .. } | Self::NoCacheKey => true,
            _ => false,
        }
    }
}

/// A component could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("module {module:?} ({}): {fault}", path.display())]
pub struct LoadError {
    /// The module's name.
    pub module: String,
    /// Its file.
    pub path: PathBuf,
    /// What is wrong.
    #[source]
    pub fault: LoadFault,
}

/// What is wrong with a component.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    /// The file can't be read.
    #[error("the file can't be read: {0}")]
    Read(#[source] ReadError),
    /// The file is larger than [`EngineConfig::component_bytes`](crate::EngineConfig::component_bytes).
    #[error("the file is larger than the limit of {limit} bytes (component_bytes)")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The file is not the one that was asked for.
    #[error(
        "the file has the digest {found}, but {expected} was asked for; rebuild it, or write the new digest where the \
         module is configured"
    )]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What the file has.
        found: Digest,
    },
    /// The source that the component is to run can't be used.
    #[error("the source {} can't be used: {reason}", path.display())]
    Source {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The component runs no source.
    #[error(
        "the component does not import `ractor:actor/source`, so it can't run {}; leave out `source`, or build the component \
         with an SDK that runs source",
        path.display()
    )]
    RunsNoSource {
        /// The source that it was to run.
        path: PathBuf,
    },
    /// Not WebAssembly at all.
    #[error("this is not a WebAssembly component: {0}")]
    NotWasm(&'static str),
    /// A core module, which has no typed interface.
    #[error("this is a core module; make a component of it, {}", how_to_adapt(.0))]
    CoreModule(CoreWasi),
    /// The bytes are not a valid component.
    #[error("it does not compile: {0}")]
    Invalid(String),
    /// It needs parts of WebAssembly that this host doesn't have.
    #[error("{0}")]
    Unsupported(Missing),
    /// It would take too much to compile it.
    #[error("it is too hard to compile: {0} (complexity)")]
    TooComplex(#[from] TooComplex),
    /// Each of its guests needs more than this node has for all of them.
    #[error("it does not fit this node: {0}")]
    Needs(#[from] Shortages),
    /// The component is of another world.
    #[error(
        "the component does not export `{missing}`, which every actor must (world `guest-actor` of package \
         `ractor:actor`); it exports {found}"
    )]
    MissingExport {
        /// The interface that is missing.
        missing: &'static str,
        /// What there is instead.
        found: String,
    },
    /// The component exports the actor interface without one of its functions.
    #[error(
        "the component exports `{interface}` without its function `{function}`; build it against this version's wit/"
    )]
    MissingFunction {
        /// The interface.
        interface: &'static str,
        /// The function that is missing.
        function: &'static str,
    },
    /// The component needs something that this host doesn't offer.
    #[error("{}", not_offered(.0))]
    UnknownImport(String),
    /// A function has another type, or is missing from an interface that the host offers.
    #[error("the component does not fit this host: {0}; build it against this version's wit/")]
    Mismatch(String),
    /// The task that loaded it ended.
    #[error("loading was interrupted: {0}")]
    Interrupted(String),
}

impl LoadFault {
    /// A function has another type than this host's.
    pub(crate) fn another_type(interface: &str, function: &str, error: &wasmtime::Error) -> Self {
        Self::Mismatch(format!("`{function}` of `{interface}` has another type: {error:#}"))
    }
}

fn not_offered(import: &str) -> String {
    format!(
        "the component imports `{import}`, which this host does not offer to actors{}",
        advice(import)
    )
}

fn how_to_adapt(built_for: &CoreWasi) -> &'static str {
    built_for.advice()
}
