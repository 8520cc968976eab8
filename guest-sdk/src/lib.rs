//! One actor source for both worlds.
//!
//! An actor crate depends on this package under the name of ractor:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! ractor = { package = "ractor-guest", … }
//! ```
//!
//! Compiled natively, `ractor` then is the real one. Compiled for `wasm32-wasip2`, the same paths lead to this crate's
//! own small implementation over the imports of `wit/`, and [`export!`] makes the crate a component. Tests of an actor
//! run natively, under the real ractor.
//!
//! # What is the same in a guest, and what is not
//! What the table doesn't name is not there: its use is a compile error for `wasm32-wasip2`.
//!
//! | ractor | in a guest |
//! |---|---|
//! | `Actor`: `Msg`, `State`, `Arguments`, `pre_start`, `post_start`, `handle`, `post_stop` | the same. An exported actor is `Default`, its `Arguments` are `BytesConvertable`. A panic fails the actor and is logged with its place |
//! | `Actor::handle_supervisor_evt`, `SupervisionEvent` | they compile; nothing calls them yet, as a guest can neither spawn nor monitor |
//! | `Actor::handle_serialized` | not there: it is for stand-ins of remote actors |
//! | `Actor::spawn*`, `ActorRuntime`, `spawn`, `spawn_named`, `thread_local`, `factory` | not there: the host starts actors |
//! | `ActorRef`, `ActorCell`: `get_id`, `get_cell`, `send_message`, `cast`, `call`, `where_is`, `send_serialized` | the same |
//! | `ActorCell::get_name` | of this actor, and of actors found by name; none for members of a group |
//! | `ActorCell::stop` | of this actor only; of others it is logged as an error |
//! | `kill`, `drain`, `link`, `monitor`, `wait`, `get_status`, children | not there |
//! | `cast!`, `call!`, `call_t!`, `rpc::{cast, call, CallResult}` | the same results. A call suspends the whole actor, so calls are made one after the other; an actor that calls itself gets no reply at once instead of never |
//! | `forward!`, `call_and_forward`, `multi_call` | not there: nothing runs beside a handler |
//! | `RpcReplyPort`: `send`, `get_timeout` | may be kept in the state and answered later; an error doesn't hand the reply back; the timeout of a received call is not known |
//! | a received reply port passed on in a message to another actor | works, but this actor waits for the reply |
//! | `RpcReplyPort::is_closed` | always false: a guest learns that the caller has given up only when it replies |
//! | `MessagingErr`, `RactorErr`, `ActorErr`, `SpawnErr` | the same variants; a limit of the node shows as `SendErr` and is logged with its reason |
//! | `Message`, `message::SerializedMessage`, `BytesConvertable` | the same bytes. Decoding is strict, and has a form that returns an error: `try_from_bytes`. Metadata is always none |
//! | `RactorMessage` (local only) | compiles; such messages can't leave or enter a guest |
//! | `pg::{join, leave}` and the scoped forms | of this actor only; of others it is logged as an error |
//! | `pg::get_members`, `get_local_members` and the scoped forms | the same; guests of this node count as local |
//! | `pg::{monitor, which_groups, …}` | not there |
//! | `registry::where_is` | the same, native actors and guests alike |
//! | `concurrency::{Duration, Instant, sleep}` | sleep suspends the actor |
//! | `concurrency::{spawn, timeout, oneshot, …}`, `time`, `OutputPort`, `DerivedActorRef` | not there |
//! | `tracing` events | become log events of the host, up to level debug; spans are not followed |
//!
//! An async handler may await calls, `sleep` and whatever finishes by itself. A future that waits for something else
//! fails the actor with a message that says so.

mod common;
// Natively only for its tests, and public only so that what they don't use is not taken for dead.
#[cfg(any(target_family = "wasm", test))]
#[doc(hidden)]
pub mod guest;
#[cfg(not(target_family = "wasm"))]
mod native;

#[cfg(target_family = "wasm")]
use self::guest as world;
#[cfg(not(target_family = "wasm"))]
use self::native as world;

#[cfg(target_family = "wasm")]
pub use self::guest::*;
#[cfg(not(target_family = "wasm"))]
pub use self::native::*;
pub use ractor_host_derive::{RactorClusterMessage, RactorMessage};
