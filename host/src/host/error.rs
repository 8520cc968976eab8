//! Why a host could not be started or went down.

use std::net::SocketAddr;

use ractor::SpawnErr;

use super::pool::{PoolTooSmall, TooManyGuests};
use crate::checkpoint::OpenError;
use crate::config::{Code, ConfigError};
use crate::guest::{EngineError, SpawnError};
use crate::supervision::{GivenUp, RootError};
use crate::tls::TlsError;

/// Why a host could not be started or went down. Says which part of node.toml it is about.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The configuration was read without an interface that the program adds for guests.
    #[error(
        "the configuration was read without the interface `{0}` of this program; read it with `HostBuilder::config`"
    )]
    Interface(&'static str),
    /// The process can't catch signals.
    #[error("signals cannot be caught: {0}")]
    Signals(std::io::Error),
    /// The WebAssembly engine could not be set up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something in node.toml is wrong that came to light only when its modules were loaded: all of it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address could not be listened on.
    #[error(
        "cannot listen on {address}: {reason}; is another node running? `listen` in [node] chooses another address"
    )]
    Listen {
        /// What `[node]` asks for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The admin HTTP could not be listened for.
    #[error("the admin HTTP cannot listen on {address}: {reason}; `listen` in [admin] chooses another address")]
    Admin {
        /// What `[admin]` asks for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The certificates don't serve for accepting connections.
    #[error("[node.tls]: {0}")]
    Tls(#[from] TlsError),
    /// The root supervisor could not be started or stopped.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The configuration was checked for another host, one with other native actors.
    #[error("actor `{actor}`: this host has no {code}; read node.toml with the builder that starts it")]
    Unknown {
        /// The actor.
        actor: String,
        /// What it should be made of.
        code: Code,
    },
    /// A native actor could not be started.
    #[error("actor `{actor}` (native `{native}`) did not start: {reason}")]
    Native {
        /// The actor.
        actor: String,
        /// What it is made of.
        native: String,
        /// What went wrong.
        #[source]
        reason: NativeError,
    },
    /// A guest could not be started.
    #[error("actor `{actor}` (module `{module}`) did not start: {reason}")]
    Guest {
        /// The actor.
        actor: String,
        /// What it is made of.
        module: String,
        /// What went wrong.
        #[source]
        reason: Box<SpawnError>,
    },
    /// The entities could not be started.
    #[error("the entities of the node could not be started: {0}")]
    Entities(String),
    /// The checkpoints, or the states of entities, can't be opened.
    #[error(transparent)]
    Checkpoints(#[from] OpenError),
    /// It is not known where to keep what is to outlive the node.
    #[error("there is no folder for checkpoints and deployed modules; say `state_dir` in [runtime]")]
    NoStateDirectory,
    /// What is to outlive the node can't be kept.
    #[error("{0}; `state_dir` in [runtime] chooses another folder")]
    StateDir(String),
    /// The control actor could not be started.
    #[error("[control]: the control actor did not start: {0}")]
    Control(String),
    /// The pool that node.toml asks for is too small for the guests that it starts.
    #[error(transparent)]
    Pool(#[from] PoolTooSmall),
    /// More guests are to start than this machine has room for.
    #[error(transparent)]
    Room(#[from] TooManyGuests),
    /// An actor was given up that the node can't do without, and the node was stopped in an orderly way.
    #[error("{0}; the node has stopped for it, as `essential` and `on_give_up` in node.toml have it")]
    GivenUp(GivenUp),
    /// The node ended although nobody asked it to.
    #[error("the node server ended by itself; the log says why")]
    NodeEnded,
}

/// Why a native actor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The bytes of `arguments` are not what the actor takes.
    #[error("its `arguments` have {found} bytes, which are not one value of type {expected}{}", hint(*.found))]
    Arguments {
        /// The Rust type.
        expected: &'static str,
        /// How many bytes there were.
        found: usize,
    },
    /// Another actor of this process has the name.
    #[error("the name is taken by another actor of this process; choose another `name`")]
    NameTaken,
    /// `pre_start` failed.
    #[error("{}", startup_reason(.0))]
    Start(SpawnErr),
}

fn hint(found: usize) -> &'static str {
    if found == 0 {
        "; write for example `arguments = \"u64:0\"`"
    } else {
        ""
    }
}

/// What an actor said when it could not start, without the layers of ractor around it.
pub(super) fn startup_reason(error: &SpawnErr) -> String {
    match error {
        SpawnErr::StartupFailed(inner) => match inner.downcast_ref::<SpawnErr>() {
            Some(nested) => startup_reason(nested),
            None => inner.to_string(),
        },
        other => other.to_string(),
    }
}
