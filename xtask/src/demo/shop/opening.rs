//! The opening: goods come in, one customer buys by both nodes, another one wants more than there is, and some reserve goods.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Story;
use super::crowd::{self, Failures};
use super::customer::{BUYERS, CALLS, Customer, IDLERS, KINDS, RESERVED, RESERVED_KIND};
use super::doors::{Call, spoken};
use super::nodes::{At, PAY_WITHIN_S};

/// The number of goods of each kind that come in.
pub(super) const PUT: u64 = 2_000;
/// What the first customer buys of tea and of jam.
pub(super) const FIRST: [(&str, u64); 2] = [("tea", 2), ("jam", 1)];
/// More than there is.
const TOO_MUCH: u64 = 1_000_000;

impl Story<'_> {
    /// Tells of all that.
    pub(super) fn open(&mut self) -> Result<()> {
        self.transcript
            .step(&format!("{PUT} of each of {} kinds of goods come in", KINDS.len()));
        for kind in KINDS {
            let put = Call::new(format!("stock/{kind}"), "Put").with([json!(PUT)]);
            let put = put.typed(&["u64"], "u64").once("delivery-1");
            let reply = self.caller.call(&self.doors.pick(0)?, &put)?;
            ensure!(
                reply == json!(PUT),
                "there are {reply} of {kind} after the first delivery"
            );
        }
        self.level("tea", &format!("{PUT} free, 0 held, 0 sold"))?;
        self.first_customer()?;
        self.sold_out()?;
        self.reserve()
    }

    fn first_customer(&mut self) -> Result<()> {
        self.transcript.step(
            "one customer, by both nodes: an entity is the same from everywhere, and a call with a key counts once",
        );
        let add = |kind: &str, count: u64, key: &str| {
            let add = Call::new("cart/ada", "Add").with([json!(kind), json!(count)]);
            add.once(key)
        };
        let [(tea, two), (jam, one)] = FIRST;
        self.say(At::Alpha, &add(tea, two, "1"), &json!(two))?;
        self.say(At::Beta, &add(jam, one, "2"), &json!(one))?;
        self.say_again(At::Beta, &add(tea, two, "1"), &json!(two))?;
        let out = || Call::new("cart/ada", "CheckOut").once("3");
        self.say(At::Alpha, &out(), &json!("ada-1"))?;
        self.say_again(At::Beta, &out(), &json!("ada-1"))?;
        self.say(At::Beta, &Call::new("order/ada-1", "Pay").once("pay"), &json!("Paid"))?;
        self.level(tea, &format!("{} free, 0 held, {two} sold", PUT - two))
    }

    fn sold_out(&mut self) -> Result<()> {
        self.transcript
            .step("what can't be had fails the call, and nothing of the order is held");
        let mut bob = Customer::new("bob");
        bob.add("coffee", 1);
        bob.add("sugar", TOO_MUCH);
        for step in &bob.steps {
            self.say(At::Beta, &step.call, &step.reply)?;
        }
        let out = Call::new("cart/bob", "CheckOut").once("out");
        let reason = match self.caller.call(&self.nodes.door(At::Beta)?, &out) {
            Ok(reply) => bail!("`{out}` is answered with {reply}"),
            Err(reason) => reason.to_string(),
        };
        self.transcript.note(&format!("beta  > {out}\n      < {reason}"));
        ensure!(
            reason.contains("order bob-1 was not made: sugar is sold out"),
            "that is no good reason"
        );
        self.level("coffee", &format!("{PUT} free, 0 held, 0 sold"))
    }

    fn reserve(&mut self) -> Result<()> {
        self.transcript.step(&format!(
            "{IDLERS} customers check out {RESERVED} {RESERVED_KIND} each and never pay: each order is to be paid within {PAY_WITHIN_S} s"
        ));
        crowd::run(&self.doors, &mut self.idlers, Failures::None, |_| Ok(()))?;
        let held = RESERVED * IDLERS as u64;
        let [_, (_, sold)] = FIRST;
        let free = PUT - sold - held;
        self.level(RESERVED_KIND, &format!("{free} free, {held} held, {sold} sold"))?;
        self.transcript.step(&format!(
            "{BUYERS} customers fill their carts by both nodes, with {CALLS} calls each"
        ));
        Ok(())
    }

    /// Makes a call, and tells of it and of its reply, which is to be this one.
    fn say(&mut self, at: At, call: &Call, expected: &Value) -> Result<()> {
        self.say_with(at, call, "", expected)
    }

    fn say_again(&mut self, at: At, call: &Call, expected: &Value) -> Result<()> {
        self.say_with(at, call, "      (again, with the same key)", expected)
    }

    fn say_with(&mut self, at: At, call: &Call, remark: &str, expected: &Value) -> Result<()> {
        let door = self.nodes.door(at)?;
        let reply = self.caller.call(&door, call).with_context(|| call.to_string())?;
        self.transcript.note(&format!(
            "{:<5} > {call}{remark}\n      < {}",
            door.name(),
            spoken(&reply)
        ));
        ensure!(reply == *expected, "the reply should have been {expected}");
        Ok(())
    }
}
