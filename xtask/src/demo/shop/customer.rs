//! What customers do, and what they are to be told: computed here, apart from the shop, so that both can be compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::doors::Call;

/// The kinds of goods.
pub(super) const KINDS: [&str; 6] = ["bread", "coffee", "jam", "milk", "sugar", "tea"];
/// The number of customers who buy.
pub(super) const BUYERS: usize = 200;
/// The number of calls with which each of them fills their cart.
pub(super) const CALLS: usize = 10;
/// The number of customers who reserve goods and don't pay.
pub(super) const IDLERS: usize = 20;
/// The number of goods that each of these reserves.
pub(super) const RESERVED: u64 = 10;
/// The kind of these.
pub(super) const RESERVED_KIND: &str = "jam";

/// A call, and the reply that it is to have.
pub(super) struct Step {
    pub(super) call: Call,
    pub(super) reply: Value,
}

/// A customer. What they do next is in `steps`.
pub(super) struct Customer {
    name: String,
    cart: BTreeMap<&'static str, u64>,
    orders: u64,
    calls: u64,
    pub(super) steps: Vec<Step>,
}

impl Customer {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cart: BTreeMap::new(),
            orders: 0,
            calls: 0,
            steps: Vec::new(),
        }
    }

    /// The number of the order that was made last.
    pub(super) fn last_order(&self) -> String {
        format!("{}-{}", self.name, self.orders)
    }

    pub(super) fn add(&mut self, kind: &'static str, count: u64) {
        let there = self.cart.entry(kind).or_default();
        *there += count;
        let there = *there;
        self.push("Add", [json!(kind), json!(count)], json!(there));
    }

    pub(super) fn remove(&mut self, kind: &'static str, count: u64) {
        let left = self.cart.remove(kind).unwrap_or_default().saturating_sub(count);
        if left > 0 {
            self.cart.insert(kind, left);
        }
        self.push("Remove", [json!(kind), json!(count)], json!(left));
    }

    /// The goods of the cart are those of an order then.
    pub(super) fn check_out(&mut self) {
        self.orders += 1;
        self.cart.clear();
        self.push("CheckOut", [], json!(self.last_order()));
    }

    pub(super) fn pay(&mut self) {
        let call = Call::new(format!("order/{}", self.last_order()), "Pay").once("pay");
        self.steps.push(Step {
            call,
            reply: json!("Paid"),
        });
    }

    /// Looks into the cart.
    pub(super) fn look(&mut self) {
        self.steps.push(Step {
            call: Call::new(format!("cart/{}", self.name), "Get"),
            reply: json!(self.cart),
        });
    }

    fn push<const N: usize>(&mut self, message: &'static str, arguments: [Value; N], reply: Value) {
        self.calls += 1;
        let call = Call::new(format!("cart/{}", self.name), message)
            .with(arguments)
            // Of this customer's choice: a number, by which the cart knows it when it comes again.
            .once(self.calls.to_string());
        self.steps.push(Step { call, reply });
    }
}

/// Those who buy, with the steps by which they fill their carts: no two of them do the same.
pub(super) fn buyers() -> Vec<Customer> {
    (0..BUYERS)
        .map(|number| {
            let mut customer = Customer::new(format!("c{number}"));
            for step in 0..CALLS {
                let kind = kind(number + step);
                let count = u64::try_from(1 + (3 * number + 5 * step) % 4).unwrap_or(1);
                // The last but two takes some of the first out again.
                if step == CALLS - 3 {
                    customer.remove(self::kind(number), count);
                } else {
                    customer.add(kind, count);
                }
            }
            customer
        })
        .collect()
}

/// Those who don't, with the steps by which they reserve goods.
pub(super) fn idlers() -> Vec<Customer> {
    (0..IDLERS)
        .map(|number| {
            let mut customer = Customer::new(format!("idler{number}"));
            customer.add(RESERVED_KIND, RESERVED);
            customer.check_out();
            customer
        })
        .collect()
}

/// The goods in all of these carts.
pub(super) fn in_carts(customers: &[Customer]) -> BTreeMap<&'static str, u64> {
    let mut all = BTreeMap::new();
    for (kind, count) in customers.iter().flat_map(|customer| &customer.cart) {
        *all.entry(*kind).or_default() += count;
    }
    all
}

fn kind(number: usize) -> &'static str {
    KINDS.get(number % KINDS.len()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_expects_what_a_cart_that_loses_nothing_says() {
        let mut ada = Customer::new("ada");
        ada.add("tea", 2);
        ada.add("tea", 1);
        ada.remove("tea", 3);
        ada.add("jam", 4);
        ada.look();
        ada.check_out();
        ada.pay();
        ada.look();
        let said: Vec<String> = ada
            .steps
            .iter()
            .map(|step| format!("{}: {}", step.call, step.reply))
            .collect();
        assert_eq!(
            said,
            [
                "cart/ada Add tea 2: 2",
                "cart/ada Add tea 1: 3",
                "cart/ada Remove tea 3: 0",
                "cart/ada Add jam 4: 4",
                "cart/ada Get: {\"jam\":4}",
                "cart/ada CheckOut: \"ada-1\"",
                "order/ada-1 Pay: \"Paid\"",
                "cart/ada Get: {}",
            ]
        );
    }

    #[test]
    fn every_buyer_fills_a_cart_with_all_their_calls() {
        let buyers = buyers();
        assert!(
            buyers
                .iter()
                .all(|buyer| buyer.steps.len() == CALLS && !buyer.cart.is_empty())
        );
        let all = in_carts(&buyers);
        assert!(
            KINDS.iter().all(|kind| all.get(kind).is_some_and(|count| *count > 0)),
            "{all:?}"
        );
    }
}
