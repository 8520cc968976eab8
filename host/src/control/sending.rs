//! Messages that somebody has a node send to an actor: what is asked, and what comes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The time that a reply may take if the sender says nothing.
const USUAL_WAIT: Duration = Duration::from_secs(10);

/// The longest that a sender can have a node wait for a reply.
const MOST_WAIT: Duration = Duration::from_mins(5);

/// A message, with its arguments as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sending {
    /// An actor's name, `NAME@NODE`, `group:NAME` or `pid:N`.
    pub(crate) target: String,
    /// The name of the message.
    pub(crate) message: String,
    /// As the actor describes them.
    #[serde(default)]
    pub(crate) arguments: Vec<Value>,
    /// The types of the arguments, in place of what the actor says. It may say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) argument_types: Option<Vec<String>>,
    /// The type of the reply, in place of what the actor says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reply_type: Option<String>,
    /// The time that everything may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_ms: Option<u64>,
    /// Whether all members of a group get a cast, and not any one of them.
    #[serde(default)]
    pub(crate) all: bool,
    /// The idempotency key that a call bears. A request has it among its headers.
    #[serde(skip)]
    pub(crate) idempotency_key: Option<String>,
}

impl Sending {
    /// The time that everything may take.
    pub(crate) fn wait(&self) -> Duration {
        self.timeout_ms.map_or(USUAL_WAIT, bounded)
    }
}

/// The time that a sender wants, as far as it may be had.
pub(super) fn bounded(ms: u64) -> Duration {
    Duration::from_millis(ms).clamp(Duration::from_millis(1), MOST_WAIT)
}

/// A message whose arguments are bytes already. They stand behind the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    /// As that of a [`Sending`].
    pub(crate) target: String,
    /// The name of the message.
    pub(crate) message: String,
    pub(crate) kind: DeliveryKind,
    /// The time that everything may take.
    pub(crate) timeout_ms: u64,
    /// The trace that it is part of, as the headers `traceparent` and `tracestate` say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<(String, String)>,
    /// The idempotency key that a call bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
}

/// To how many a message goes, and what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeliveryKind {
    /// A call of one actor. It ends with the reply.
    Call,
    /// A cast to one actor.
    Cast,
    /// A cast to all members of a group.
    CastToAll,
}

impl Delivery {
    /// The time that everything may take.
    pub(crate) fn wait(&self) -> Duration {
        bounded(self.timeout_ms)
    }
}

/// What came of a [`Delivery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivered {
    /// How many actors got the message.
    pub(crate) actors: usize,
    /// The bytes of the reply to a call, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reply: Option<String>,
}

/// What an actor says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Described {
    /// Whom the message is for, as a target: the target itself, or the member of a group that was asked.
    pub(crate) actor: String,
    /// The bytes of its [`Contract`](crate::guest::Contract), in hexadecimal; or why nothing is known.
    pub(crate) contract: Result<String, String>,
}

/// What a call brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) reply: Value,
    /// The type that the reply was taken for.
    pub(crate) reply_type: String,
}

/// A message that was not sent, or not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotSent {
    pub(crate) fault: SendFault,
    pub(crate) reason: String,
}

/// What went wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SendFault {
    /// The target is not written as one.
    BadTarget,
    /// Nobody is there.
    NoTarget,
    /// The actor has no such message, or it is of the other kind.
    NoMessage,
    /// The arguments are not those of the message.
    BadArguments,
    /// The message can't bear the idempotency key that it has.
    BadKey,
    /// Too much waits for the actor, or for its node.
    Overloaded,
    /// The actor has ended, or the connection to its node has.
    Ended,
    /// The actor said that it failed the call.
    Failed,
    /// There was no reply in time.
    NoReply,
    /// The reply is not of the type that it was taken for.
    BadReply,
}

impl SendFault {
    /// With why, in words.
    pub(crate) fn because(self, reason: impl ToString) -> NotSent {
        NotSent {
            fault: self,
            reason: reason.to_string(),
        }
    }
}
