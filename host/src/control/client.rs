//! The other end: asking a node's control actor.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, RpcReplyPort};

use super::key::DeployKey;
use super::message::{Answer, ControlMessage, MAX_PIECE, Refusal, Request, decode_body, decode_reply, encode_body};
use super::seal::SessionKey;
use crate::guest::Digest;

/// Bytes that are uploaded with one request.
const PIECE: usize = 1 << 20;

const _: () = assert!(PIECE <= MAX_PIECE, "a node takes what a client sends");

/// Why a node did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the connection ended, or the control actor did")]
    Ended,
    #[error("the node refused: {0}")]
    Refused(#[from] Refusal),
    #[error("the node's answer is not to be understood; it may run another version, or not have the deploy key itself")]
    NotUnderstood,
    #[error("the request can't be written: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("{0}")]
    Failed(String),
}

/// A session with a node's control actor.
pub(crate) struct ControlClient {
    actor: ActorRef<ControlMessage>,
    session: u64,
    key: SessionKey,
    counter: u64,
}

impl ControlClient {
    /// Opens a session with the control actor of the node of this full name.
    pub(crate) async fn open(
        actor: ActorCell,
        node: &str,
        key: &DeployKey,
        timeout: Duration,
    ) -> Result<Self, AskError> {
        let actor = ActorRef::from(actor);
        let client = rand::random::<[u8; 32]>();
        let hello = call(&actor, |reply| ControlMessage::Open(client.to_vec(), reply), timeout).await?;
        let hello = decode_reply(&hello).ok_or(AskError::NotUnderstood)??;
        let (session, server) = hello.split_first_chunk().ok_or(AskError::NotUnderstood)?;
        let server = server.try_into().map_err(|_| AskError::NotUnderstood)?;
        Ok(Self {
            actor,
            session: u64::from_be_bytes(*session),
            key: SessionKey::derive(key, node, &client, server),
            counter: 0,
        })
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&mut self, request: &Request, piece: &[u8], timeout: Duration) -> Result<Answer, AskError> {
        self.counter += 1;
        let body = encode_body(request, piece)?;
        let sealed = self.key.seal_request(self.session, self.counter, &body);
        let reply = call(&self.actor, |reply| ControlMessage::Ask(sealed, reply), timeout).await?;
        let answer = decode_reply(&reply).ok_or(AskError::NotUnderstood)??;
        let body = self.key.open_answer(self.session, self.counter, answer);
        match decode_body(body.ok_or(AskError::NotUnderstood)?) {
            Some((Answer::Failed { reason }, _)) => Err(AskError::Failed(reason)),
            Some((answer, _)) => Ok(answer),
            None => Err(AskError::NotUnderstood),
        }
    }

    /// Uploads a component, or what the node lacks of it. Gives how many bytes were sent.
    pub(crate) async fn upload(&mut self, digest: Digest, bytes: &[u8], timeout: Duration) -> Result<u64, AskError> {
        let digest = digest.to_string();
        let begin = Request::BeginUpload {
            digest: digest.clone(),
            size: bytes.len() as u64,
        };
        let mut progress = self.ask(&begin, &[], timeout).await?;
        let mut sent = 0;
        loop {
            let Answer::Progress { offset, complete } = progress else {
                return Err(AskError::NotUnderstood);
            };
            if complete {
                return Ok(sent);
            }
            let start = usize::try_from(offset).map_err(|_| AskError::NotUnderstood)?;
            let rest = bytes.get(start..).filter(|rest| !rest.is_empty());
            let piece = rest.ok_or(AskError::NotUnderstood)?;
            let piece = piece.get(..PIECE).unwrap_or(piece);
            let next = Request::Upload {
                digest: digest.clone(),
                offset,
            };
            progress = self.ask(&next, piece, timeout).await?;
            sent += piece.len() as u64;
        }
    }
}

async fn call(
    actor: &ActorRef<ControlMessage>,
    message: impl FnOnce(RpcReplyPort<Vec<u8>>) -> ControlMessage,
    timeout: Duration,
) -> Result<Vec<u8>, AskError> {
    match actor.call(message, Some(timeout)).await {
        Ok(CallResult::Success(reply)) => Ok(reply),
        Ok(CallResult::Timeout) => Err(AskError::Timeout(timeout)),
        Ok(CallResult::SenderError) | Err(_) => Err(AskError::Ended),
    }
}
