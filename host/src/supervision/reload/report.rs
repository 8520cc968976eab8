//! What became of a reload: plain data.

use serde::{Deserialize, Serialize};

use crate::guest::{Aftermath, GuestRef, Mode, Module, NotReloaded, Step};

/// What became of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadReport {
    /// The module.
    pub module: String,
    /// The digest of the version that was current.
    pub old: String,
    /// The digest of the version that was to be.
    pub new: String,
    /// What became of the module.
    pub verdict: Verdict,
    /// What the new code says that is different, in words.
    pub changes: Vec<String>,
    /// What became of each actor, in the order of their start.
    pub actors: Vec<ActorReport>,
    /// Why it is not certain that the module runs this after a restart too, in words; none if it is, or need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrecorded: Option<String>,
}

/// What became of the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was done, as was asked for.
    DryRun,
    /// Every actor runs the new code, which is current.
    Reloaded,
    /// The old code is current, and every actor runs it that could go back.
    RolledBack,
    /// The new code is current, and some actors run what they had.
    Mixed,
}

/// What became of one actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorReport {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its pid.
    pub pid: u64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The time for which it handled nothing, in microseconds. None if it came to nothing.
    pub pause_us: Option<u64>,
    /// Bytes of the state that was handed over.
    pub state_bytes: Option<u64>,
    /// Messages that waited for it when it went on; those of native actors of its process are not counted.
    pub waiting: Option<u64>,
}

/// What became of one actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It would be reloaded.
    Planned {
        /// What would become of its state.
        mode: Mode,
    },
    /// It runs the new code.
    Reloaded {
        /// What became of its state.
        mode: Mode,
    },
    /// It failed, and goes on with the code that it had.
    Failed {
        /// What went wrong.
        step: Step,
        /// Why.
        reason: String,
        /// What became of its state and of the message at hand.
        aftermath: Aftermath,
    },
    /// It was reloaded and went back, because another failed.
    RolledBack,
    /// It was reloaded, another failed, and it could not go back: it runs the new code.
    NotRolledBack {
        /// What went wrong.
        step: Step,
        /// Why.
        reason: String,
    },
    /// It was not touched, because another had failed before.
    Untouched,
    /// It has ended meanwhile.
    Ended,
}

impl ReloadReport {
    pub(super) fn new(old: &Module, new: &Module, changes: Vec<String>, dry_run: bool) -> Self {
        Self {
            module: new.name().to_owned(),
            old: old.digest().to_string(),
            new: new.digest().to_string(),
            verdict: if dry_run { Verdict::DryRun } else { Verdict::Reloaded },
            changes,
            actors: Vec::new(),
            unrecorded: None,
        }
    }

    /// True if what was asked for was done, and stays after a restart.
    pub fn is_success(&self) -> bool {
        matches!(self.verdict, Verdict::DryRun | Verdict::Reloaded) && self.unrecorded.is_none()
    }

    /// The actors that failed, each with the step and the reason.
    pub fn failures(&self) -> impl Iterator<Item = (&ActorReport, Step, &str)> {
        self.actors.iter().filter_map(|actor| match &actor.outcome {
            Outcome::Failed { step, reason, .. } | Outcome::NotRolledBack { step, reason } => {
                Some((actor, *step, reason.as_str()))
            }
            _ => None,
        })
    }

    pub(super) fn log(&self) {
        let Self {
            module,
            old,
            new,
            verdict,
            ..
        } = self;
        let actors = self.actors.len();
        match self.failures().next() {
            None => tracing::info!(module, old, new, ?verdict, actors, "module reloaded"),
            Some((actor, step, reason)) => {
                let failed = self.failures().count();
                let (actor, pid) = (actor.name.as_deref().unwrap_or_default(), actor.pid);
                tracing::error!(module, old, new, ?verdict, actors, failed, actor, pid, %step, reason, "the reload failed");
            }
        }
    }
}

impl ActorReport {
    pub(super) fn new(guest: &GuestRef, outcome: Outcome) -> Self {
        Self {
            name: guest.name(),
            pid: guest.pid(),
            outcome,
            pause_us: None,
            state_bytes: None,
            waiting: None,
        }
    }
}

impl From<NotReloaded> for Outcome {
    fn from(failed: NotReloaded) -> Self {
        match failed {
            NotReloaded::Ended => Self::Ended,
            NotReloaded::Failed {
                step,
                reason,
                aftermath,
            } => Self::Failed {
                step,
                reason,
                aftermath,
            },
        }
    }
}
