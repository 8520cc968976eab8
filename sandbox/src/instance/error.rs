//! A guest failed: in which callback, and how.

use std::fmt;
use std::sync::Arc;

use crate::component::needs::Shortages;
use crate::policy::grants::NotGranted;
use crate::policy::limits::Limit;

/// A guest failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("actor {actor:?} (pid {pid}) failed in {during}: {fault}")]
pub struct GuestError {
    /// The actor's name, or its module's if it has none.
    pub actor: Arc<str>,
    /// Its pid, 0 if it never had one.
    pub pid: u64,
    /// The callback and, for a message, its variant.
    pub during: String,
    /// What happened.
    #[source]
    pub fault: Fault,
}

/// How a guest failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// A callback returned an error: the guest's own text.
    #[error("{0}")]
    Returned(String),
    /// The guest went beyond a limit.
    #[error("it reached {limit}{at}{}", allowed_by(Some(*limit)))]
    Limit {
        /// Which one.
        limit: Limit,
        /// Where.
        at: Frames,
    },
    /// The component imports what the actor is not granted.
    #[error(transparent)]
    NotGranted(NotGranted),
    /// The states that it is to go on from are there, but can't be read. It does not start afresh, because it would put others
    /// in their places.
    #[error("its checkpoints can't be read: {0}; they are left as they are")]
    CheckpointsUnread(String),
    /// Its limits don't allow what the component has when it starts.
    #[error("it can't be made: {0}")]
    Shortage(Shortages),
    /// There was no room for the instance.
    #[error("it could not be made: {reason}{}{}", hint(*.refused), allowed_by(*.refused))]
    NoInstance {
        /// What is missing.
        reason: String,
        /// The guest's own limit, if that is what stood in the way.
        refused: Option<Limit>,
    },
    /// A handler waits, and the mailbox is held for it, but nothing is to come.
    #[error(
        "it said that a handler is pending and holds the mailbox, but nothing is to come that could have it go on: no reply to \
         `requests.ask`, no timer of `timers.wake-after`, and no news of a child or of what it monitors"
    )]
    NeverDone,
    /// The guest trapped.
    #[error("trapped: {reason}{}{at}{}", hint(*.refused), allowed_by(*.refused))]
    Trapped {
        /// What the trap was.
        reason: String,
        /// A limit that was in the guest's way before; often the cause.
        refused: Option<Limit>,
        /// Where.
        at: Frames,
    },
}

impl Fault {
    /// The limit that the guest reached, if one had a part in it.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Limit { limit, .. } => Some(*limit),
            Self::NoInstance { refused, .. } | Self::Trapped { refused, .. } => *refused,
            Self::Returned(_)
            | Self::NotGranted(_)
            | Self::CheckpointsUnread(_)
            | Self::Shortage(_)
            | Self::NeverDone => None,
        }
    }
}

/// The innermost frames of a trap, innermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames(pub Vec<String>);

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " (at {})", self.0.join(" < "))
    }
}

fn hint(refused: Option<Limit>) -> String {
    refused
        .map(|limit| format!(", after it reached {limit}"))
        .unwrap_or_default()
}

/// Where node.toml says how much it may be.
fn allowed_by(limit: Option<Limit>) -> String {
    limit
        .map(|limit| format!("; `{}` under {} says how much it may have", limit.name(), limit.table()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::limits::{Common, Limits};

    /// Every limit, as a guest reaches it.
    fn limits() -> Vec<Limit> {
        let time = Duration::from_secs(1);
        let mut limits = vec![
            Limit::Memory(1),
            Limit::TableElements(1),
            Limit::CoreInstances(1),
            Limit::Memories(1),
            Limit::Tables(1),
            Limit::Handles(1),
            Limit::Cpu(time),
            Limit::MessageTime(time),
            Limit::LifecycleTime(time),
            Limit::MessageBytes(1),
            Limit::ReplyBytes(1),
            Limit::MailboxMessages(1),
            Limit::MailboxBytes(1),
            Limit::SendWait(time),
            Limit::DeferredReplies(1),
            Limit::Asks(1),
            Limit::CallWait(time),
            Limit::Groups(1),
            Limit::Timers(1),
            Limit::Children(1),
            Limit::Monitors(1),
            Limit::HttpRequests(1),
            Limit::HttpRequestBytes(1),
            Limit::HttpResponseBytes(1),
            Limit::HttpHeaderBytes(1),
            Limit::HttpWait(time),
            Limit::NameBytes(1),
            Limit::LogRate(1),
            Limit::FamilyLogRate(1),
            Limit::MemoryReservation(1),
            Limit::TableReservation(1),
            Limit::Stack(1),
            Limit::ChildrenOfAll(1),
        ];
        limits.extend(Common::ALL.map(|common| Limit::OfFamily(common, 1)));
        limits
    }

    #[test]
    fn whatever_limit_fails_a_guest_the_error_says_its_key_and_where_that_is() {
        for limit in limits() {
            let key = limit.name();
            let is_of_actors = Limits::KEYS.contains(&key);
            assert_eq!(limit.table() == "[actors.limits]", is_of_actors, "{key}");
            let at = Frames(vec!["sell".to_owned()]);
            let (reason, refused) = ("unreachable".to_owned(), Some(limit));
            let faults = [
                Fault::Limit { limit, at: at.clone() },
                Fault::NoInstance {
                    reason: reason.clone(),
                    refused,
                },
                Fault::Trapped { reason, refused, at },
            ];
            for fault in faults {
                let text = fault.to_string();
                assert!(text.contains(&format!("({key})")), "{text}");
                assert!(
                    text.ends_with(&format!("; `{key}` under {} says how much it may have", limit.table())),
                    "{text}"
                );
            }
        }
        // Those that fail nothing: what is beyond them is cut off, refused with an error or by a reload, or replaced.
        let named: Vec<_> = limits().iter().map(Limit::name).collect();
        let others = Limits::KEYS.iter().filter(|key| !named.contains(key));
        assert_eq!(
            others.collect::<Vec<_>>(),
            [
                &"mailbox_full",
                &"reminders",
                &"reminder_bytes",
                &"state_bytes",
                &"log_bytes"
            ]
        );
    }
}
