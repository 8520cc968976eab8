//! The crash: a node is killed while customers fill their carts, and the other one has what all of them were told.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Story;
use super::crowd::{self, Failures};
use super::customer::{BUYERS, CALLS, Customer, IDLERS, RESERVED_KIND};
use super::doors::Call;
use super::nodes::At;
use super::opening::{FIRST, PUT};
use crate::process;

/// The longest time for something to come to an end by itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

impl Story<'_> {
    /// Tells of it.
    pub(super) fn crash(&mut self) -> Result<()> {
        self.kill_under_load()?;
        self.transcript
            .step("every cart is looked into: beta has what its customer was told");
        self.look_into_carts()?;
        self.transcript.note(&format!(
            "{BUYERS} carts compared, all of them as they should be: each of {} calls counted once",
            BUYERS * CALLS
        ));
        self.expire()
    }

    fn kill_under_load(&mut self) -> Result<()> {
        let (all, half) = (BUYERS * CALLS, BUYERS * CALLS / 2);
        let Self {
            nodes,
            transcript,
            doors,
            caller,
            customers,
            ..
        } = self;
        let progress = crowd::run(doors, customers, Failures::Repeated, |progress| {
            progress.wait_for(half)?;
            let (alpha, beta) = (nodes.door(At::Alpha)?, nodes.door(At::Beta)?);
            let carts = [&alpha, &beta].map(|door| caller.active(door, "cart"));
            let [there, elsewhere] = carts;
            let (there, elsewhere) = (there?, elsewhere?);
            transcript.note(&format!("after {half} of {all} calls: kill -9 alpha"));
            let killed = Instant::now();
            nodes.kill(At::Alpha)?;
            doors.set(vec![beta.clone()]);
            transcript.note_with(
                "alpha had {} carts in use, and beta {}",
                &[&there.to_string(), &elsewhere.to_string()],
            );
            for number in 0..IDLERS {
                let look = Call::new(format!("cart/idler{number}"), "Get");
                process::poll(PATIENCE, || Ok(caller.call(&beta, &look).ok()))
                    .with_context(|| format!("{look} at beta"))?;
            }
            transcript.note_with(
                "{} s later beta answers for carts that were on alpha",
                &[&format!("{:.1}", killed.elapsed().as_secs_f64())],
            );
            Ok(())
        })?;
        ensure!(
            progress.answered() == all,
            "{} of {all} calls were answered",
            progress.answered()
        );
        ensure!(progress.repeated() > 0, "no call was under way when alpha was killed");
        transcript.note_with(
            "{} times a call was left without a reply, and made again at beta with its key",
            &[&progress.repeated().to_string()],
        );
        transcript.note(&format!("{all} of {all} calls answered"));
        Ok(())
    }

    /// Every customer looks into their cart, at the nodes that are open.
    pub(super) fn look_into_carts(&mut self) -> Result<()> {
        self.customers.iter_mut().for_each(Customer::look);
        crowd::run(&self.doors, &mut self.customers, Failures::Repeated, |_| Ok(())).map(drop)
    }

    fn expire(&mut self) -> Result<()> {
        self.transcript.step(&format!(
            "the {IDLERS} orders that nobody has paid expire on beta, by reminders that were set on alpha"
        ));
        for idler in &self.idlers {
            self.await_order(&idler.last_order(), &json!("Expired"))?;
        }
        let [_, (_, sold)] = FIRST;
        self.level(RESERVED_KIND, &format!("{} free, 0 held, {sold} sold", PUT - sold))
    }

    /// Waits until the order of this number has come so far, and the stock knows.
    pub(super) fn await_order(&self, number: &str, status: &Value) -> Result<()> {
        let look = Call::new(format!("order/{number}"), "Get");
        let (mut last, door) = (Value::Null, self.doors.pick(0)?);
        process::poll(PATIENCE, || {
            last = self.caller.call(&door, &look)?;
            let is_so = last.get("status") == Some(status) && last.get("is_settled") == Some(&json!(true));
            Ok(is_so.then_some(()))
        })
        .with_context(|| format!("order {number} is to be {status} and settled, and is {last}"))
    }

    /// Waits until the stock of this kind has come to this, and tells of it.
    pub(super) fn level(&mut self, kind: &str, expected: &str) -> Result<()> {
        let level = Call::new(format!("stock/{kind}"), "Level").typed(&[], "str");
        let (mut last, door) = (Value::Null, self.doors.pick(0)?);
        process::poll(PATIENCE, || {
            last = self.caller.call(&door, &level)?;
            Ok((last == json!(expected)).then_some(()))
        })
        .with_context(|| format!("the stock of {kind} is to be `{expected}`, and is {last}"))?;
        self.transcript.note(&format!("stock/{kind:<7} {expected}"));
        Ok(())
    }
}
