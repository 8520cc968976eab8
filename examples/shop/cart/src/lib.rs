//! The cart of a customer: an entity for each. It is a guest because the shop's web team owns it and changes it every week: it gets new
//! code while customers shop, and may speak to orders and to nobody else.

use ractor::concurrency::Duration;
use ractor::entity;
use ractor::reload::Reload;
use ractor::{Actor, ActorProcessingErr, ActorRef, FailCall as _, Json};
use serde::{Deserialize, Serialize};
use shop_messages::{CartMsg, Goods, OrderMsg, Status, order};

/// The longest wait for an order.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(40));

/// See the crate.
#[derive(Debug, Default)]
pub struct Cart;

/// What is kept of a cart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Content {
    goods: Goods,
    /// The number of orders that were made of it.
    orders: u64,
}

impl Actor for Cart {
    type Msg = CartMsg;
    type State = Content;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<CartMsg>, (): ()) -> Result<Content, ActorProcessingErr> {
        Ok(Content::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<CartMsg>,
        message: CartMsg,
        cart: &mut Content,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CartMsg::Add { kind, count, reply } => {
                let there = cart.goods.0.entry(kind).or_default();
                *there = there.saturating_add(count);
                drop(reply.send(*there));
            }
            CartMsg::Remove { kind, count, reply } => drop(reply.send(take(&mut cart.goods, &kind, count))),
            CartMsg::Get(reply) => drop(reply.send(Json(cart.goods.clone()))),
            // An error of `check_out` itself ends this activation, and nothing of the message is kept: whoever hears of no reply calls
            // again with the same idempotency key. A failed call would be the outcome for that key, for good.
            CartMsg::CheckOut(reply) => match check_out(&myself, cart).await? {
                Ok(number) => drop(reply.send(number)),
                Err(refusal) => reply.fail(refusal),
            },
        }
        Ok(())
    }
}

/// Makes an order of what is in the cart, and has the goods reserved. Gives the order's number, or why there is no order.
async fn check_out(
    myself: &ActorRef<CartMsg>,
    cart: &mut Content,
) -> Result<Result<String, String>, ActorProcessingErr> {
    if cart.goods.0.is_empty() {
        return Ok(Err("the cart is empty".to_owned()));
    }
    let customer = entity::of(myself).ok_or("a cart is an entity: it needs a key")?.key;
    // After a crash this is the same number again, because the one that was used is not in the state.
    let number = format!("{}-{}", String::from_utf8_lossy(customer.bytes()), cart.orders + 1);
    let order = order(&number)?;
    let goods = Json(cart.goods.clone());
    let Json(placed) = order.call(|reply| OrderMsg::Place { goods, reply }, PATIENCE).await?;
    let Json(status) = order.call(OrderMsg::Reserve, PATIENCE).await?;
    cart.orders += 1;
    match status {
        Status::Reserved | Status::Paid => {
            // Not all that is in the cart: the order may have been placed before a crash, with what the cart had then.
            for (kind, count) in placed.0 {
                take(&mut cart.goods, &kind, count);
            }
            Ok(Ok(number))
        }
        Status::SoldOut(kind) => Ok(Err(format!("order {number} was not made: {kind} is sold out"))),
        Status::Unknown | Status::Placed | Status::Expired => {
            Ok(Err(format!("order {number} has expired: check out again")))
        }
    }
}

/// Takes goods out, as far as they are there. Gives the number of those that are left.
fn take(goods: &mut Goods, kind: &str, count: u64) -> u64 {
    let left = goods.0.get(kind).map_or(0, |there| there.saturating_sub(count));
    if left == 0 {
        goods.0.remove(kind);
    } else {
        goods.0.insert(kind.to_owned(), left);
    }
    left
}

impl Reload for Cart {}

ractor::export! {
    /// The cart of a customer.
    Cart, reload, awaits
}
