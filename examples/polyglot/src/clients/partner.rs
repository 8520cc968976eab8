//! A client of Partner 0.1.0, made by `ractor-host bindgen`.
//!
//! Use it with an `ActorRef<PartnerMsg>`: `cast!(actor, PartnerMsg::...)`, `call!(actor, PartnerMsg::...)`.

use ractor::RpcReplyPort;

/// `json<Order>`: the bytes as they travel. Any type that is `BytesConvertable` to the same bytes may stand here.
pub type Order = Vec<u8>;

/// Reads orders in the format of a marketplace.
///
/// The messages of Partner.
#[derive(ractor_cluster::RactorClusterMessage)]
#[allow(non_camel_case_types, reason = "the tags are the actor's own")]
pub enum PartnerMsg {
    /// Reads an order: ID;CUSTOMER;COUNTRY;ITEM;QUANTITY;CENTS
    /// Arguments: line.
    #[rpc]
    Parse(String, RpcReplyPort<Order>),
}
