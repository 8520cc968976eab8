//! The tests of the derive macros are in `tests/`: what they write, beside what those of `ractor_cluster` write.
//!
//! The example of their documentation, which can't run there, because `ractor` would be compiled for the compiler too:
//!
//! ```
//! use ractor::message::SerializedMessage;
//! use ractor::{Message, RpcReplyPort};
//! use ractor_host_derive::RactorClusterMessage;
//!
//! #[derive(RactorClusterMessage)]
//! enum CounterMsg {
//!     Add(u64),
//!     Rename { name: String, loud: bool },
//!     #[rpc]
//!     AddAndGet(u64, RpcReplyPort<u64>),
//! }
//!
//! let Ok(SerializedMessage::Cast { variant, args, .. }) = CounterMsg::Add(5).serialize() else { panic!("a cast") };
//! assert_eq!(variant, "Add");
//! assert_eq!(args, [0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
//! ```
