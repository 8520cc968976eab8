//! The guest in a node, called by programs on the published crate, calling them, and seen by the command line.

mod stock;

use std::sync::LazyLock;
use std::time::Duration;

use orders::{Opening, Orders, OrdersMsg, Status};
use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorRef, BytesConvertable, call_t, pg};
use ractor_cluster::{NodeServer, NodeServerMessage, client_connect};
use ractor_host_tests::cli::{message, ractor_host};
use ractor_host_tests::host::HostNode;
use ractor_host_tests::wait::PATIENCE;
use ractor_host_tests::{COOKIE, programs};
use tokio::runtime::Runtime;

use crate::stock::{Liar, StockMsg, StockOrders, order};

/// The longest time for a call, in milliseconds.
const PATIENCE_MS: u64 = 30_000;

/// What the guest of a test is started with: order 1.
fn opening() -> Opening {
    Opening {
        watched: None,
        orders: vec![order(1)],
    }
}

/// A node with the guest under this name, in a group of the same name. An actor that fails is gone.
fn node_with(guest: &str) -> HostNode {
    let module = format!("[modules.orders]\npath = {:?}\n", programs::guest("orders"));
    let actor = format!("\n[[actors]]\nname = \"{guest}\"\nmodule = \"orders\"\ngroups = [\"{guest}\"]\n");
    let start = hex::encode(opening().into_bytes());
    let rest = format!("arguments = \"bytes:{start}\"\nrestart = \"temporary\"\n");
    let grants = "capabilities = { messages = [\"*\"] }\n";
    HostNode::start(&format!("node-of-{guest}"), &(module + &actor + &rest + grants))
}

/// The one node of the published crate in this process, with the runtime that it lives in.
///
/// The crate's tables of actors and groups are the process's, and it knows a remote actor by the number of the session and the pid. Two
/// stock nodes both call their first session number 1, so the end of one test's guest would take another test's from its groups.
struct Stock {
    runtime: Runtime,
    server: ActorRef<NodeServerMessage>,
}

static STOCK: LazyLock<Stock> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime starts");
    let server = NodeServer::new(0, COOKIE.into(), "stock".into(), "localhost".into(), None, None)
        .with_listen_addr(std::net::Ipv4Addr::LOCALHOST.into());
    let started = runtime.spawn(Actor::spawn(None, server, ()));
    // A test is a task of another runtime, where nothing may block but a thread of its own.
    let (server, _) = std::thread::scope(|scope| {
        let waits = scope.spawn(|| runtime.block_on(started));
        let started = waits.join().expect("it does not panic").expect("it does not panic");
        started.expect("a stock node starts")
    });
    Stock { runtime, server }
});

/// The guest, over the node of the published crate in this process.
async fn over_a_stock_node(node: &HostNode, guest: &str) -> ActorCell {
    let address = node.address().to_owned();
    let connected = STOCK
        .runtime
        .spawn(async move { client_connect(&STOCK.server, address).await });
    connected.await.expect("it does not panic").expect("it connects");
    let found = async {
        loop {
            if let Some(guest) = pg::get_members(&guest.to_owned()).pop() {
                return guest;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("the guest is known here")
}

/// Calls with patience, and gives the reply.
macro_rules! ask {
    ($actor:expr, $($message:tt)*) => {
        call_t!($actor, $($message)*).expect("an answer")
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_on_the_published_crate_and_a_guest_understand_each_others_serde_types() {
    let node = node_with("shop");
    let shop = ActorRef::<StockMsg>::from(over_a_stock_node(&node, "shop").await);
    let (stock, _) = Actor::spawn(None, StockOrders, order(9)).await.expect("it starts");
    pg::join("stock".to_owned(), vec![stock.get_cell()]);

    assert_eq!(ask!(shop, StockMsg::Find, PATIENCE_MS, 1), Some(order(1)));
    assert_eq!(ask!(shop, StockMsg::Find, PATIENCE_MS, 2), None);
    shop.cast(StockMsg::Place(order(2))).expect("it lives");
    let lamps = vec!["lamp".to_owned()];
    assert_eq!(ask!(shop, StockMsg::Search, PATIENCE_MS, lamps, 5), [1, 2]);
    ask!(shop, StockMsg::Ship, PATIENCE_MS, 2, 3);
    assert_eq!(ask!(shop, StockMsg::Progress, PATIENCE_MS, 2), Ok(Status::Shipped(3)));
    shop.cast(StockMsg::Cancel(1, None)).expect("it lives");
    let cancelled = ask!(shop, StockMsg::Progress, PATIENCE_MS, 1);
    assert_eq!(cancelled, Ok(Status::Cancelled { why: None }));
    let unknown = ask!(shop, StockMsg::Progress, PATIENCE_MS, 8);
    assert_eq!(unknown, Err("there is no order 8".to_owned()));
    let elsewhere = ask!(shop, StockMsg::FindElsewhere, PATIENCE_MS, "stock".to_owned(), 9);
    assert_eq!(elsewhere, Some(order(9)));
}

/// What an actor answers, whichever kind it is.
async fn answers(shop: &ActorRef<OrdersMsg>) -> String {
    shop.cast(OrdersMsg::Place(order(2))).expect("it lives");
    let cancel = OrdersMsg::Cancel {
        id: 1,
        why: Some("late".to_owned()),
    };
    shop.cast(cancel).expect("it lives");
    let search = |reply| OrdersMsg::Search {
        names: vec!["größer 🦀".to_owned()],
        most: 1,
        reply,
    };
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        ask!(shop, OrdersMsg::Find, PATIENCE_MS, 2),
        shop.call(search, None).await.expect("it lives").expect("an answer"),
        ask!(shop, OrdersMsg::Progress, PATIENCE_MS, 1),
        ask!(shop, OrdersMsg::Progress, PATIENCE_MS, 3),
        ask!(shop, OrdersMsg::FindElsewhere, PATIENCE_MS, "nobody".to_owned(), 1),
        ask!(shop, OrdersMsg::Changes, PATIENCE_MS),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_of_the_attribute_answers_alike_as_a_guest_and_natively() {
    let node = node_with("alike");
    let guest = ActorRef::from(over_a_stock_node(&node, "alike").await);
    let (native, _) = Actor::spawn(None, Orders, opening()).await.expect("it starts");
    assert_eq!(answers(&guest).await, answers(&native).await);
    guest.cast(OrdersMsg::Close).expect("it lives");
    let gone = async {
        while !pg::get_members(&"alike".to_owned()).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the guest is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_value_cost_one_message_and_not_the_guest() {
    let node = node_with("sturdy");
    let cell = over_a_stock_node(&node, "sturdy").await;
    let number = 7_u64.to_be_bytes();
    let mut half = order(7).into_bytes();
    half.truncate(6);
    for args in [
        // ractor's own format, a value of another type, half a value, and nothing.
        [8_u64.to_be_bytes(), number].concat(),
        [&6_u64.to_be_bytes()[..], &7_u64.into_bytes()].concat(),
        [&6_u64.to_be_bytes()[..], &half].concat(),
        Vec::new(),
    ] {
        let cast = SerializedMessage::Cast {
            variant: "Place".to_owned(),
            args,
            metadata: None,
        };
        cell.send_serialized(cast).expect("it is sent");
    }
    let shop = ActorRef::<OrdersMsg>::from(cell);
    assert_eq!(ask!(shop, OrdersMsg::Find, PATIENCE_MS, 1), Some(order(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_no_value_fails_the_call_and_not_the_guest() {
    let node = node_with("trusting");
    let shop = ActorRef::<OrdersMsg>::from(over_a_stock_node(&node, "trusting").await);
    let (liar, _) = Actor::spawn(None, Liar, ()).await.expect("it starts");
    pg::join("liars".to_owned(), vec![liar.get_cell()]);
    let told = ask!(shop, OrdersMsg::FindElsewhere, PATIENCE_MS, "liars".to_owned(), 1);
    assert_eq!(told, None);
    assert_eq!(ask!(shop, OrdersMsg::Find, PATIENCE_MS, 1), Some(order(1)));
}

#[test]
fn the_command_line_says_which_format_it_does_not_write_and_takes_bytes() {
    let node = node_with("described");
    let inspected = ractor_host(&["inspect", &programs::guest("orders").display().to_string()]);
    for line in [
        "starts with pot<Opening>",
        "cast Place(pot<Order>)",
        "call Search(names: pot<Vec-String>, most: pot<u32>) -> pot<Vec-u64>",
        "call Ship(pot<u64>, pot<u8>) -> pot<unit>",
    ] {
        assert!(inspected.answer().contains(line), "{line}: {}", inspected.stdout);
    }
    let call = |argument: &str| {
        let rest = ["described", "Find", argument];
        message("call", node.address(), &node.cookie_file(), &rest)
    };
    let refused = call("1");
    assert_ne!(refused.code, Some(0));
    let expected = "argument 1 of `Find(pot<u64>) -> pot<Option-Order>` has the type pot<u64>, a type of serde in the format pot, \
                    which is not known here: write the bytes, for example `bytes:00ff`";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    let found = call(&format!("bytes:{}", hex::encode(1_u64.into_bytes())));
    assert_eq!(found.answer(), hex::encode(Some(order(1)).into_bytes()));
    assert!(found.stderr.contains("pot<Option-Order>"), "{}", found.stderr);
}
