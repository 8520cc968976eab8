//! The plug-in of a marketplace: it reads orders in the marketplace's own format.
//!
//! Somebody else wrote it, and every order goes through it. So it is a guest: it may reach nothing, its memory and its time are limited,
//! and its mistakes end itself alone. One is in here: an order of nothing at all divides by zero.

use std::fmt::Display;
use std::str::FromStr;

use ractor::{ActorProcessingErr, ActorRef, FailCall as _, Json, RactorClusterMessage, RpcReplyPort};
use serde::{Deserialize, Serialize};

/// An order as the rest of the shop knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: String,
    pub customer: String,
    pub country: String,
    pub item: String,
    /// The price of all of it.
    pub cents: u64,
    /// The price of one.
    pub each: u64,
}

/// What a [`Partner`] understands.
#[derive(RactorClusterMessage)]
pub enum PartnerMsg {
    /// Reads an order: ID;CUSTOMER;COUNTRY;ITEM;QUANTITY;CENTS
    #[rpc]
    Parse {
        line: String,
        reply: RpcReplyPort<Json<Order>>,
    },
}

/// Reads orders.
#[derive(Default)]
pub struct Partner;

#[ractor::actor(message = PartnerMsg, state = (), arguments = ())]
impl Partner {
    async fn pre_start(&self, _: ActorRef<PartnerMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    #[ractor::message(PartnerMsg::Parse { line, reply })]
    fn parse(&self, line: String, reply: RpcReplyPort<Json<Order>>) -> Result<(), ActorProcessingErr> {
        match parse(&line) {
            Ok(order) => reply.send(Json(order))?,
            // The caller hears why, and this actor goes on.
            Err(reason) => reply.fail(reason),
        }
        Ok(())
    }
}

fn parse(line: &str) -> Result<Order, String> {
    let fields: Vec<&str> = line.split(';').collect();
    let [id, customer, country, item, quantity, cents] = fields[..] else {
        return Err(format!("an order has 6 fields, and this has {}", fields.len()));
    };
    let cents: u64 = number("price", cents)?;
    let quantity: u64 = number("quantity", quantity)?;
    Ok(Order {
        id: id.to_owned(),
        customer: customer.to_owned(),
        country: country.to_owned(),
        item: item.to_owned(),
        cents,
        each: cents / quantity,
    })
}

fn number<T: FromStr>(what: &str, text: &str) -> Result<T, String>
where
    T::Err: Display,
{
    text.parse()
        .map_err(|error| format!("the {what} `{text}` is no number: {error}"))
}

ractor::export! {
    /// Reads orders in the format of a marketplace.
    Partner
}
