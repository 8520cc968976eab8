//! Optimized code for guests that began with baseline code.
//!
//! A module that was never compiled here runs baseline code first (`tiered_compilation`). Its optimized code is made beside that, and
//! what starts from then on has it. A guest that lives goes over to it as to other code, between two messages and with its state, if
//! its component exports `reload`; otherwise at its next start. The version is the same one, so nothing is on trial: no probation, no
//! way back, and no line in any report.

use std::collections::HashSet;
use std::time::Duration;

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

/// What was tried in vain, and is not tried again.
#[derive(Default)]
struct Vain {
    versions: HashSet<Digest>,
    guests: HashSet<u64>,
}

impl Modules {
    /// Optimizes whatever runs baseline code, now and later. Never returns; it has stopped when it is dropped.
    pub async fn tier_up(&self) {
        let mut vain = Vain::default();
        loop {
            let mut is_pending = false;
            for name in self.names() {
                is_pending |= self.tier_up_module(&name, &mut vain).await;
            }
            tokio::select! {
                () = self.changed() => {}
                () = tokio::time::sleep(if is_pending { AGAIN } else { SWEEP }) => {}
            }
        }
    }

    /// True if some guest has still to go over.
    async fn tier_up_module(&self, name: &str, vain: &mut Vain) -> bool {
        let Some(current) = self
            .find(name)
            .filter(|module| !vain.versions.contains(&module.digest()))
        else {
            return false;
        };
        let optimized = match current.optimized().await {
            Ok(optimized) => optimized,
            Err(error) => {
                tracing::warn!(module = name, %error, "the module can't be optimized; it goes on with baseline code");
                vain.versions.insert(current.digest());
                return false;
            }
        };
        if self.improve(&optimized) {
            tracing::info!(module = name, digest = %optimized.digest(), "optimized code is ready");
        }
        let mut is_pending = false;
        for guest in self.guests(name) {
            if !guest.module().is_improved_by(&optimized) || vain.guests.contains(&guest.pid()) {
                continue;
            }
            if !optimized.is_reloadable() {
                // It goes over at its next start.
                continue;
            }
            match guest.go_over(&optimized).await {
                Some(Ok(_) | Err(NotReloaded::Ended)) => {}
                // It handles a message, or other code is on trial.
                None
                | Some(Err(NotReloaded::Failed {
                    step: Step::Boundary | Step::Probation,
                    ..
                })) => is_pending = true,
                Some(Err(error)) => {
                    let (actor, pid) = (guest.name(), guest.pid());
                    tracing::warn!(module = name, actor, pid, %error, "the actor goes on with baseline code until its next start");
                    vain.guests.insert(pid);
                }
            }
        }
        is_pending
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
