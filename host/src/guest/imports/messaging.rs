//! `messaging`: messages to other actors. The host passes the bytes on and never looks into them.

use std::time::Duration;

use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::directory::{self, SendRefused};
use crate::guest::bindings::messaging::{self, ReplyError, SendError};
use crate::guest::bindings::types::Pid;
use crate::guest::pid;
use crate::guest::state::State;

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
        Ok(send(to, message).await)
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
        let outcome = timeout(wait, call(to, message, reply))
            .await
            .unwrap_or(Err(SendError::Timeout));
        Ok(match outcome {
            Ok(reply) if reply.len() > self.limits.message_bytes => Err(SendError::TooLarge),
            outcome => outcome,
        })
    }

    fn reply(&mut self, reply_to: u64, bytes: Vec<u8>) -> wasmtime::Result<Result<(), ReplyError>> {
        self.myself()?;
        if bytes.len() > self.limits.message_bytes {
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

    fn metadata(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.myself()?;
        Ok(self.metadata.clone())
    }
}

impl State {
    fn fits(&self, variant: &str, args: &[u8]) -> bool {
        variant.len().saturating_add(args.len()) <= self.limits.message_bytes
    }
}

async fn call(to: Pid, message: SerializedMessage, reply: oneshot::Receiver<Vec<u8>>) -> Result<Vec<u8>, SendError> {
    send(to, message).await?;
    reply.await.map_err(|_| SendError::NoReply)
}

/// Sends to an actor of this process, or past its stand-in to one of another node: there the guest's fiber waits while
/// the other node takes messages more slowly than they come.
async fn send(to: Pid, message: SerializedMessage) -> Result<(), SendError> {
    let id = pid::to_id(to).ok_or(SendError::UnknownActor)?;
    if !directory::is_ours(id) {
        return Ok(directory::send_remote(id, message).await?);
    }
    let cell = directory::local_actor(id.pid()).ok_or(SendError::UnknownActor)?;
    cell.send_serialized(message).map_err(|_| SendError::Stopped)
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
