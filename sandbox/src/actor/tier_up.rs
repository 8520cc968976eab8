//! Optimized code for guests that began with baseline code.
//!
//! A module that was never compiled here runs baseline code first (`tiered_compilation`). Its optimized code is made beside that, and
//! what starts from then on has it. A guest that lives goes over to it as to other code, between two messages and with its state, if
//! its component exports `reload`; otherwise at its next start. The version is the same one, so nothing is on trial: no probation, no
//! way back, and no line in any report.

use std::collections::HashSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::guest::Running;
use super::guest_cell::GuestRef;
use super::modules::Modules;
use super::reload::{Aftermath, Mode, NotReloaded, Purpose, Step, Swap, Swapped};
use crate::component::engine_config::Tier;
use crate::component::source::Digest;
use crate::instance::module::Module;

/// The time for a guest to come to the end of the message that it is handling. Then the next guest has its turn, and this one
/// another later.
const PATIENCE: Duration = Duration::from_secs(1);

/// The interval at which guests that could not go over are asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// The interval at which all are looked at when none is known to wait: a rollout that is taken back brings some back to baseline code.
const SWEEP: Duration = Duration::from_secs(10);

/// The most guests that are asked to go over at the same time: one that takes long keeps few others waiting.
const SIDE_BY_SIDE: usize = 32;

/// What was tried in vain, and is not tried again.
#[derive(Default)]
struct Vain {
    versions: HashSet<Digest>,
    guests: HashSet<u64>,
}

/// What became of a guest that was asked to go over; none if it took too long.
type WentOver = (GuestRef, Option<Result<Swapped, NotReloaded>>);

impl Modules {
    /// Optimizes whatever runs baseline code, now and later. Never returns; it has stopped when it is dropped.
    pub async fn tier_up(&self) {
        let mut vain = Vain::default();
        loop {
            // All modules before the first guest: guests of one that are busy must not keep the others from what they wait for.
            let mut optimized = Vec::new();
            for name in self.names() {
                optimized.extend(self.optimize(&name, &mut vain).await);
            }
            let is_pending = self.go_over(&optimized, &mut vain).await;
            tokio::select! {
                () = self.changed() => {}
                () = tokio::time::sleep(if is_pending { AGAIN } else { SWEEP }) => {}
            }
        }
    }

    /// The optimized code of a module, which is what starts from now on. None if there is none.
    async fn optimize(&self, name: &str, vain: &mut Vain) -> Option<Module> {
        let current = self.find(name)?;
        if vain.versions.contains(&current.digest()) {
            return None;
        }
        let optimized = match current.optimized().await {
            Ok(optimized) => optimized,
            Err(error) => {
                tracing::warn!(module = name, %error, "the module can't be optimized; it goes on with baseline code");
                vain.versions.insert(current.digest());
                return None;
            }
        };
        if self.improve(&optimized) {
            tracing::info!(module = name, digest = %optimized.digest(), "optimized code is ready");
        }
        Some(optimized)
    }

    /// Has the guests of these modules go over. True if some have still to.
    async fn go_over(&self, optimized: &[Module], vain: &mut Vain) -> bool {
        let mut is_pending = false;
        let mut asked: JoinSet<WentOver> = JoinSet::new();
        // What isn't reloadable goes over at its next start.
        for module in optimized.iter().filter(|module| module.is_reloadable()) {
            for guest in self.guests(module.name()) {
                if !guest.module().is_improved_by(module) || vain.guests.contains(&guest.pid()) {
                    continue;
                }
                if asked.len() >= SIDE_BY_SIDE
                    && let Some(Ok(outcome)) = asked.join_next().await
                {
                    is_pending |= vain.is_pending(outcome);
                }
                let module = module.clone();
                asked.spawn(async move {
                    let outcome = guest.go_over(&module).await;
                    (guest, outcome)
                });
            }
        }
        while let Some(joined) = asked.join_next().await {
            is_pending |= joined.is_ok_and(|outcome| vain.is_pending(outcome));
        }
        is_pending
    }
}

impl Vain {
    /// True if the guest is to be asked again.
    fn is_pending(&mut self, (guest, outcome): WentOver) -> bool {
        match outcome {
            Some(Ok(_) | Err(NotReloaded::Ended)) => false,
            // It handles a message, or other code is on trial.
            None
            | Some(Err(NotReloaded::Failed {
                step: Step::Boundary | Step::Probation,
                ..
            })) => true,
            Some(Err(error)) => {
                let (actor, pid, module) = (guest.name(), guest.pid(), guest.module());
                let module = module.name();
                tracing::warn!(module, actor, pid, %error, "the actor goes on with baseline code until its next start");
                self.guests.insert(pid);
                false
            }
        }
    }
}

impl GuestRef {
    /// Goes on with the optimized code of the version that it runs, before the next message. None if that takes too long.
    async fn go_over(&self, optimized: &Module) -> Option<Result<Swapped, NotReloaded>> {
        let swap = Swap {
            module: optimized.clone(),
            mode: Mode::Snapshot,
            probation: 0,
        };
        self.swap_within(swap, PATIENCE, Purpose::TierUp).await
    }
}

impl Running {
    /// Why the guest doesn't go over to this code now, if it doesn't.
    pub(super) fn keeps_from_tier_up(&self, optimized: &Module) -> Option<NotReloaded> {
        let (step, reason) = if self.probation.is_some() {
            // Going over would end the trial, as if the code had proven itself.
            (Step::Probation, "its code is on trial")
        } else if !self.life.module().is_improved_by(optimized) {
            // A reload, or another start, came first.
            (Step::Boundary, "it runs other code by now")
        } else {
            return None;
        };
        Some(NotReloaded::Failed {
            step,
            reason: reason.to_owned(),
            aftermath: Aftermath::Unharmed,
        })
    }
}

impl Module {
    /// True if this is the same version with better code.
    pub(super) fn is_improved_by(&self, other: &Self) -> bool {
        self.digest() == other.digest() && (self.tier(), other.tier()) == (Tier::Baseline, Tier::Optimized)
    }
}
