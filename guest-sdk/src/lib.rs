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
//! # Differences from ractor in a guest
//! What the table doesn't name is not there: its use is a compile error for `wasm32-wasip2`.
//!
//! | ractor | in a guest |
//! |---|---|
//! | `Actor`: `Msg`, `State`, `Arguments`, `pre_start`, `post_start`, `handle`, `post_stop` | the same. An exported actor is `Default`, its `Arguments` are `BytesConvertable`. A panic fails the actor and is logged with its place; what happens then is its supervisor's affair |
//! | `Actor::handle_supervisor_evt`, `SupervisionEvent` | the same, for children, monitored actors and monitored groups. The last state of an actor is never there, and `PidLifecycleEvent` never comes |
//! | `#[ractor::actor]` | the same attribute, with the feature `actor-macros`. Not there: `thread_local` in it. An enum that it writes itself (`message = enum …`) has no serialized form, so an exported actor names one with the derive |
//! | `Actor::handle_serialized` | not there: it is for stand-ins of remote actors |
//! | `Actor::spawn*`, `ActorRuntime`, `spawn`, `spawn_named` | not there: a module has one actor. Children are started by the name of their module, in both worlds: [`module::spawn`] |
//! | `thread_local`, `factory` | not there: a guest has one actor and one thread |
//! | `ActorRef`, `ActorCell`: `get_id`, `get_cell`, `send_message`, `cast`, `call`, `where_is`, `send_serialized` | the same |
//! | `ActorCell::is_message_type_of` | always none, as natively of an actor on another node |
//! | `DerivedActorRef`, `ActorRef::get_derived` | the same |
//! | `ActorCell::get_name` | of this actor and its children, of actors found by name, and of those in supervision events; none for members of a group |
//! | `ActorCell::{stop, kill}` | of this actor and its children; of others it is logged as an error. With `awaits`, a stop from outside drops the handler that awaits, where natively it waits for it |
//! | `ActorCell::{get_children, stop_children, try_get_supervisor, monitor, unmonitor}` | of this actor; of others it is logged as an error. Anybody can be monitored |
//! | `drain`, `link`, `wait`, `get_status`, `stop_and_wait` and the like | not there |
//! | `cast!`, `call!`, `call_t!`, `rpc::{cast, call, CallResult}` | the same results. If the actor is exported with `awaits`, calls are under way side by side, as natively; otherwise the actor stands still for each. One that would close a circle of waiting guests, or goes to the actor itself, gets no reply at once instead of never |
//! | `rpc::multi_call` | the same results; without `awaits` the calls are made one after the other |
//! | `forward!`, `call_and_forward` | not there: nothing runs beside a handler |
//! | an undecodable message | a cast is dropped and logged; a call fails with the reason, which its caller hears |
//! | `RpcReplyPort`: `send`, `is_closed`, `get_timeout` | may be kept in the state and answered later; an error doesn't hand the reply back; the timeout of a received call is not known |
//! | a received reply port passed on in a message to another actor | works, but this actor waits for the reply |
//! | `MessagingErr`, `RactorErr`, `ActorErr`, `SpawnErr` | the same variants; a limit of the node, or what it doesn't grant, shows as `SendErr` and is logged with its reason |
//! | `Message`, `message::SerializedMessage`, `BytesConvertable` | the same bytes, also with the feature `blanket_serde`. Decoding is strict, and has a form that returns an error: `try_from_bytes`. Metadata is always none |
//! | `RactorMessage` (local only) | compiles; such messages can't leave or enter a guest |
//! | `pg::{join, leave, monitor, demonitor}`, `join_scoped`, `leave_scoped` | of this actor only; of others it is logged as an error |
//! | `pg::{get_members, get_local_members}` and the scoped forms, `which_scoped_groups` | the same; guests of this node count as local |
//! | `pg::which_groups` | those of the default scope |
//! | `pg::{monitor_scope, demonitor_scope, which_scopes, …}` | not there |
//! | `registry::where_is` | native actors and guests alike, also those of other nodes by `name@node@host`; the children of a guest by the names that they were given, but those of other actors by `parent/name` |
//! | `time::{send_after, send_interval, exit_after}` and the methods of those names | kept by the node, within its limits. The message is made when the timer is set; `exit_after` is for this actor only. The `JoinHandle` has `abort` and can't be awaited |
//! | `concurrency::{Duration, Instant, sleep, timeout, interval}` | the same with `awaits`; otherwise the actor stands still for a sleep, and nothing ends at its timeout |
//! | `concurrency::{spawn, oneshot, …}`, `OutputPort` | not there: a task that belongs to no message would have nobody to answer for it; await several futures at once, or cast to oneself |
//! | `tracing` events | become log events of the host, up to level debug, with the fields of the spans that they are in |
//!
//! What guests have besides is there natively, too: [`FailCall`] to fail a call for a reason and [`requests`] to hear why a call failed,
//! [`trace`] for the trace that the present message belongs to, [`module`] for children, [`node`] for the name of the node, [`config`] for what node.toml says to an actor,
//! [`address`] for references that travel in messages, and [`exit`] to fail at once. Natively the program around the actors
//! says what is behind them (`module::register`, `config::set`, `node::set_name`, `address::install`), and in a test `testing::TestHost`,
//! with the feature `testing` in the dev-dependencies.
//!
//! # Features
//! - `actor-macros`: the attribute `#[ractor::actor]`, as ractor's feature of that name.
//! - `blanket_serde`: every type of serde is `BytesConvertable`, as with ractor's feature of that name, which it switches on
//!   natively: numbers, strings and lists then have other bytes, too, those of the format `pot`. All who send each other
//!   messages have it or none has. cargo switches it on for every crate of a build, natives and guests alike, so build those
//!   with it apart from those without. An [`address::ActorAddress`] keeps the bytes that it has. Descriptions write the type as
//!   `pot<Order>`; the literals of `ractor-host call` and of node.toml are in ractor's own format, so there such a value is
//!   said in bytes, `bytes:506f74004005`.
//! - `json`: `ractor::Json<T>`, a type of serde that travels as JSON, so that other languages and the command line read it.
//! - `protobuf`: `ractor::Protobuf<T>`, a type of prost that does so as protobuf.
//! - `reload`: `ractor::reload`, actors whose code can be replaced while they live.
//! - `testing`: `ractor::testing`, a host for the tests of actors, natively. For dev-dependencies only.
//!
//! The shortest way to write an actor is [`contract`], for which the public methods of an impl are the messages:
//!
//! ```
//! # #[cfg(feature = "reload")]
//! # mod counter {
//! # use ractor_guest as ractor;
//! use ractor::reload::{PortableState, Reload};
//!
//! #[derive(Default, PortableState)]
//! pub struct Counter {
//!     count: u64,
//! }
//!
//! #[ractor::contract]
//! impl Counter {
//!     pub fn pre_start(count: u64) -> Self {
//!         Self { count }
//!     }
//!
//!     pub fn add(&mut self, number: u64) {
//!         self.count += number;
//!     }
//!
//!     pub fn get(&self) -> u64 {
//!         self.count
//!     }
//! }
//!
//! impl Reload for Counter {}
//! ractor::export!(Counter, reload, start = count);
//! # }
//! ```
//!
//! With the first two features, and ractor's own attribute, it is this:
//!
//! ```
//! # #[cfg(all(feature = "actor-macros", feature = "blanket_serde"))]
//! # mod shop {
//! # use ractor_guest as ractor;
//! use std::collections::BTreeMap;
//!
//! use ractor::{ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! pub struct Order {
//!     pub id: u64,
//!     pub things: Vec<String>,
//! }
//!
//! #[derive(RactorClusterMessage)]
//! pub enum ShopMsg {
//!     Place(Order),
//!     #[rpc]
//!     Find(u64, RpcReplyPort<Option<Order>>),
//! }
//!
//! #[derive(Default)]
//! pub struct Shop;
//!
//! #[ractor::actor(message = ShopMsg, state = BTreeMap<u64, Order>)]
//! impl Shop {
//!     async fn pre_start(&self, _: ActorRef<ShopMsg>, (): ()) -> Result<BTreeMap<u64, Order>, ActorProcessingErr> {
//!         Ok(BTreeMap::new())
//!     }
//!
//!     #[ractor::message(ShopMsg::Place(order))]
//!     fn place(&self, order: Order, orders: &mut BTreeMap<u64, Order>) {
//!         orders.insert(order.id, order);
//!     }
//!
//!     #[ractor::rpc(ShopMsg::Find(id, reply))]
//!     fn find(&self, id: u64, orders: &BTreeMap<u64, Order>) -> Option<Order> {
//!         orders.get(&id).cloned()
//!     }
//! }
//!
//! ractor::export!(Shop);
//! # }
//! ```
//!
//! An async handler may await calls, `sleep`, what is made of them, and whatever finishes by itself. A future that waits for something
//! else fails the actor with a message that says so. `ractor::export!(Shop, awaits);` has handlers await side by side, and the actor
//! hear a stop meanwhile: see [`export!`].

pub mod address;
mod common;
pub mod entity;
mod export;
#[cfg(any(feature = "json", feature = "protobuf"))]
mod formats;
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

#[cfg(feature = "json")]
pub use self::formats::Json;
#[cfg(feature = "protobuf")]
pub use self::formats::Protobuf;
#[cfg(target_family = "wasm")]
pub use self::guest::*;
#[cfg(not(target_family = "wasm"))]
pub use self::native::*;
pub use ractor_host_derive::{RactorClusterMessage, RactorMessage, contract};
