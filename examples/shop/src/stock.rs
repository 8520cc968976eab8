//! The stock of a kind of goods: an entity for each. It is native because every order comes by here, and because it is the shop's own
//! code, which changes with the program and not otherwise.

use std::collections::BTreeMap;
use std::fmt;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_host::entities::NativeEntity;
use serde::{Deserialize, Serialize};
use shop_messages::StockMsg;

/// See the module.
#[derive(Debug)]
pub(crate) struct Stock;

/// What is kept of a kind of goods.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shelf {
    free: u64,
    /// What is held for orders, by their numbers.
    held: BTreeMap<String, u64>,
    sold: u64,
}

impl Actor for Stock {
    type Msg = StockMsg;
    type State = Shelf;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<StockMsg>, (): ()) -> Result<Shelf, ActorProcessingErr> {
        Ok(Shelf::default())
    }

    async fn handle(
        &self,
        _: ActorRef<StockMsg>,
        message: StockMsg,
        shelf: &mut Shelf,
    ) -> Result<(), ActorProcessingErr> {
        // A caller that has given up calls again, with the same key: a reply that nobody takes is no reason to fail.
        match message {
            StockMsg::Put { count, reply } => {
                shelf.free = shelf.free.saturating_add(count);
                drop(reply.send(shelf.free));
            }
            StockMsg::Reserve { order, count, reply } => drop(reply.send(shelf.reserve(order, count))),
            StockMsg::Release { order, reply } => {
                let count = shelf.held.remove(&order).unwrap_or_default();
                shelf.free += count;
                drop(reply.send(count));
            }
            StockMsg::Sell { order, reply } => {
                let count = shelf.held.remove(&order).unwrap_or_default();
                shelf.sold += count;
                drop(reply.send(count));
            }
            StockMsg::Level(reply) => drop(reply.send(shelf.to_string())),
        }
        Ok(())
    }
}

/// What an entity of a program has beside its handlers: the state as bytes, and back.
impl NativeEntity for Stock {
    fn snapshot(&self, shelf: &Shelf) -> Result<Vec<u8>, ActorProcessingErr> {
        Ok(serde_json::to_vec(shelf)?)
    }

    fn restore(&self, state: &[u8], _: u32) -> Result<Shelf, ActorProcessingErr> {
        Ok(serde_json::from_slice(state)?)
    }
}

impl Shelf {
    /// False if too little is free. It doesn't ask whether the order has some already: that a call counts once is what its key is for.
    fn reserve(&mut self, order: String, count: u64) -> bool {
        let Some(left) = self.free.checked_sub(count) else {
            return false;
        };
        self.free = left;
        *self.held.entry(order).or_default() += count;
        true
    }
}

impl fmt::Display for Shelf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: u64 = self.held.values().sum();
        write!(out, "{} free, {held} held, {} sold", self.free, self.sold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_are_held_as_far_as_they_are_there() {
        let mut shelf = Shelf {
            free: 5,
            ..Shelf::default()
        };
        assert!(shelf.reserve("ada-1".to_owned(), 3));
        assert!(!shelf.reserve("bob-1".to_owned(), 3));
        assert!(shelf.reserve("bob-2".to_owned(), 2));
        assert_eq!(shelf.to_string(), "0 free, 5 held, 0 sold");
    }

    #[test]
    fn a_shelf_is_kept_as_bytes() {
        let mut shelf = Shelf {
            free: 5,
            ..Shelf::default()
        };
        assert!(shelf.reserve("ada-1".to_owned(), 3));
        let kept = Stock.snapshot(&shelf).expect("bytes");
        assert_eq!(Stock.restore(&kept, 1).expect("a shelf"), shelf);
        assert!(Stock.restore(b"no shelf", 1).is_err());
    }
}
