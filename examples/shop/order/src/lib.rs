//! An order: an entity for each. It is a guest because the finance team owns it: its rules change, and what it may reach is written in
//! node.toml, which is the stock and nothing else.
//!
//! What it decides is in its state first. Only then, by a reminder, it tells the stock, and again if it couldn't.

use ractor::concurrency::Duration;
use ractor::entity::{self, Reminders, When};
use ractor::reload::Reload;
use ractor::{Actor, ActorProcessingErr, ActorRef, Json, config};
use shop_messages::{Order, OrderMsg, Status, StockMsg, stock};

/// The time in which an order is to be paid, unless node.toml has another one.
const PAY_WITHIN: Duration = Duration::from_secs(15 * 60);
/// The longest wait for one kind of goods.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));
/// The reminder that ends an order that isn't paid.
const EXPIRE: &str = "expire";
/// The reminder that has the stock told.
const SETTLE: &str = "settle";
/// The time until the stock is told again, if it could not be reached.
const SETTLE_AGAIN: Duration = Duration::from_secs(60);

/// See the crate.
#[derive(Debug, Default)]
pub struct Orders;

impl Actor for Orders {
    type Msg = OrderMsg;
    type State = Order;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<OrderMsg>, (): ()) -> Result<Order, ActorProcessingErr> {
        Ok(Order::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<OrderMsg>,
        message: OrderMsg,
        order: &mut Order,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            OrderMsg::Place { goods, reply } => {
                if order.status == Status::Unknown {
                    order.goods = goods.0;
                    order.status = Status::Placed;
                    // Set here, and not when the goods are held: if the customer never hears of this order, nothing is held for ever.
                    let due = When::After(pay_within()?);
                    reminders(&myself)?.set(EXPIRE, due, None, OrderMsg::Expire)?;
                }
                drop(reply.send(Json(order.goods.clone())));
            }
            OrderMsg::Reserve(reply) => {
                if order.status == Status::Placed {
                    let status = reserve(&number(&myself)?, order).await?;
                    decide(&myself, order, status)?;
                }
                drop(reply.send(Json(order.status.clone())));
            }
            OrderMsg::Pay(reply) => {
                if order.status == Status::Reserved {
                    decide(&myself, order, Status::Paid)?;
                }
                drop(reply.send(Json(order.status.clone())));
            }
            OrderMsg::Get(reply) => drop(reply.send(Json(order.clone()))),
            OrderMsg::Expire => {
                if matches!(order.status, Status::Placed | Status::Reserved) {
                    decide(&myself, order, Status::Expired)?;
                }
            }
            OrderMsg::Settle => {
                settle(&number(&myself)?, order).await?;
                order.is_settled = true;
                reminders(&myself)?.cancel(SETTLE);
            }
        }
        Ok(())
    }
}

/// The order comes to be this. If nothing more can become of it, nobody has to be reminded of payment, and the stock is told.
fn decide(myself: &ActorRef<OrderMsg>, order: &mut Order, status: Status) -> Result<(), ActorProcessingErr> {
    let is_open = matches!(status, Status::Placed | Status::Reserved);
    order.status = status;
    if !is_open {
        let reminders = reminders(myself)?;
        reminders.cancel(EXPIRE);
        reminders.set(
            SETTLE,
            When::After(Duration::ZERO),
            Some(SETTLE_AGAIN),
            OrderMsg::Settle,
        )?;
    }
    Ok(())
}

/// Has the stock hold all goods of an order. Gives what the order comes to be by that.
async fn reserve(number: &str, order: &Order) -> Result<Status, ActorProcessingErr> {
    for (kind, count) in &order.goods.0 {
        let stock = stock(kind)?;
        // With the key it is done once: after a crash in the middle these calls are made again, and some of the goods are held already.
        let once = stock.with_idempotency_key(number);
        let reserve = |reply| StockMsg::Reserve {
            order: number.to_owned(),
            count: *count,
            reply,
        };
        if !once.call(reserve, PATIENCE).await? {
            return Ok(Status::SoldOut(kind.clone()));
        }
    }
    Ok(Status::Reserved)
}

/// Tells the stock what has become of an order. It may be told twice: then it holds nothing for the order any more.
async fn settle(number: &str, order: &Order) -> Result<(), ActorProcessingErr> {
    for kind in order.goods.0.keys() {
        let stock = stock(kind)?;
        let (number, is_sold) = (number.to_owned(), order.status == Status::Paid);
        let settle = |reply| {
            if is_sold {
                StockMsg::Sell { order: number, reply }
            } else {
                StockMsg::Release { order: number, reply }
            }
        };
        stock.call(settle, PATIENCE).await?;
    }
    Ok(())
}

fn number(myself: &ActorRef<OrderMsg>) -> Result<String, ActorProcessingErr> {
    let entity = entity::of(myself).ok_or("an order is an entity: it needs a key")?;
    Ok(String::from_utf8_lossy(entity.key.bytes()).into_owned())
}

fn reminders(myself: &ActorRef<OrderMsg>) -> Result<Reminders<OrderMsg>, ActorProcessingErr> {
    entity::reminders(myself).ok_or_else(|| "an order is an entity: it needs reminders".into())
}

/// What node.toml says, in seconds.
fn pay_within() -> Result<Duration, ActorProcessingErr> {
    let Some(seconds) = config::value("pay_within_s") else {
        return Ok(PAY_WITHIN);
    };
    let number = seconds.parse().map(Duration::from_secs);
    number.map_err(|error| format!("`pay_within_s = {seconds}` in the config of this actor: {error}").into())
}

impl Reload for Orders {}

ractor::export! {
    /// An order, which is paid in time or expires.
    Orders, reload, awaits
}
