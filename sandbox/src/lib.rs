//! WebAssembly components as actors.
//!
//! [`Engine`] compiles and caches, [`Module`] is a checked component, [`spawn`] makes an actor of it. One instance is one actor, one
//! store and one mailbox. Everything that a guest can make the host hold or wait for has a limit with a name in [`Limits`].
//!
//! The folders are floors: each knows those below it and nothing of those above, which `tests/tests/tidy` checks. From the bottom up:
//!
//! | floor | what it is | where to start reading |
//! |---|---|---|
//! | `policy` | what an actor may do and may take, and when it is restarted; no WebAssembly | `grants/mod.rs`, `limits.rs` |
//! | `component` | from the bytes of a file to checked and compiled code | `error.rs`, then `cache.rs` |
//! | `accounting` | what guests take of the host, for each actor and for its family | `family.rs`, then `turns/mod.rs` |
//! | `store` | what an instance finds around it: the data of its store and the imports | `data.rs`, then `imports/messaging.rs` |
//! | `instance` | one instance: engine, linking, exports, and what their outcomes mean | `calls.rs`, then `meter.rs` |
//! | `actor` | the ractor actor around an instance, which outlives it | `handler.rs`, then `in_place.rs` |
//!
//! ARCHITECTURE.md follows one message through them, from the top down. This crate knows nothing of the cluster: what the two share is
//! [`crate::directory`].

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]
// What the simulation of whole nodes runs is public for it, and for nobody else.
#![cfg_attr(
    not(feature = "simulation"),
    allow(unreachable_pub, reason = "the simulation reaches it")
)]
// `println!` and `eprintln!` panic where nobody reads.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod accounting;
mod actor;
mod component;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod instance;
mod policy;
mod store;
mod sync;

pub use accounting::handler_times::HandlerTimesFigures;
pub use accounting::tally::DoneFigures;
pub use accounting::taps::{Passing, PassingKind, Peer, Tracer, kept_name};
pub use accounting::turns::TurnCounts;
pub use actor::checkpoint::settings::Checkpoints;
pub use actor::checkpoint::store::{Checkpoint, CheckpointStore, Entry, Kept, KeptState, Moment, StoreError};
pub use actor::checkpoint::writer::{CheckpointFigures, CheckpointWriter};
pub use actor::child_events::{ChildChange, ChildEvent, ChildObserver};
pub use actor::entity::GuestEntities;
pub use actor::error::SpawnError;
pub use actor::figures::{GuestFigures, ModuleFigures};
pub use actor::going_back::{NotGoneBack, WentBack};
pub use actor::guest_cell::GuestRef;
pub use actor::history::{Failure, Reloaded};
pub use actor::modules::Versions;
pub use actor::modules::{Modules, Reloading};
pub use actor::reload::{Aftermath, Mode, NotReloaded, Proof, Snapshot, StateRoom, Step, Swap, Swapped};
pub use actor::spawn::{GuestHandle, GuestOptions, spawn};
pub use actor::traced::TracedGuest;
pub use component::capabilities::{Capabilities, CapabilityUse, Certainty};
pub use component::complexity::{Complexity, TooComplex};
pub use component::contract::{Contract, Format, Message, Parameter, Scalar, Schema, Start, TypeExpr};
pub use component::description::{DESCRIBE_ARGUMENTS, DescriptionError, MAX_CONTRACT_BYTES, MAX_DESCRIPTION_BYTES};
pub use component::engine_config::{Allocation, Compilation, EngineConfig, POOL_MEMORIES, POOL_TABLES, Tier};
pub use component::error::{EngineError, LoadError, LoadFault};
pub use component::foreign::CoreWasi;
pub use component::format::is_whole;
pub use component::imports::Import;
pub use component::machine::{Bound, Crowd, Machine, Room};
pub use component::needs::{Needs, Shortage, Shortages};
pub use component::proposals::Missing;
pub use component::source::{Digest, InvalidDigest, ModuleSource, SourceFile};
pub use instance::code::Origin;
pub use instance::engine::{Engine, EngineFigures};
pub use instance::error::{Fault, Frames, GuestError};
pub use instance::module::Module;
pub use policy::grants::{
    Access, Capability, Conflict, Directory, Endpoint, Granted, Grants, Guarded, HostPattern, HttpOrigin, HttpScheme,
    InvalidDirectory, InvalidEndpoint, InvalidHttpOrigin, InvalidRecipient, InvalidVariable, NotGranted, Own,
    Recipient, Recipients, Spawn, Variables,
};
pub use policy::grants::{Instead, InterfaceConfig, Mistaken, mistaken};
pub use policy::http_trust::HttpTrust;
pub use policy::limits::{Common, Limit, LimitRow, LimitSlot, Limits, WhenFull};
pub use policy::profile::Profile;
pub use policy::reserved_names::ReservedNames;
pub use policy::restart::{
    RestartBudget, RestartDecider, RestartDecision, RestartIntensity, RestartPolicy, RestartType,
};
pub use store::data::StoreData;
pub use store::interface::{Caller, HostInterface, HostInterfaces, Offered};

/// What the simulation of whole nodes runs: the code that ships, as it is.
#[cfg(any(test, feature = "simulation"))]
#[doc(hidden)]
pub mod internals {
    pub use crate::actor::checkpoint::store::{Checkpoint, CheckpointStore, Entry, Moment};
    pub use crate::actor::checkpoint::writer::sim::{Attempt, Outcome, Queue, attempt};
    pub use crate::actor::reload::trial::{Failed, Noticed, Passed, Trial, WayBack};
    pub use crate::policy::limits::{Limits, WhenFull};
    pub use crate::store::mailbox::waiting::{Put, Received, Waiting};
}

use ractor_host_directory as directory;
use ractor_host_entities as entities;
use ractor_host_files as files;

/// The engine underneath, for programs that add an import interface. Its version may change with any release of this crate.
#[doc(no_inline)]
pub use wasmtime;
