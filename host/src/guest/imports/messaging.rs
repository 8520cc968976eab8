//! `messaging`: messages to other actors. The host passes the bytes on and never looks into them.

use std::time::Duration;

use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::directory::{self, Inbox, NotPut, PutRefused, SendRefused};
use crate::guest::bindings::messaging::{self, ReplyError, SendError};
use crate::guest::bindings::types::Pid;
use crate::guest::limits::Limit;
use crate::guest::pid;
use crate::guest::state::State;
use crate::guest::strikes;

impl messaging::Host for State {
    async fn cast(&mut self, to: Pid, variant: String, args: Vec<u8>) -> wasmtime::Result<Result<(), SendError>> {
        self.myself()?;
        // A guest in a loop of casts gives way now and then, also to those it casts to.
        tokio::task::consume_budget().await;
        if !self.fits(&variant, &args) {
            return Ok(Err(SendError::TooLarge));
        }
        let message = SerializedMessage::Cast {
            variant,
            args,
            metadata: None,
        };
        Ok(self.send(to, message).await)
    }

    async fn call(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, SendError>> {
        if Some(self.myself()?.cell.get_id()) == pid::to_id(to) {
            return Ok(Err(SendError::WouldDeadlock));
        }
        if !self.fits(&variant, &args) {
            return Ok(Err(SendError::TooLarge));
        }
        let longest = self.limits.call_wait;
        let wait = timeout_ms.map_or(longest, |wait| Duration::from_millis(wait).min(longest));
        let (sender, reply) = oneshot::channel();
        let message = SerializedMessage::Call {
            variant,
            args,
            reply: RpcReplyPort::from((sender, wait)),
            metadata: None,
        };
        let outcome = timeout(wait, async {
            self.send(to, message).await?;
            reply.await.map_err(|_| SendError::NoReply)
        })
        .await
        .unwrap_or(Err(SendError::Timeout));
        if outcome == Err(SendError::Timeout) && wait == longest {
            strikes::limit(&self.label, Limit::CallWait(longest));
        }
        Ok(match outcome {
            Ok(reply) if reply.len() > self.limits.reply_bytes => {
                strikes::limit(&self.label, Limit::ReplyBytes(self.limits.reply_bytes));
                Err(SendError::TooLarge)
            }
            outcome => outcome,
        })
    }

    fn reply(&mut self, reply_to: u64, bytes: Vec<u8>) -> wasmtime::Result<Result<(), ReplyError>> {
        self.myself()?;
        if bytes.len() > self.limits.reply_bytes {
            strikes::limit(&self.label, Limit::ReplyBytes(self.limits.reply_bytes));
            return Ok(Err(ReplyError::TooLarge));
        }
        let Some(port) = self.replies.take(reply_to) else {
            return Ok(Err(ReplyError::UnknownCall));
        };
        Ok(port.send(bytes).map_err(|_| ReplyError::TooLate))
    }

    fn drop_call(&mut self, reply_to: u64) -> wasmtime::Result<()> {
        self.myself()?;
        drop(self.replies.take(reply_to));
        Ok(())
    }

    fn is_waiting(&mut self, reply_to: u64) -> wasmtime::Result<bool> {
        self.myself()?;
        Ok(self.replies.is_waiting(reply_to))
    }

    fn metadata(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.myself()?;
        Ok(self.metadata.clone())
    }
}

impl State {
    /// False for a message that is larger than the guest may send.
    pub(super) fn fits(&self, variant: &str, args: &[u8]) -> bool {
        let fits = variant.len().saturating_add(args.len()) <= self.limits.message_bytes;
        if !fits {
            strikes::limit(&self.label, Limit::MessageBytes(self.limits.message_bytes));
        }
        fits
    }

    /// Sends to an actor of this process, or past its stand-in to one of another node. The guest's fiber waits while its
    /// mailbox, or the other node, takes messages more slowly than they come.
    async fn send(&mut self, to: Pid, message: SerializedMessage) -> Result<(), SendError> {
        let id = pid::to_id(to).ok_or(SendError::UnknownActor)?;
        if !directory::is_ours(id) {
            return Ok(directory::send_remote(id, message).await?);
        }
        let local = directory::local(id.pid()).ok_or(SendError::UnknownActor)?;
        let Some(inbox) = &local.inbox else {
            return local.send(message).map_err(SendError::from);
        };
        let message = match inbox.put(message) {
            Ok(()) => return Ok(()),
            Err(NotPut {
                message,
                reason: PutRefused::Full,
            }) if Some(id) != self.myself().ok().map(|myself| myself.cell.get_id()) => message,
            Err(NotPut { reason, .. }) => return Err(reason.into()),
        };
        let wait = self.limits.send_wait;
        timeout(wait, put_when_there_is_room(&**inbox, message))
            .await
            .unwrap_or_else(|_| {
                strikes::limit(&self.label, Limit::SendWait(wait));
                Err(SendError::Overloaded)
            })
    }
}

async fn put_when_there_is_room(inbox: &dyn Inbox, mut message: SerializedMessage) -> Result<(), SendError> {
    loop {
        let room = inbox.room();
        message = match (inbox.put(message), &room) {
            (Ok(()), _) => return Ok(()),
            (
                Err(NotPut {
                    message,
                    reason: PutRefused::Full,
                }),
                Some(_),
            ) => message,
            (Err(NotPut { reason, .. }), _) => return Err(reason.into()),
        };
        if let Some(room) = room {
            room.await;
        }
    }
}

impl From<PutRefused> for SendError {
    fn from(refused: PutRefused) -> Self {
        match refused {
            PutRefused::Full => Self::Overloaded,
            PutRefused::Ended => Self::Stopped,
        }
    }
}

impl From<SendRefused> for SendError {
    fn from(refused: SendRefused) -> Self {
        match refused {
            SendRefused::UnknownActor => Self::UnknownActor,
            SendRefused::TooLarge => Self::TooLarge,
            SendRefused::Overloaded => Self::Overloaded,
        }
    }
}
