//! The guest's side: ractor's module paths over the imports of the worlds in `wit/`.

pub mod actor;
#[cfg(target_family = "wasm")]
pub(crate) mod addresses;
#[doc(hidden)]
pub mod bindings;
pub mod concurrency;
pub mod config;
#[doc(hidden)]
pub mod contract_bindings;
pub mod describe;
pub mod entity;
pub mod errors;
#[cfg(target_family = "wasm")]
mod macros;
pub mod message;
pub mod module;
pub mod node;
pub mod pg;
pub mod port;
pub mod registry;
#[cfg(feature = "reload")]
pub mod reload;
#[cfg(feature = "reload")]
#[doc(hidden)]
pub mod reload_bindings;
mod reminders;
#[doc(hidden)]
pub mod replies_bindings;
pub mod requests;
pub mod rpc;
#[doc(hidden)]
pub mod runtime;
pub mod serialization;
#[cfg(test)]
mod tests;
pub mod thread_local;
pub mod time;
pub mod trace;
pub(crate) mod type_names;

#[cfg(all(target_family = "wasm", feature = "actor-macros"))]
pub use ractor_macros::actor;

pub use self::actor::{Actor, ActorCell, ActorId, ActorRef, DerivedActorRef, SupervisionEvent};
pub use self::describe::{ArgumentDescription, DescribeMessage, MessageDescription};
pub use self::errors::{ActorErr, ActorProcessingErr, MessagingErr, RactorErr, SpawnErr};
pub use self::message::Message;
pub use self::port::RpcReplyPort;
pub use self::requests::FailCall;
pub use self::serialization::BytesConvertable;

/// The name of an actor.
pub type ActorName = String;

/// The name of a process group.
pub type GroupName = String;

/// The name of a scope of process groups.
pub type ScopeName = String;

/// What an actor keeps between messages, and what it is started with: anything that may move between threads.
pub trait State: std::any::Any + Send + 'static {}

impl<T: std::any::Any + Send + 'static> State for T {}

/// Fails this actor at once, with this reason. The rest of the current handler is not run.
pub fn exit(reason: impl Into<String>) -> ! {
    runtime::incoming::flush();
    bindings::ractor::actor::lifecycle::exit(&reason.into());
    // The host doesn't return; if it ever did, the actor must not go on either.
    std::process::abort()
}
