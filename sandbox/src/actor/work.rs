//! What a guest is given to do: a message, news of another actor, or what has arrived for it.

use ractor::message::SerializedMessage;

use crate::accounting::telemetry;
use crate::component::bindings::types::SupervisionEvent;
use crate::directory::PROBE_VARIANT;
use crate::instance::calls::Instance;
use crate::instance::error::GuestError;
use crate::policy::limits::Limit;
use crate::store::asks::Arrival;
use crate::store::replies::Port;

/// See the module.
pub(super) enum Work {
    Message(SerializedMessage),
    Event(SupervisionEvent),
    Arrival(Arrival),
}

/// What was given once and may be given again, without what it can carry only once.
pub(super) enum Copy {
    Cast(SerializedMessage),
    Call {
        variant: String,
        args: Vec<u8>,
        metadata: Option<Vec<u8>>,
    },
    Event(SupervisionEvent),
    Arrival(Arrival),
}

impl Work {
    pub(super) async fn run(self, instance: &mut Instance) -> Result<(), GuestError> {
        match self {
            Self::Message(message) => handle(instance, message).await,
            Self::Event(event) => instance.handle_supervisor_evt(&event).await,
            Self::Arrival(arrival) => instance.handle_arrival(&arrival).await,
        }
    }

    /// True if the guest doesn't see it.
    pub(super) fn is_probe(&self) -> bool {
        matches!(self, Self::Message(SerializedMessage::Call { variant, .. }) if variant == PROBE_VARIANT)
    }

    /// None for what is no work at all.
    pub(super) fn copy(&self) -> Option<Copy> {
        match self {
            Self::Message(SerializedMessage::Cast {
                variant,
                args,
                metadata,
            }) => Some(Copy::Cast(SerializedMessage::Cast {
                variant: variant.clone(),
                args: args.clone(),
                metadata: metadata.clone(),
            })),
            Self::Message(SerializedMessage::Call {
                variant,
                args,
                metadata,
                ..
            }) => Some(Copy::Call {
                variant: variant.clone(),
                args: args.clone(),
                metadata: metadata.clone(),
            }),
            // Tokens were exchanged for their messages before, and marks are never given to an instance.
            Self::Message(SerializedMessage::CallReply(..)) => None,
            Self::Event(event) => Some(Copy::Event(event.clone())),
            Self::Arrival(arrival) => Some(Copy::Arrival(arrival.clone())),
        }
    }
}

impl Copy {
    /// The work itself; none for a call whose reply port is gone.
    pub(super) fn with(self, port: Option<Port>) -> Option<Work> {
        match self {
            Self::Cast(message) => Some(Work::Message(message)),
            Self::Call {
                variant,
                args,
                metadata,
            } => port.map(|reply| {
                Work::Message(SerializedMessage::Call {
                    variant,
                    args,
                    reply,
                    metadata,
                })
            }),
            Self::Event(event) => Some(Work::Event(event)),
            Self::Arrival(arrival) => Some(Work::Arrival(arrival)),
        }
    }
}

/// Gives a message to an instance.
pub(super) async fn handle(instance: &mut Instance, message: SerializedMessage) -> Result<(), GuestError> {
    match message {
        SerializedMessage::Cast {
            variant,
            args,
            metadata,
        } => {
            if fits(instance, &variant, &args) {
                instance.handle_cast(&variant, &args, metadata).await?;
            }
        }
        SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata,
        } => {
            if variant == PROBE_VARIANT {
                // The cluster layer asks how far this actor has come; dropping the port tells it.
                return Ok(());
            }
            // If it doesn't fit, the reply port is dropped, and the caller hears at once.
            if fits(instance, &variant, &args) {
                instance.handle_call(&variant, &args, reply, metadata).await?;
            }
        }
        // A token, which was exchanged for a message before.
        SerializedMessage::CallReply(..) => {}
    }
    Ok(())
}

/// A message beyond the limit is dropped with a warning: copying it in could use up the guest's memory, and whoever
/// can send messages must not be able to end an actor by their size.
fn fits(instance: &Instance, variant: &str, args: &[u8]) -> bool {
    let (bytes, limit) = (
        variant.len().saturating_add(args.len()),
        instance.limits().message_bytes,
    );
    if bytes > limit {
        telemetry::limit(instance.label(), Limit::MessageBytes(limit));
        telemetry::dead_letters(instance.label(), "message_bytes", 1);
    }
    bytes <= limit
}
