//! A message to an entity of another node, as it is kept until it is begun there.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::message::SerializedMessage;
use ractor::{ActorId, RpcReplyPort};
use ractor_host_directory::trace::{self, TraceContext};
use ractor_host_directory::{FailureReason, NoReply, fail, node_of, relay_port};
use ractor_host_placement::words::Entity;

use super::frame::{CALL, CAST, DELETE, KEYED, Origin, Routed};
use super::outgoing::{LOST, NOT_HERE};
use crate::keys::{is_own, take_mark};
use crate::seat::told;

/// See the module.
pub(super) struct Parcel {
    pub(super) entity: Entity,
    variant: String,
    args: Vec<u8>,
    metadata: Option<Vec<u8>>,
    pub(super) trace: Option<Arc<TraceContext>>,
    call: Option<Call>,
}

struct Call {
    /// None once the caller has heard.
    port: Mutex<Option<RpcReplyPort<Vec<u8>>>>,
    timeout: Option<Duration>,
    /// It is no message: the state of the entity is to be given up.
    deletes: bool,
}

impl Parcel {
    /// None for what is no message.
    pub(super) fn new(entity: &Entity, message: SerializedMessage) -> Option<Self> {
        let (variant, args, metadata, call) = match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => (variant, args, metadata, None),
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => {
                let timeout = reply.get_timeout();
                let port = Mutex::new(Some(reply));
                let call = Call {
                    port,
                    timeout,
                    deletes: false,
                };
                (variant, args, metadata, Some(call))
            }
            SerializedMessage::CallReply(..) => return None,
        };
        Some(Self {
            entity: entity.clone(),
            variant,
            args,
            metadata,
            trace: trace::carried(),
            call,
        })
    }

    /// The state of the entity is to be given up.
    pub(super) fn deletion(entity: &Entity, port: RpcReplyPort<Vec<u8>>) -> Self {
        Self {
            entity: entity.clone(),
            variant: String::new(),
            args: Vec::new(),
            metadata: None,
            trace: None,
            call: Some(Call {
                port: Mutex::new(Some(port)),
                timeout: None,
                deletes: true,
            }),
        }
    }

    /// True if nobody waits for what comes of it.
    pub(super) fn is_cast(&self) -> bool {
        self.call.is_none()
    }

    /// True if it is no message: the state of the entity is to be given up.
    pub(super) fn deletes(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.deletes)
    }

    pub(super) fn port(&self) -> Option<RpcReplyPort<Vec<u8>>> {
        self.call.as_ref()?.port.lock().take()
    }

    /// As an entity of this node has it. None for a call whose caller has heard.
    pub(super) fn message(&self) -> Option<SerializedMessage> {
        let (variant, args, metadata) = (self.variant.clone(), self.args.clone(), self.metadata.clone());
        Some(match &self.call {
            None => SerializedMessage::Cast {
                variant,
                args,
                metadata,
            },
            Some(_) => SerializedMessage::Call {
                variant,
                args,
                reply: self.port()?,
                metadata,
            },
        })
    }

    /// The message was not taken: it is this again.
    pub(super) fn put_back(&self, message: SerializedMessage) {
        if let (SerializedMessage::Call { reply, .. }, Some(call)) = (message, &self.call) {
            *call.port.lock() = Some(reply);
        }
    }

    /// As the gate of another node has it.
    pub(super) fn framed(self: &Arc<Self>, gate: ActorId, origin: &Origin) -> SerializedMessage {
        let mut args = Routed::write(origin, &self.entity.key, &self.variant, &self.args);
        let metadata = self.metadata.clone();
        let is_keyed = is_own(&self.variant, &self.args);
        if is_keyed {
            let before = args.len() - self.args.len();
            take_mark(args.get_mut(before..).unwrap_or_default());
        }
        let Some(call) = &self.call else {
            return SerializedMessage::Cast {
                variant: CAST.to_owned(),
                args,
                metadata,
            };
        };
        let parcel = self.clone();
        let kind = match call.deletes {
            true => DELETE,
            false if is_keyed => KEYED,
            false => CALL,
        };
        SerializedMessage::Call {
            variant: kind.to_owned(),
            args,
            reply: relay_port(call.timeout, move |outcome| parcel.answered(gate, outcome)),
            metadata,
        }
    }

    fn answered(&self, gate: ActorId, outcome: Result<Vec<u8>, NoReply>) {
        match outcome {
            // It is sent again, or its sender hears that it is lost.
            Err(NoReply::Failed(reason)) if reason.as_str() == NOT_HERE => {}
            Err(NoReply::Failed(reason)) => {
                if let Some(port) = self.port() {
                    told(fail(port, reason));
                }
            }
            // A session is out of the directory before its calls end.
            Err(NoReply::Dropped) if node_of(gate).is_none() => self.fail(LOST),
            Err(NoReply::Dropped) => drop(self.port()),
            Ok(reply) => {
                if let Some(port) = self.port() {
                    // The caller may have given up.
                    port.send(reply).ok();
                }
            }
        }
    }

    /// It isn't handled, or nobody knows.
    pub(super) fn fail(&self, reason: &str) {
        if let Some(port) = self.port() {
            let reason = format!("{}: {reason}", self.entity);
            told(fail(port, FailureReason::new(&reason)));
        }
    }
}
