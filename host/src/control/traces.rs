//! What is asked and answered about traces of actors.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request_id::RequestId;
use super::target::Target;

/// A trace that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TraceStart {
    pub(crate) target: Target,
    /// Only messages of this name.
    pub(crate) message: Option<String>,
    /// Whether what is in the messages is wanted, and not their sizes alone.
    pub(crate) values: bool,
    /// The most events in one second. What is beyond it is left out and counted.
    pub(crate) each_second: u32,
    /// The most events altogether. Then the trace ends.
    pub(crate) most: u64,
    /// The longest that it lasts, in milliseconds.
    pub(crate) for_ms: u64,
}

/// A trace that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TraceBegun {
    /// Its number, drawn at random: whoever knows it can read it.
    pub(crate) trace: RequestId,
    /// The actors that it sees now.
    pub(crate) actors: Vec<String>,
    /// The limits that it has: what was asked for, or what the node allows.
    pub(crate) each_second: u32,
    pub(crate) most: u64,
    pub(crate) for_ms: u64,
}

/// Which events of a trace are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TraceQuery {
    pub(crate) trace: RequestId,
    /// The number of the event to go on with.
    pub(crate) next: u64,
    /// Whether what is in the messages is wanted.
    pub(crate) values: bool,
    /// The longest to wait for an event, in milliseconds; the node has a bound of its own.
    pub(crate) wait_ms: u64,
}

/// Some events of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TracedEvents {
    pub(crate) events: Vec<TracedEvent>,
    /// The number of the event to go on with.
    pub(crate) next: u64,
    /// How many events have gone before they could be read.
    pub(crate) lost: u64,
    /// How many were left out so far, because they were too many in one second.
    pub(crate) left_out: u64,
    /// Why nothing more comes.
    pub(crate) ended: Option<TraceEnd>,
}

/// Why a trace has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TraceEnd {
    /// It has lasted as long as it was to.
    Time,
    /// It has seen as many events as it was to.
    Count,
    /// Nobody has read it for a while.
    Unread,
    /// Somebody has ended it.
    Stopped,
}

/// Something that has passed an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TracedEvent {
    /// Microseconds since 1970.
    pub(crate) at_us: u64,
    /// The name of the actor that is traced, or `pid:N`.
    pub(crate) actor: String,
    pub(crate) pid: u64,
    pub(crate) event: TracedKind,
    /// The name of the message, or of that whose end this is.
    pub(crate) message: String,
    /// The bytes of the arguments or of the reply.
    pub(crate) bytes: u64,
    /// Tells a call from others of the same actor and direction.
    pub(crate) call: Option<u64>,
    /// Whom it is sent to, or who has sent it, where that is known: a name, `pid:N`, or the name of a node.
    pub(crate) peer: Option<String>,
    /// How long the handler took, or the call.
    pub(crate) took_us: Option<u64>,
    pub(crate) failed: Option<String>,
    /// What is in the message, where it was asked for and the actor describes it.
    pub(crate) values: Option<Value>,
}

/// What has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TracedKind {
    CastIn,
    CallIn,
    Handled,
    ReplyOut,
    CastOut,
    CallOut,
    ReplyIn,
}
