//! The shop in one process, all of it native: its guests are the same source, on the entities of this crate's `ractor_host`, with states
//! in memory.

use std::sync::Arc;
use std::time::Duration;

use ractor::Message;
use ractor_guest::Json;
use ractor_guest::entity::Kept;
use ractor_host::entities::{
    ActivationLimits, Durability, Entities, EntityCode, EntityRef, EntityType, MemoryStore, Native, TypeSettings,
};
use shop_cart::Cart;
use shop_messages::{CartMsg, Goods, Order, OrderMsg, Status, StockMsg, order, stock};
use shop_order::Orders;

use crate::stock::Stock;

const SOON: Option<Duration> = Some(Duration::from_secs(60));

/// The entities of this process, of which there can be one set.
async fn open() -> Entities {
    let entities = Entities::start(Arc::new(MemoryStore::default()), ActivationLimits::default())
        .await
        .expect("a store in memory");
    let settings = TypeSettings {
        durability: Durability::BeforeReply,
        ..TypeSettings::default()
    };
    let add = |name: &str, code: Arc<dyn EntityCode>| {
        let of = EntityType::new(name).expect("a name");
        entities.add(of, settings.clone(), code).expect("a type");
    };
    add("cart", Arc::new(Native::new("cart", |_| (Kept::new(Cart, 0), ()))));
    add("order", Arc::new(Native::new("order", |_| (Kept::new(Orders, 0), ()))));
    add("stock", Arc::new(Native::new("stock", |_| (Stock, ()))));
    entities.remind();
    entities
}

fn cart(customer: &str) -> EntityRef<CartMsg> {
    EntityRef::new("cart", customer).expect("a key")
}

/// A call that is made twice, as somebody does who has heard nothing. Gives the answer, which is the same both times.
async fn twice<M: Message, R>(to: &EntityRef<M>, key: &str, message: impl Fn(ractor::RpcReplyPort<R>) -> M) -> R
where
    R: Send + PartialEq + std::fmt::Debug + 'static,
{
    let once = to.with_idempotency_key(key);
    let first = once.call(&message, SOON).await.expect("a reply");
    assert_eq!(once.call(&message, SOON).await.as_ref(), Ok(&first));
    first
}

async fn put(kind: &str, count: u64) {
    let stock = stock(kind).expect("a key");
    let free = twice(&stock, "delivery", |reply| StockMsg::Put { count, reply }).await;
    assert_eq!(free, count);
}

async fn add(customer: &str, kind: &str, count: u64) {
    let add = |reply| CartMsg::Add {
        kind: kind.to_owned(),
        count,
        reply,
    };
    assert_eq!(twice(&cart(customer), kind, add).await, count);
}

async fn level(kind: &str) -> String {
    let level = stock(kind).expect("a key").call(StockMsg::Level, SOON).await;
    level.expect("a level")
}

async fn look(number: &str) -> Order {
    let Json(order) = order(number)
        .expect("a key")
        .call(OrderMsg::Get, SOON)
        .await
        .expect("an order");
    order
}

/// The order as soon as the stock knows what has become of it.
async fn settled(number: &str) -> Order {
    let wait = async {
        loop {
            let order = look(number).await;
            if order.is_settled {
                return order;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .expect("it settles")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_repeated_the_stock_counts_it_once() {
    let _entities = open().await;
    what_is_paid_is_sold_once().await;
    what_is_sold_out_is_not_held_in_part().await;
    what_is_not_paid_is_given_back().await;
    an_order_of_before_a_crash_is_taken_as_it_is().await;
}

async fn what_is_paid_is_sold_once() {
    put("tea", 10).await;
    add("ada", "tea", 4).await;
    let number = twice(&cart("ada"), "out", CartMsg::CheckOut).await;
    assert_eq!(
        (number.as_str(), level("tea").await),
        ("ada-1", "6 free, 4 held, 0 sold".to_owned())
    );
    let left = cart("ada").call(CartMsg::Get, SOON).await;
    assert_eq!(left, Ok(Json(Goods::default())));
    let paid = twice(&order("ada-1").expect("a key"), "pay", OrderMsg::Pay).await;
    assert_eq!(paid, Json(Status::Paid));
    settled("ada-1").await;
    assert_eq!(level("tea").await, "6 free, 0 held, 4 sold");
    // Too late: it is paid.
    let order = order("ada-1").expect("a key");
    order.cast(OrderMsg::Expire).expect("to be sent");
    order.cast(OrderMsg::Settle).expect("to be sent");
    assert_eq!(look("ada-1").await.status, Status::Paid);
    assert_eq!(level("tea").await, "6 free, 0 held, 4 sold");
}

async fn what_is_sold_out_is_not_held_in_part() {
    put("milk", 10).await;
    add("bob", "milk", 2).await;
    add("bob", "truffles", 1).await;
    let refused = cart("bob").call(CartMsg::CheckOut, SOON).await;
    let reason = refused.expect_err("there are none").to_string();
    assert!(reason.contains("bob-1 was not made: truffles is sold out"), "{reason}");
    assert_eq!(settled("bob-1").await.status, Status::SoldOut("truffles".to_owned()));
    assert_eq!(level("milk").await, "10 free, 0 held, 0 sold");
    // What is in the cart stays there, and the next order has the next number.
    let remove = |reply| CartMsg::Remove {
        kind: "truffles".to_owned(),
        count: 1,
        reply,
    };
    assert_eq!(cart("bob").call(remove, SOON).await, Ok(0));
    assert_eq!(cart("bob").call(CartMsg::CheckOut, SOON).await, Ok("bob-2".to_owned()));
    assert_eq!(level("milk").await, "8 free, 2 held, 0 sold");
}

async fn what_is_not_paid_is_given_back() {
    put("jam", 10).await;
    add("eve", "jam", 3).await;
    let number = cart("eve").call(CartMsg::CheckOut, SOON).await.expect("an order");
    assert_eq!(level("jam").await, "7 free, 3 held, 0 sold");
    order(&number)
        .expect("a key")
        .cast(OrderMsg::Expire)
        .expect("to be sent");
    assert_eq!(settled(&number).await.status, Status::Expired);
    assert_eq!(level("jam").await, "10 free, 0 held, 0 sold");
    let paid = order(&number).expect("a key").call(OrderMsg::Pay, SOON).await;
    assert_eq!(paid, Ok(Json(Status::Expired)));
}

/// The order is there, and the cart doesn't know: it was killed between the two, and its customer went on shopping.
async fn an_order_of_before_a_crash_is_taken_as_it_is() {
    put("bread", 10).await;
    let goods = Goods([("bread".to_owned(), 1)].into());
    let place = |reply| OrderMsg::Place {
        goods: Json(goods.clone()),
        reply,
    };
    let placed = order("kim-1").expect("a key").call(place, SOON).await;
    assert_eq!(placed, Ok(Json(goods.clone())));
    add("kim", "bread", 3).await;
    assert_eq!(cart("kim").call(CartMsg::CheckOut, SOON).await, Ok("kim-1".to_owned()));
    assert_eq!(look("kim-1").await.goods, goods);
    let left = cart("kim").call(CartMsg::Get, SOON).await;
    assert_eq!(left, Ok(Json(Goods([("bread".to_owned(), 2)].into()))));
    assert_eq!(level("bread").await, "9 free, 1 held, 0 sold");
}
