//! A client of Desk 0.1.0, made by `ractor-host bindgen`.
//!
//! Use it with an `ActorRef<DeskMsg>`: `cast!(actor, DeskMsg::...)`, `call!(actor, DeskMsg::...)`.

use ractor::RpcReplyPort;

/// `json<Order>`: the bytes as they travel. Any type that is `BytesConvertable` to the same bytes may stand here.
pub type Order = Vec<u8>;

/// Decides about orders.
///
/// The messages of Desk.
#[derive(ractor_cluster::RactorClusterMessage)]
#[allow(non_camel_case_types, reason = "the tags are the actor's own")]
pub enum DeskMsg {
    /// Decides about an order: ID VERDICT POINTS
    /// Arguments: order.
    #[rpc]
    Decide(Order, RpcReplyPort<String>),
    /// Gives the number of orders that were approved, to be reviewed, and declined.
    #[rpc]
    Counts(RpcReplyPort<String>),
}
