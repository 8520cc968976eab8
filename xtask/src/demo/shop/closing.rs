//! The closing: the dead node comes back, the other one is restarted in order while customers check out, and everything is counted.

use anyhow::Result;
use serde_json::json;

use super::Story;
use super::crowd::{self, Failures};
use super::customer::{self, BUYERS, IDLERS, KINDS};
use super::nodes::At;
use super::opening::{FIRST, PUT};

/// The calls with which each customer buys what is in the cart.
const TO_BUY: usize = 2;

impl Story<'_> {
    /// Tells of it.
    pub(super) fn close(&mut self) -> Result<()> {
        self.transcript.step("alpha is started again, and asked for every cart");
        self.nodes.start(At::Alpha)?;
        let alpha = self.nodes.door(At::Alpha)?;
        self.doors.set(vec![alpha]);
        self.look_into_carts()?;
        self.transcript
            .note(&format!("{BUYERS} carts compared, all of them as they should be"));

        let sold = customer::in_carts(&self.customers);
        self.check_out_while_beta_stops()?;
        self.transcript.step("beta is started again, and asked for everything");
        self.nodes.start(At::Beta)?;
        let beta = self.nodes.door(At::Beta)?;
        self.doors.set(vec![beta]);
        self.count_orders()?;
        for kind in KINDS {
            let first = FIRST.iter().filter(|(bought, _)| *bought == kind);
            let first: u64 = first.map(|(_, count)| count).sum();
            let sold = first + sold.get(kind).copied().unwrap_or_default();
            self.level(kind, &format!("{} free, 0 held, {sold} sold", PUT - sold))?;
        }
        Ok(())
    }

    fn check_out_while_beta_stops(&mut self) -> Result<()> {
        let (all, half) = (BUYERS * TO_BUY, BUYERS * TO_BUY / 2);
        self.transcript.step(&format!(
            "{BUYERS} customers check out and pay at alpha; beta is stopped meanwhile"
        ));
        for customer in &mut self.customers {
            customer.check_out();
            customer.pay();
        }
        let Self {
            nodes,
            transcript,
            doors,
            customers,
            ..
        } = self;
        crowd::run(doors, customers, Failures::None, |progress| {
            progress.wait_for(half)?;
            nodes.stop(At::Beta)?;
            transcript.note(&format!(
                "after {half} of {all} calls: beta stops in order, and gives all that it has to alpha"
            ));
            Ok(())
        })?;
        transcript.note(&format!("{all} of {all} calls answered, none of them made again"));
        Ok(())
    }

    fn count_orders(&mut self) -> Result<()> {
        for customer in &self.customers {
            self.await_order(&customer.last_order(), &json!("Paid"))?;
        }
        self.await_order("ada-1", &json!("Paid"))?;
        for idler in &self.idlers {
            self.await_order(&idler.last_order(), &json!("Expired"))?;
        }
        self.await_order("bob-1", &json!({"SoldOut": "sugar"}))?;
        let (paid, orders) = (BUYERS + 1, BUYERS + IDLERS + 2);
        self.transcript.note(&format!(
            "{orders} orders: {paid} paid, {IDLERS} expired, 1 not made; the stock knows of each of them"
        ));
        Ok(())
    }
}
