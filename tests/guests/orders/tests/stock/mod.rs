//! The same messages by the derive of the published crate, and an actor for them without the attribute.
#![allow(dead_code, reason = "each test uses what it needs")]

use orders::{Item, Order, Status};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

/// [`orders::OrdersMsg`]; how fields are called doesn't travel.
#[derive(ractor_cluster::RactorClusterMessage)]
pub(crate) enum StockMsg {
    /// See there.
    Place(Order),
    /// See there.
    Cancel(u64, Option<String>),
    /// See there.
    #[rpc]
    Find(u64, RpcReplyPort<Option<Order>>),
    /// See there.
    #[rpc]
    Search(Vec<String>, u32, RpcReplyPort<Vec<u64>>),
    /// See there.
    #[rpc]
    Ship(u64, u8, RpcReplyPort<()>),
    /// See there.
    #[rpc]
    Progress(u64, RpcReplyPort<Result<Status, String>>),
    /// See there.
    #[rpc]
    FindElsewhere(String, u64, RpcReplyPort<Option<Order>>),
    /// See there.
    #[rpc]
    Changes(RpcReplyPort<u32>),
    /// See there.
    Close,
}

/// Knows one order. Its argument is that.
pub(crate) struct StockOrders;

impl Actor for StockOrders {
    type Msg = StockMsg;
    type State = Order;
    type Arguments = Order;

    async fn pre_start(&self, _: ActorRef<StockMsg>, order: Order) -> Result<Order, ActorProcessingErr> {
        Ok(order)
    }

    async fn handle(
        &self,
        _: ActorRef<StockMsg>,
        message: StockMsg,
        order: &mut Order,
    ) -> Result<(), ActorProcessingErr> {
        if let StockMsg::Find(id, reply) = message {
            reply.send(Some(order.clone()).filter(|order| order.id == id))?;
        }
        Ok(())
    }
}

/// Its replies to [`StockMsg::Find`] are of another type.
pub(crate) struct Liar;

/// What a [`Liar`] understands.
#[derive(ractor_cluster::RactorClusterMessage)]
pub(crate) enum LiarMsg {
    /// Replies with a number, whatever was asked for.
    #[rpc]
    Find(u64, RpcReplyPort<u64>),
}

impl Actor for Liar {
    type Msg = LiarMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<LiarMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<LiarMsg>, message: LiarMsg, (): &mut ()) -> Result<(), ActorProcessingErr> {
        let LiarMsg::Find(id, reply) = message;
        reply.send(id)?;
        Ok(())
    }
}

/// An order of this number, in which every field has something to say.
pub(crate) fn order(id: u64) -> Order {
    Order {
        id,
        items: vec![
            Item {
                name: "größer 🦀".to_owned(),
                quantity: 3,
                price: -0.25,
            },
            Item {
                name: "lamp".to_owned(),
                quantity: 70_000,
                price: 19.99,
            },
        ],
        note: Some("in a hurry".to_owned()),
    }
}
