//! What can go wrong with a guest: setting up the engine, loading a component, starting an actor, running it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ractor::SpawnErr;

use super::complexity::TooComplex;
use super::foreign::{CoreWasi, advice};
use super::needs::Shortages;
use super::source::Digest;
use crate::directory::NameTaken;
use crate::files::{self, ReadError, Writable};
use crate::policy::grants::NotGranted;
use crate::policy::limits::Limit;

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// wasmtime refused the configuration or this machine.
    #[error("the WebAssembly engine could not be set up: {0}")]
    Setup(String),
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
    /// Not WebAssembly at all.
    #[error("this is not a WebAssembly component: {0}")]
    NotWasm(&'static str),
    /// A core module, which has no typed interface.
    #[error("this is a core module; make a component of it, {}", how_to_adapt(.0))]
    CoreModule(CoreWasi),
    /// The bytes are not a valid component.
    #[error("it does not compile: {0}")]
    Invalid(String),
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

/// An actor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Another actor has the name.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// A name is empty or too long, or an actor's is not one word without `@`.
    #[error(
        "the {what} name {name:?} is not allowed: it must have 1 to {limit} bytes (name_bytes){}",
        one_word(what)
    )]
    BadName {
        /// What has the name: `actor` or `group`.
        what: &'static str,
        /// The name, shortened.
        name: String,
        /// The longest allowed.
        limit: usize,
    },
    /// The guest failed before it lived, or refused to live.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// Its family has no room for what it is started with.
    #[error("it would exceed {0}")]
    Limit(#[from] Limit),
    /// The actor runtime refused, e.g. because the supervisor is shutting down.
    #[error("the actor could not be started: {0}")]
    Runtime(String),
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

fn one_word(what: &str) -> &'static str {
    match what {
        "actor" => " and be one word without `@`",
        _ => "",
    }
}

impl SpawnError {
    /// Gets our own error back out of ractor's.
    pub(crate) fn from_ractor(error: SpawnErr) -> Self {
        match error {
            SpawnErr::StartupFailed(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Runtime(other.to_string()),
            },
            other => Self::Runtime(other.to_string()),
        }
    }
}

/// A guest failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("actor {actor:?} (pid {pid}) failed in {during}: {fault}")]
pub struct GuestError {
    /// The actor's name, or its module's if it has none.
    pub actor: Arc<str>,
    /// Its pid, 0 if it never had one.
    pub pid: u64,
    /// The callback and, for a message, its variant.
    pub during: String,
    /// What happened.
    #[source]
    pub fault: Fault,
}

/// How a guest failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// A callback returned an error: the guest's own text.
    #[error("{0}")]
    Returned(String),
    /// The guest went beyond a limit.
    #[error("it reached {limit}{at}")]
    Limit {
        /// Which one.
        limit: Limit,
        /// Where.
        at: Frames,
    },
    /// The component imports what the actor is not granted.
    #[error(transparent)]
    NotGranted(NotGranted),
    /// The states that it is to go on from are there, but can't be read. It does not start afresh, because it would put others
    /// in their places.
    #[error("its checkpoints can't be read: {0}; they are left as they are")]
    CheckpointsUnread(String),
    /// Its limits don't allow what the component has when it starts.
    #[error("it can't be made: {0}")]
    Shortage(Shortages),
    /// There was no room for the instance.
    #[error("it could not be made: {reason}{}", hint(*.refused))]
    NoInstance {
        /// What is missing.
        reason: String,
        /// The guest's own limit, if that is what stood in the way.
        refused: Option<Limit>,
    },
    /// The guest trapped.
    #[error("trapped: {reason}{}{at}", hint(*.refused))]
    Trapped {
        /// What the trap was.
        reason: String,
        /// A limit that was in the guest's way before; often the cause.
        refused: Option<Limit>,
        /// Where.
        at: Frames,
    },
}

impl Fault {
    /// The limit that the guest reached, if one had a part in it.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Limit { limit, .. } => Some(*limit),
            Self::NoInstance { refused, .. } | Self::Trapped { refused, .. } => *refused,
            Self::Returned(_) | Self::NotGranted(_) | Self::CheckpointsUnread(_) | Self::Shortage(_) => None,
        }
    }
}

/// The innermost frames of a trap, innermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames(pub Vec<String>);

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " (at {})", self.0.join(" < "))
    }
}

fn hint(refused: Option<Limit>) -> String {
    refused
        .map(|limit| format!(", after it reached {limit}"))
        .unwrap_or_default()
}
