//! Many customers at once: each makes one call after the other, and compares every reply.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::customer::{Customer, Step};
use super::doors::{Caller, Doors};
use crate::process;

/// The number of customers who call at the same time.
const CALLERS: usize = 16;
/// The pause before a call is made again.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest time for one call to be answered, however often it is made.
const PATIENCE: Duration = Duration::from_secs(90);
/// The longest time for a number of calls to be answered.
const ALL_ANSWERED: Duration = Duration::from_secs(300);

/// What customers do about a call without a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Failures {
    /// They make it again, with the same key, at the next node.
    Repeated,
    /// There is none: it is an error.
    None,
}

/// How far they have come.
#[derive(Default)]
pub(super) struct Progress {
    answered: AtomicUsize,
    repeated: AtomicUsize,
    /// Somebody has failed: all stop.
    is_over: AtomicBool,
}

impl Progress {
    /// The calls that were answered.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// The times that a call was made again.
    pub(super) fn repeated(&self) -> usize {
        self.repeated.load(Ordering::SeqCst)
    }

    /// Waits until this many calls are answered.
    pub(super) fn wait_for(&self, count: usize) -> Result<()> {
        process::poll(ALL_ANSWERED, || {
            ensure!(!self.is_over(), "customers have stopped");
            Ok((self.answered() >= count).then_some(()))
        })
        .with_context(|| format!("{} of {count} calls were answered", self.answered()))
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

/// Has all customers do their steps while `work` is done, and takes the steps off them.
///
/// # Errors
/// A reply is another one than it should be, there is none, or the work fails.
pub(super) fn run(
    doors: &Doors,
    customers: &mut [Customer],
    failures: Failures,
    work: impl FnOnce(&Progress) -> Result<()>,
) -> Result<Progress> {
    let progress = Progress::default();
    let of_them = &*customers;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|first| {
                let progress = &progress;
                let caller = Crowd {
                    doors,
                    failures,
                    progress,
                    caller: Caller::new(),
                };
                scope.spawn(move || caller.serve(of_them, first).inspect_err(|_| progress.end()))
            })
            .collect();
        let worked = work(&progress).inspect_err(|_| progress.end());
        for caller in callers {
            // Why the work has failed, if it waited for them.
            caller
                .join()
                .map_err(|_| anyhow!("a thread with customers panicked"))??;
        }
        worked
    })?;
    customers.iter_mut().for_each(|customer| customer.steps.clear());
    Ok(progress)
}

/// The customers of one thread.
struct Crowd<'a> {
    doors: &'a Doors,
    failures: Failures,
    progress: &'a Progress,
    caller: Caller,
}

impl Crowd<'_> {
    /// Does the steps of every sixteenth customer, by turns, so that all carts are in use all the time.
    fn serve(&self, customers: &[Customer], first: usize) -> Result<()> {
        let mine = || customers.iter().enumerate().skip(first).step_by(CALLERS);
        let most = mine().map(|(_, customer)| customer.steps.len()).max();
        for at in 0..most.unwrap_or_default() {
            for (number, customer) in mine() {
                if self.progress.is_over() || process::interrupted() {
                    return Ok(());
                }
                if let Some(step) = customer.steps.get(at) {
                    self.take(number + at, step).with_context(|| step.call.to_string())?;
                    self.progress.answered.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        Ok(())
    }

    fn take(&self, number: usize, step: &Step) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for attempt in 0.. {
            let door = self.doors.pick(number + attempt)?;
            let error = match self.caller.call(&door, &step.call) {
                Ok(reply) if reply == step.reply => return Ok(()),
                Ok(reply) => bail!("the reply is {reply}, and should be {}", step.reply),
                Err(error) => error.context(format!("no reply by {}", door.name())),
            };
            if self.failures == Failures::None || Instant::now() >= deadline || self.progress.is_over() {
                return Err(error);
            }
            self.progress.repeated.fetch_add(1, Ordering::SeqCst);
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}
