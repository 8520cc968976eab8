//! The actor natively, under the real ractor, and the bytes of its messages.

mod stock;

use orders::forms::{Echo, EchoMsg, Generated, GeneratedMsg, Idle, Raw};
use orders::{Opening, Orders, OrdersMsg, Status};
use ractor::concurrency::oneshot;
use ractor::message::SerializedMessage;
use ractor::{Actor, BytesConvertable, Message, RpcReplyPort, call_t, pg};

use crate::stock::{StockMsg, order};

/// The longest time for a call, in milliseconds.
const PATIENCE_MS: u64 = 30_000;

/// The tag and the arguments of a message.
fn sent(message: impl Message) -> (String, Vec<u8>) {
    match message.serialize() {
        Ok(SerializedMessage::Cast { variant, args, .. } | SerializedMessage::Call { variant, args, .. }) => {
            (variant, args)
        }
        _ => unreachable!("a message that travels"),
    }
}

fn port<T: Send + 'static>() -> RpcReplyPort<T> {
    RpcReplyPort::from(oneshot().0)
}

#[tokio::test]
async fn messages_have_the_bytes_of_the_published_derive() {
    let some = || Some("late".to_owned());
    let names = || vec!["lamp".to_owned(), String::new()];
    let pairs = [
        (sent(OrdersMsg::Place(order(7))), sent(StockMsg::Place(order(7)))),
        (
            sent(OrdersMsg::Cancel { id: 1, why: some() }),
            sent(StockMsg::Cancel(1, some())),
        ),
        (
            sent(OrdersMsg::Cancel { id: 1, why: None }),
            sent(StockMsg::Cancel(1, None)),
        ),
        (sent(OrdersMsg::Find(7, port())), sent(StockMsg::Find(7, port()))),
        (
            sent(OrdersMsg::Search {
                names: names(),
                most: 2,
                reply: port(),
            }),
            sent(StockMsg::Search(names(), 2, port())),
        ),
        (sent(OrdersMsg::Ship(7, 2, port())), sent(StockMsg::Ship(7, 2, port()))),
        (sent(OrdersMsg::Changes(port())), sent(StockMsg::Changes(port()))),
        (sent(OrdersMsg::Close), sent(StockMsg::Close)),
    ];
    for (ours, stock) in pairs {
        assert_eq!(ours, stock);
    }
}

/// What was written down once, so that neither ractor nor pot changes it unseen.
#[test]
fn values_have_the_bytes_that_they_had() {
    fn check<T: BytesConvertable>(value: T, hex: &str) {
        assert_eq!(hex::encode(value.into_bytes()), hex);
    }
    check((), "506f740001");
    check(5_u64, "506f74004005");
    check(Some("hi".to_owned()), "506f7400e26869");
    check(None::<String>, "506f740000");
    check(vec!["a".to_owned(), "b".to_owned()], "506f740082e161e162");
    check(
        Status::Cancelled { why: None },
        "506f740004d20143616e63656c6c6564a1c677687900",
    );
    check(Opening::default(), "506f7400a2ce7761746368656400cc6f726465727380");
}

#[test]
fn bytes_of_another_format_are_no_message() {
    let number = [8_u64.to_be_bytes(), 7_u64.to_be_bytes()].concat();
    let message = SerializedMessage::Call {
        variant: "Find".to_owned(),
        args: number,
        reply: port(),
        metadata: None,
    };
    assert!(OrdersMsg::deserialize(message).is_err());
}

/// Calls with patience, and gives the reply.
macro_rules! ask {
    ($actor:expr, $($message:tt)*) => {
        call_t!($actor, $($message)*).expect("an answer")
    };
}

#[tokio::test]
async fn each_message_reaches_the_method_that_is_marked_with_it() {
    let group = "native orders".to_owned();
    let opening = Opening {
        watched: Some(group.clone()),
        orders: vec![order(1)],
    };
    let (shop, ended) = Actor::spawn(None, Orders, opening).await.expect("it starts");
    let others = Opening {
        watched: None,
        orders: vec![order(9)],
    };
    let (other, _) = Actor::spawn(None, Orders, others).await.expect("it starts");
    pg::join(group.clone(), vec![shop.get_cell(), other.get_cell()]);

    assert_eq!(ask!(shop, OrdersMsg::Find, PATIENCE_MS, 1), Some(order(1)));
    assert_eq!(ask!(shop, OrdersMsg::Find, PATIENCE_MS, 2), None);
    shop.cast(OrdersMsg::Place(order(2))).expect("it lives");
    let (names, most) = (vec!["lamp".to_owned()], 5);
    let search = |reply| OrdersMsg::Search { names, most, reply };
    let found = shop.call(search, None).await.expect("it lives").expect("an answer");
    assert_eq!(found, [1, 2]);
    ask!(shop, OrdersMsg::Ship, PATIENCE_MS, 2, 3);
    assert_eq!(ask!(shop, OrdersMsg::Progress, PATIENCE_MS, 2), Ok(Status::Shipped(3)));
    let why = Some("late".to_owned());
    let cancel = OrdersMsg::Cancel {
        id: 1,
        why: why.clone(),
    };
    shop.cast(cancel).expect("it lives");
    let cancelled = ask!(shop, OrdersMsg::Progress, PATIENCE_MS, 1);
    assert_eq!(cancelled, Ok(Status::Cancelled { why }));
    let unknown = ask!(shop, OrdersMsg::Progress, PATIENCE_MS, 8);
    assert_eq!(unknown, Err("there is no order 8".to_owned()));
    let elsewhere = ask!(shop, OrdersMsg::FindElsewhere, PATIENCE_MS, group.clone(), 9);
    assert_eq!(elsewhere, Some(order(9)));
    assert_eq!(ask!(shop, OrdersMsg::Changes, PATIENCE_MS), 1, "one change of {group}");
    shop.cast(OrdersMsg::Close).expect("it lives");
    ended.await.expect("it stops");
}

#[tokio::test]
async fn an_error_of_a_call_handler_fails_the_actor_unless_it_is_the_reply() {
    let (shop, ended) = Actor::spawn(None, Orders, Opening::default()).await.expect("it starts");
    assert!(ask!(shop, OrdersMsg::Progress, PATIENCE_MS, 1).is_err());
    assert!(call_t!(shop, OrdersMsg::Ship, PATIENCE_MS, 1, 1).is_err());
    ended.await.expect("it ends");
}

#[tokio::test]
async fn every_form_of_the_attribute_makes_an_actor() {
    let (generated, _) = Actor::spawn(None, Generated, 1).await.expect("it starts");
    generated.cast(GeneratedMsg::Add(3)).expect("it lives");
    assert_eq!(ask!(generated, GeneratedMsg::Read, PATIENCE_MS), 5);
    generated.cast(GeneratedMsg::Replace { value: 10 }).expect("it lives");
    let sum = |reply| GeneratedMsg::Sum {
        left: 1,
        reply,
        right: 2,
    };
    let sum = generated.call(sum, None).await.expect("it lives");
    assert_eq!(sum.expect("an answer"), 13);

    let (raw, ended) = Actor::spawn(None, Raw, ()).await.expect("it starts");
    raw.cast(vec!["stop".to_owned()]).expect("it lives");
    ended.await.expect("it stops");

    let (idle, _) = Actor::spawn(None, Idle, ()).await.expect("it starts");
    idle.cast(()).expect("it lives");

    let echo = Echo::<String>::default();
    let (echo, _) = Actor::spawn(None, echo, ()).await.expect("it starts");
    echo.cast(EchoMsg::Skip("a".to_owned())).expect("it lives");
    let said = ask!(echo, EchoMsg::Say, PATIENCE_MS, "b".to_owned());
    assert_eq!(said, "b");
}
