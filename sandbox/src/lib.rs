//! WebAssembly components as actors.
//!
//! [`Engine`] compiles and caches, [`Module`] is a checked component, [`spawn`] makes an actor of it. One instance is
//! one actor, one store and one mailbox. The host's side of the WIT world is in `imports`, one file per interface;
//! everything a guest can make the host hold or wait for has a limit with a name in [`Limits`].
//!
//! This layer knows nothing of the cluster: what it and the cluster layer share is [`crate::directory`].

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

mod actor;
mod batch;
mod bindings;
mod cache;
mod cache_key;
mod callbacks;
mod checkpoint;
mod checkpoint_writer;
mod complexity;
mod denied;
mod describe;
mod description;
mod engine;
mod error;
mod events;
mod family;
mod foreign;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod grants;
mod group_rate;
mod group_watch;
mod groups;
mod http_trust;
mod imports;
mod in_place;
mod instance;
mod life;
mod limits;
mod log_rate;
mod machine;
mod mailbox;
mod meter;
mod module;
mod modules;
mod needs;
mod outflow;
mod pid;
mod pools;
mod profile;
mod recipients;
mod reload;
mod replies;
mod reserved;
mod restart;
mod resume;
mod source;
mod state;
mod strikes;
mod sync;
mod text;
mod ticker;
mod timers;
mod turns;
mod waits;
mod wants;
mod wasi;
mod watch;
mod work;
mod world;

pub use actor::{GuestHandle, GuestOptions, spawn};
pub use bindings::{Descriptor, MessageVariant};
pub use checkpoint::{Checkpoint, CheckpointStore, Checkpoints, Entry, Kept, Moment, StoreError};
pub use checkpoint_writer::CheckpointWriter;
pub use complexity::{Complexity, TooComplex};
pub use description::{DescriptionError, MAX_DESCRIPTION_BYTES};
pub use engine::{Allocation, Engine, EngineConfig, POOL_MEMORIES, POOL_TABLES};
pub use error::{EngineError, Fault, Frames, GuestError, LoadError, LoadFault, SpawnError};
pub use foreign::CoreWasi;
pub use format::is_whole;
pub use grants::{
    Access, Capability, Conflict, Directory, Endpoint, Granted, Grants, Guarded, HostPattern, HttpOrigin, HttpScheme,
    InvalidDirectory, InvalidEndpoint, InvalidHttpOrigin, InvalidRecipient, InvalidVariable, NotGranted, Own,
    Recipient, Recipients, Spawn, Variables,
};
pub use grants::{Instead, Mistaken, mistaken};
pub use http_trust::HttpTrust;
pub use life::LiveGuest;
pub use limits::{Common, Limit, LimitRow, LimitSlot, Limits, WhenFull};
pub use machine::{Bound, Crowd, Machine, Room};
pub use module::{Module, Origin};
pub use modules::Versions;
pub use modules::{Modules, Reloading};
pub use needs::{Needs, Shortage, Shortages};
pub use profile::Profile;
pub use reload::{Aftermath, Mode, NotReloaded, Proof, Snapshot, StateRoom, Step, Swap, Swapped};
pub use reserved::ReservedNames;
pub use restart::{Budget, Restart, RestartPolicy, Restarting, Restarts, Verdict};
pub use source::{Digest, InvalidDigest, ModuleSource};
pub use turns::TurnCounts;
pub use wants::{Need, Want};

/// What the simulation of whole nodes runs: the code that ships, as it is.
#[cfg(any(test, feature = "simulation"))]
#[doc(hidden)]
pub mod internals {
    pub use super::checkpoint::{Checkpoint, CheckpointStore, Entry, Moment};
    pub use super::checkpoint_writer::sim::{Attempt, Outcome, Queue, attempt};
    pub use super::limits::{Limits, WhenFull};
    pub use super::mailbox::waiting::{Put, Waiting};
    pub use super::reload::trial::{Failed, Noticed, Passed, Trial, WayBack};
}

use ractor_host_directory as directory;
use ractor_host_files as files;
