//! What the actor understands. No type here says how it becomes bytes, but that it is one of serde.

use ractor::{RactorClusterMessage, RpcReplyPort};
use serde::{Deserialize, Serialize};

/// What the actor is started with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// The group whose changes it counts.
    pub watched: Option<String>,
    /// What is there from the start.
    pub orders: Vec<Order>,
}

/// What somebody wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// The things.
    pub items: Vec<Item>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// A thing that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// How many of it.
    pub quantity: usize,
    /// The price of one.
    pub price: f64,
}

/// How far an order has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Status {
    /// Nothing has happened yet.
    Open,
    /// It is on its way, in this many parcels.
    Shipped(u8),
    /// Nothing will happen any more.
    Cancelled {
        /// The reason, if one was given.
        why: Option<String>,
    },
}

/// What [`Orders`](crate::Orders) understands.
#[derive(Debug, RactorClusterMessage)]
pub enum OrdersMsg {
    /// Takes an order.
    Place(Order),
    /// Cancels an order.
    Cancel {
        /// Its number.
        id: u64,
        /// The reason.
        why: Option<String>,
    },
    /// Replies with the order of this number.
    #[rpc]
    Find(u64, RpcReplyPort<Option<Order>>),
    /// Replies with the numbers of the orders that have one of these things.
    #[rpc]
    Search {
        /// The names of the things.
        names: Vec<String>,
        /// How many orders are enough.
        most: u32,
        /// Where the numbers go.
        reply: RpcReplyPort<Vec<u64>>,
    },
    /// Ships an order in this many parcels, and says when that is done. An order that isn't there fails the actor.
    #[rpc]
    Ship(u64, u8, RpcReplyPort<()>),
    /// Replies with how far the order of this number has come, or why that isn't known.
    #[rpc]
    Progress(u64, RpcReplyPort<Result<Status, String>>),
    /// Asks the other members of a group for the order of this number, and replies with what the first one knows.
    #[rpc]
    FindElsewhere(String, u64, RpcReplyPort<Option<Order>>),
    /// Replies with how often the watched group has changed.
    #[rpc]
    Changes(RpcReplyPort<u32>),
    /// Ends the actor.
    Close,
}
