//! A shop's orders: an actor written with `#[ractor::actor]`, whose messages are types of serde, in the format of ractor's
//! `blanket_serde`. One source for both worlds.
#![cfg(feature = "blanket_serde")]

mod actor;
pub mod forms;
pub mod messages;

pub use crate::actor::Orders;
pub use crate::messages::{Item, Opening, Order, OrdersMsg, Status};

ractor::export!(Orders);
