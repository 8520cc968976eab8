//! The actor as a native one: its tests need no WebAssembly.

use partner::{Order, Partner, PartnerMsg};
use ractor::requests::{CallError, call};
use ractor::{Actor, Json};

async fn parse(line: &str) -> Result<Order, CallError> {
    let (actor, _) = Actor::spawn(None, Partner, ()).await.unwrap();
    let line = line.to_owned();
    let reply = call(&actor, |reply| PartnerMsg::Parse { line, reply }, None).await;
    reply.map(|Json(order)| order)
}

#[tokio::test]
async fn an_order_is_read() {
    let order = parse("o-1;c-7;DE;radio;2;9998").await.unwrap();
    assert_eq!((order.id.as_str(), order.cents, order.each), ("o-1", 9998, 4999));
}

#[tokio::test]
async fn what_is_no_order_is_refused_for_a_reason() {
    for (line, reason) in [
        ("o-1;c-7", "an order has 6 fields, and this has 2"),
        (
            "o-1;c-7;DE;radio;2;much",
            "the price `much` is no number: invalid digit found in string",
        ),
    ] {
        assert_eq!(parse(line).await, Err(CallError::Failed(reason.to_owned())));
    }
}
