//! WebAssembly components as actors.
//!
//! [`Engine`] compiles and caches, [`Module`] is a checked component, [`spawn`] makes an actor of it. One instance is
//! one actor, one store and one mailbox. The host's side of the WIT world is in `imports`, one file per interface;
//! everything a guest can make the host hold or wait for has a limit with a name in [`Limits`].
//!
//! This layer knows nothing of the cluster: what it and the cluster layer share is [`crate::directory`].

mod actor;
mod bindings;
mod cache;
mod engine;
mod error;
mod imports;
mod instance;
mod limits;
mod meter;
mod module;
mod pid;
mod replies;
mod source;
mod state;
mod text;
mod ticker;
mod wasi;
mod world;

pub use actor::{GuestOptions, spawn};
pub use bindings::{Descriptor, MessageVariant};
pub use engine::{Allocation, Engine, EngineConfig};
pub use error::{EngineError, Fault, Frames, GuestError, LoadError, LoadFault, SpawnError};
pub use limits::{Limit, Limits};
pub use module::Module;
pub use source::{Digest, InvalidDigest, ModuleSource};
