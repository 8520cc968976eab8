//! The last things that befell an actor: how it failed, and what it was reloaded with. Kept as text, and bounded.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use crate::component::source::Digest;
use crate::instance::error::{Fault, GuestError};
use crate::policy::text::tidy;

/// The number of reloads that are kept.
const RELOADS: usize = 8;

/// The most bytes of a text that is kept.
const TEXT_BYTES: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    failure: Option<Failure>,
    /// The oldest first.
    reloads: VecDeque<Reloaded>,
}

/// How an actor failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: SystemTime,
    /// In which callback and, for a message, of which variant.
    pub during: String,
    /// Why, in words.
    pub reason: String,
    /// The innermost functions of a trap, innermost first.
    pub backtrace: Vec<String>,
}

/// An attempt to give an actor other code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// When.
    pub at: SystemTime,
    /// What it ran before.
    pub from: Digest,
    /// What it was to run.
    pub to: Digest,
    /// The time for which it stood still.
    pub pause: Duration,
    /// Why it does not run that, or does no longer; none if all went well, as far as is known.
    pub failed: Option<String>,
}

impl History {
    pub(super) fn failed(&self, error: &GuestError) {
        let failure = Failure::of(error);
        self.0.lock().failure = Some(failure);
    }

    pub(super) fn reloaded(&self, reload: Reloaded) {
        let mut kept = self.0.lock();
        if kept.reloads.len() >= RELOADS {
            kept.reloads.pop_front();
        }
        kept.reloads.push_back(reload);
    }

    /// The code of the last reload has not proven itself.
    pub(super) fn went_back(&self, error: &GuestError) {
        if let Some(last) = self.0.lock().reloads.back_mut() {
            let Failure { during, reason, .. } = Failure::of(error);
            last.failed = Some(format!("{during}: {reason}"));
        }
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        self.0.lock().failure.clone()
    }

    /// The newest first.
    pub(super) fn reloads(&self) -> Vec<Reloaded> {
        self.0.lock().reloads.iter().rev().cloned().collect()
    }
}

impl Failure {
    fn of(error: &GuestError) -> Self {
        let backtrace = match &error.fault {
            Fault::Trapped { at, .. } | Fault::Limit { at, .. } => at.0.clone(),
            _ => Vec::new(),
        };
        let text = error.fault.to_string();
        // What is kept by itself is not said twice.
        let frames = format!(" (at {})", backtrace.join(" < "));
        let reason = text.strip_suffix(&frames).unwrap_or(&text);
        Self {
            at: SystemTime::now(),
            during: error.during.clone(),
            reason: tidy(reason, TEXT_BYTES).into_owned(),
            backtrace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::error::Frames;

    fn trap(frames: &[&str]) -> GuestError {
        GuestError {
            actor: "counter".into(),
            pid: 7,
            during: "handle-cast `Add`".to_owned(),
            fault: Fault::Trapped {
                reason: "unreachable".to_owned(),
                refused: None,
                at: Frames(frames.iter().map(|&frame| frame.to_owned()).collect()),
            },
        }
    }

    #[test]
    fn a_failure_is_kept_with_its_backtrace_said_once() {
        let history = History::default();
        history.failed(&trap(&["inner", "outer"]));
        let failure = history.failure().unwrap();
        assert_eq!(failure.during, "handle-cast `Add`");
        assert_eq!(failure.reason, "trapped: unreachable");
        assert_eq!(failure.backtrace, ["inner", "outer"]);
    }

    #[test]
    fn the_last_reloads_are_kept_and_say_whether_their_code_stayed() {
        let history = History::default();
        for number in 0..10 {
            history.reloaded(Reloaded {
                at: SystemTime::UNIX_EPOCH,
                from: Digest::of(&[0]),
                to: Digest::of(&[number]),
                pause: Duration::ZERO,
                failed: None,
            });
        }
        history.went_back(&trap(&[]));
        let reloads = history.reloads();
        assert_eq!(reloads.len(), RELOADS);
        assert_eq!(reloads[0].to, Digest::of(&[9]));
        assert_eq!(
            reloads[0].failed.as_deref(),
            Some("handle-cast `Add`: trapped: unreachable")
        );
        assert_eq!(reloads[1].failed, None);
    }
}
