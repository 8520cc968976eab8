//! Entities: actors that exist once for each key. Nobody starts one: its first message brings it to life, with the state that it had, and it
//! leaves the memory while it has nothing to do. node.toml says which types there are.
//!
//! ```
//! # use ractor_guest as ractor;
//! # use ractor::RactorClusterMessage;
//! use ractor::entity::EntityRef;
//!
//! #[derive(RactorClusterMessage)]
//! enum CartMsg {
//!     Add(String),
//! }
//!
//! # fn add(customer: &str) -> Result<(), Box<dyn std::error::Error>> {
//! EntityRef::new("cart", customer)?.cast(CartMsg::Add("tea".to_owned()))?;
//! # Ok(())
//! # }
//! ```
//!
//! An entity learns its key from its name: [`of`].

use crate::ActorCell;
pub use crate::world::entity::*;

/// The entity that an actor is. None if it is none.
pub fn of(actor: &ActorCell) -> Option<Entity> {
    actor.get_name()?.parse().ok()
}
