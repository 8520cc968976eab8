//! One thing that happened, as it travels and as it is read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum NodeEvent {
    /// The node has come up, with this many actors of its node.toml.
    NodeUp { actors: usize },
    /// The node begins to stop.
    NodeLeaves,
    /// An actor was started later than the node: again, or because an operator wanted it.
    ActorStarted { actor: String, pid: u64 },
    /// An actor has ended in order, or was killed.
    ActorEnded { actor: String, pid: u64, reason: String },
    /// An actor has failed, and this life of it is over.
    ActorFailed { actor: String, pid: u64, reason: String },
    /// A guest goes on with a fresh instance, as the same actor.
    ActorRestarted { actor: String, pid: u64, reason: String },
    /// An actor is not started again: there were too many restarts.
    ActorGivenUp {
        actor: String,
        supervisor: String,
        reason: String,
    },
    /// This many events of the children of guests were left out, since their families had too many. The families with the most come first.
    ChildEventsLeftOut { events: u64, families: Vec<String> },
    /// A module was to get other code, which it has if `verdict` is `reloaded` or `mixed`.
    ModuleReloaded(ModuleChange),
    /// A module was to go back to the version before.
    ModuleRolledBack(ModuleChange),
    /// A module was to get other code, and that was not begun.
    ReloadRefused { module: String, reason: String },
    /// There is a session with this node.
    SessionUp {
        // Beside the name of the node that tells it, which is `node`.
        #[serde(rename = "peer")]
        node: String,
    },
    /// The session with this node is over.
    SessionDown {
        #[serde(rename = "peer")]
        node: String,
        reason: String,
    },
}

/// What became of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModuleChange {
    pub(crate) module: String,
    /// The digest of the version before.
    pub(crate) from: String,
    /// The digest of the version that was to be.
    pub(crate) to: String,
    /// As in the report: `reloaded`, `rolled-back` or `mixed`.
    pub(crate) verdict: String,
    pub(crate) actors: usize,
    pub(crate) failed: usize,
    /// Why the first actor failed.
    pub(crate) reason: Option<String>,
}

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TimedEvent {
    /// Its number since the node started.
    pub(crate) number: u64,
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    #[serde(flatten)]
    pub(crate) event: NodeEvent,
}

/// Which events are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventQuery {
    /// The number of the event to go on with, or else the last events are asked for: `last` of them.
    pub(crate) next: Option<u64>,
    pub(crate) last: usize,
    /// The longest to wait for an event, in milliseconds; the node has a bound of its own.
    pub(crate) wait_ms: u64,
}

/// Some events, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventPage {
    pub(crate) events: Vec<TimedEvent>,
    /// The number of the event to go on with.
    pub(crate) next: u64,
    /// How many events have gone before they could be read.
    pub(crate) lost: u64,
}

/// Whom an event is about: an actor, a module, another node, or this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject<'e> {
    Actor(&'e str),
    Module(&'e str),
    Peer(&'e str),
    Node,
}

impl NodeEvent {
    pub(super) fn subject(&self) -> Subject<'_> {
        match self {
            Self::NodeUp { .. } | Self::NodeLeaves | Self::ChildEventsLeftOut { .. } => Subject::Node,
            Self::ActorStarted { actor, .. }
            | Self::ActorEnded { actor, .. }
            | Self::ActorFailed { actor, .. }
            | Self::ActorRestarted { actor, .. }
            | Self::ActorGivenUp { actor, .. } => Subject::Actor(actor),
            Self::ModuleReloaded(ModuleChange { module, .. })
            | Self::ModuleRolledBack(ModuleChange { module, .. })
            | Self::ReloadRefused { module, .. } => Subject::Module(module),
            Self::SessionUp { node } | Self::SessionDown { node, .. } => Subject::Peer(node),
        }
    }

    /// Cuts what a guest or a peer may have made long.
    pub(super) fn shorten(&mut self, longest: usize) {
        let reason = match self {
            Self::NodeUp { .. }
            | Self::NodeLeaves
            | Self::ActorStarted { .. }
            | Self::ChildEventsLeftOut { .. }
            | Self::SessionUp { .. } => return,
            Self::ActorEnded { reason, .. }
            | Self::ActorFailed { reason, .. }
            | Self::ActorRestarted { reason, .. }
            | Self::ActorGivenUp { reason, .. }
            | Self::ReloadRefused { reason, .. }
            | Self::SessionDown { reason, .. } => reason,
            Self::ModuleReloaded(ModuleChange { reason, .. }) | Self::ModuleRolledBack(ModuleChange { reason, .. }) => {
                match reason {
                    Some(reason) => reason,
                    None => return,
                }
            }
        };
        if let Some((cut, _)) = reason.char_indices().nth(longest) {
            reason.truncate(cut);
            reason.push('…');
        }
    }
}

impl fmt::Display for NodeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeUp { actors: 1 } => f.write_str("the node is up with 1 actor"),
            Self::NodeUp { actors } => write!(f, "the node is up with {actors} actors"),
            Self::NodeLeaves => f.write_str("the node begins to stop"),
            Self::ActorStarted { actor, pid } => write!(f, "{actor} (pid {pid}) started"),
            Self::ActorEnded { actor, pid, reason } => write!(f, "{actor} (pid {pid}) ended: {reason}"),
            Self::ActorFailed { actor, pid, reason } => write!(f, "{actor} (pid {pid}) failed: {reason}"),
            Self::ActorRestarted { actor, pid, reason } => {
                write!(f, "{actor} (pid {pid}) was restarted in place: {reason}")
            }
            Self::ActorGivenUp {
                actor,
                supervisor,
                reason,
            } => {
                write!(f, "{actor} was given up by {supervisor}: {reason}")
            }
            Self::ChildEventsLeftOut { events, families } => {
                let families = families.join(", ");
                write!(
                    f,
                    "{events} more events of children were left out, most of them of {families}"
                )
            }
            Self::ModuleReloaded(change) => change.write(f, "reload"),
            Self::ModuleRolledBack(change) => change.write(f, "way back"),
            Self::ReloadRefused { module, reason } => write!(f, "module {module} was not reloaded: {reason}"),
            Self::SessionUp { node } => write!(f, "session with {node} is up"),
            Self::SessionDown { node, reason } => write!(f, "session with {node} is over: {reason}"),
        }
    }
}

impl ModuleChange {
    fn write(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        let (from, to) = (short(&self.from), short(&self.to));
        let (module, verdict, actors) = (&self.module, &self.verdict, self.actors);
        write!(
            f,
            "module {module}: {what} from {from} to {to} ended {verdict}, with {actors} actors"
        )?;
        match &self.reason {
            Some(reason) => write!(f, ", of which {} failed: {reason}", self.failed),
            None => Ok(()),
        }
    }
}

/// The first digits of a digest, which tell versions apart.
fn short(digest: &str) -> &str {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.get(..12).unwrap_or(digits)
}
