//! What the actor does with its messages: one method a variant.

use std::collections::BTreeMap;

use ractor::pg::GroupChangeMessage;
use ractor::{ActorProcessingErr, ActorRef, SupervisionEvent, call_t, pg};

use crate::messages::{Opening, Order, OrdersMsg, Status};

/// The longest wait for another member of a group to answer, in milliseconds.
const MEMBER_TIMEOUT_MS: u64 = 10_000;

/// See the crate.
#[derive(Debug, Default)]
pub struct Orders;

/// What an [`Orders`] remembers.
#[derive(Debug, Default)]
pub struct Book {
    orders: BTreeMap<u64, (Order, Status)>,
    changes: u32,
}

#[ractor::actor(message = OrdersMsg, state = Book, arguments = Opening)]
impl Orders {
    async fn pre_start(&self, myself: ActorRef<OrdersMsg>, opening: Opening) -> Result<Book, ActorProcessingErr> {
        if let Some(group) = opening.watched {
            pg::monitor(group, myself.get_cell());
        }
        let orders = opening.orders.into_iter();
        Ok(Book {
            orders: orders.map(|order| (order.id, (order, Status::Open))).collect(),
            changes: 0,
        })
    }

    #[ractor::message(OrdersMsg::Place(order))]
    fn place(&self, order: Order, book: &mut Book) {
        book.orders.insert(order.id, (order, Status::Open));
    }

    #[ractor::message(OrdersMsg::Cancel { id, why })]
    async fn cancel(&self, id: u64, why: Option<String>, book: &mut Book) -> Result<(), ActorProcessingErr> {
        known(book, id)?.1 = Status::Cancelled { why };
        Ok(())
    }

    #[ractor::rpc(OrdersMsg::Find(id, reply))]
    fn find(&self, id: u64, book: &Book) -> Option<Order> {
        book.orders.get(&id).map(|(order, _)| order.clone())
    }

    #[ractor::rpc(OrdersMsg::Search { names, most, reply })]
    fn search(&self, names: Vec<String>, most: u32, book: &Book) -> Vec<u64> {
        let has_one = |order: &Order| order.items.iter().any(|item| names.contains(&item.name));
        let found = book.orders.values().filter(|(order, _)| has_one(order));
        found
            .map(|(order, _)| order.id)
            .take(usize::try_from(most).unwrap_or(usize::MAX))
            .collect()
    }

    #[ractor::rpc(OrdersMsg::Ship(id, parcels, reply), reply = ())]
    fn ship(&self, id: u64, parcels: u8, book: &mut Book) -> Result<(), ActorProcessingErr> {
        known(book, id)?.1 = Status::Shipped(parcels);
        Ok(())
    }

    #[ractor::rpc(OrdersMsg::Progress(id, reply))]
    fn progress(&self, id: u64, book: &Book) -> Result<Status, String> {
        match book.orders.get(&id) {
            Some((_, status)) => Ok(status.clone()),
            None => Err(format!("there is no order {id}")),
        }
    }

    #[ractor::rpc(OrdersMsg::FindElsewhere(group, id, reply))]
    async fn find_elsewhere(&self, myself: ActorRef<OrdersMsg>, group: String, id: u64) -> Option<Order> {
        for member in pg::get_members(&group) {
            if member.get_id() == myself.get_id() {
                continue;
            }
            let member = ActorRef::<OrdersMsg>::from(member);
            // Whoever doesn't answer doesn't have it.
            if let Ok(Some(order)) = call_t!(member, OrdersMsg::Find, MEMBER_TIMEOUT_MS, id) {
                return Some(order);
            }
        }
        None
    }

    #[ractor::rpc(OrdersMsg::Changes)]
    fn changes(&self, book: &Book) -> u32 {
        book.changes
    }

    #[ractor::message(OrdersMsg::Close)]
    fn close(&self, myself: ActorRef<OrdersMsg>) {
        myself.stop(Some("closed".to_owned()));
    }

    #[ractor::supervision(SupervisionEvent::ProcessGroupChanged(_change))]
    fn group_changed(&self, _change: GroupChangeMessage, book: &mut Book) {
        book.changes += 1;
    }
}

/// The order of this number, to be changed.
fn known(book: &mut Book, id: u64) -> Result<&mut (Order, Status), String> {
    book.orders
        .get_mut(&id)
        .ok_or_else(|| format!("there is no order {id}"))
}
