//! What the entities of the shop say to each other. Native code and guests have this crate in common, so that a message means the same to
//! both.

use std::collections::BTreeMap;

use ractor::entity::{BadEntity, EntityRef};
use ractor::{Json, RactorClusterMessage, RpcReplyPort};
use serde::{Deserialize, Serialize};

/// Goods by their kind, and the number of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Goods(pub BTreeMap<String, u64>);

/// What a cart understands. Its key is the customer.
#[derive(Debug, RactorClusterMessage)]
pub enum CartMsg {
    /// Puts goods of a kind into the cart. Replies with the number of them there.
    #[rpc]
    Add {
        /// The kind.
        kind: String,
        /// The number of them.
        count: u64,
        /// Where the reply goes.
        reply: RpcReplyPort<u64>,
    },
    /// Takes goods of a kind out of the cart. Replies with the number of them that is left there.
    #[rpc]
    Remove {
        /// The kind.
        kind: String,
        /// The number of them.
        count: u64,
        /// Where the reply goes.
        reply: RpcReplyPort<u64>,
    },
    /// Replies with what is in the cart.
    #[rpc]
    Get(RpcReplyPort<Json<Goods>>),
    /// Makes an order of what is in the cart. Replies with the order's number, or fails if there is none.
    #[rpc]
    CheckOut(RpcReplyPort<String>),
}

/// What an order understands. Its key is its number.
#[derive(Debug, RactorClusterMessage)]
pub enum OrderMsg {
    /// Makes the order, unless it is there already. Replies with the goods that it is for.
    #[rpc]
    Place {
        /// What it is to be for.
        goods: Json<Goods>,
        /// Where the reply goes.
        reply: RpcReplyPort<Json<Goods>>,
    },
    /// Has the stock hold the goods of the order, all or none of them. Replies with how far the order has come.
    #[rpc]
    Reserve(RpcReplyPort<Json<Status>>),
    /// Pays the order, if its goods are held. Replies with how far it has come.
    #[rpc]
    Pay(RpcReplyPort<Json<Status>>),
    /// Replies with the order.
    #[rpc]
    Get(RpcReplyPort<Json<Order>>),
    /// Ends an order that isn't paid. It comes by a reminder.
    Expire,
    /// Tells the stock what has become of the order. It comes by a reminder.
    Settle,
}

/// An order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What it is for.
    pub goods: Goods,
    /// How far it has come.
    pub status: Status,
    /// Whether the stock knows that it is paid, expired or sold out, and holds nothing for it any more.
    pub is_settled: bool,
}

/// How far an order has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Nobody has placed it.
    #[default]
    Unknown,
    /// It is there. The stock may hold some of its goods.
    Placed,
    /// The stock holds all of its goods.
    Reserved,
    /// There is too little of this kind.
    SoldOut(String),
    /// It is paid.
    Paid,
    /// It was not paid in time.
    Expired,
}

/// What the stock of a kind of goods understands. Its key is the kind.
#[derive(Debug, RactorClusterMessage)]
pub enum StockMsg {
    /// Goods come in. Replies with the number of those that are free.
    #[rpc]
    Put {
        /// The number of them.
        count: u64,
        /// Where the reply goes.
        reply: RpcReplyPort<u64>,
    },
    /// Holds goods for an order. Replies with whether as many were free.
    #[rpc]
    Reserve {
        /// The number of the order.
        order: String,
        /// The number of goods.
        count: u64,
        /// Where the reply goes.
        reply: RpcReplyPort<bool>,
    },
    /// Frees all that is held for an order. Replies with the number of goods.
    #[rpc]
    Release {
        /// The number of the order.
        order: String,
        /// Where the reply goes.
        reply: RpcReplyPort<u64>,
    },
    /// All that is held for an order is sold. Replies with the number of goods.
    #[rpc]
    Sell {
        /// The number of the order.
        order: String,
        /// Where the reply goes.
        reply: RpcReplyPort<u64>,
    },
    /// Replies with what there is, in words.
    #[rpc]
    Level(RpcReplyPort<String>),
}

/// The order with this number.
///
/// # Errors
/// No entity can have it as its key.
pub fn order(number: &str) -> Result<EntityRef<OrderMsg>, BadEntity> {
    EntityRef::new("order", number)
}

/// The stock of this kind of goods.
///
/// # Errors
/// No entity can have it as its key.
pub fn stock(kind: &str) -> Result<EntityRef<StockMsg>, BadEntity> {
    EntityRef::new("stock", kind)
}
