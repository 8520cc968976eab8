//! The other end: asking a node's control actor.

use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::body::{decode_body, encode_body};
use super::key::ControlKey;
use super::message::{Answer, ControlMessage, ControlRefusal, MAX_PIECE, Request, decode_reply};
use super::seal::{Hello, Opening, SessionKey, SessionNonce};
use crate::guest::Digest;

/// Bytes that are uploaded with one request.
const PIECE: usize = 1 << 20;

const _: () = assert!(PIECE <= MAX_PIECE, "a node takes what a client sends");

/// Why a node did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("no answer within the time that the command has (--timeout)")]
    Timeout,
    #[error("the connection ended, or the control actor did")]
    Ended,
    #[error("the node refused: {0}")]
    Refused(#[from] ControlRefusal),
    #[error("the node's answer can't be understood; it may run another version, or not have this control key")]
    NotUnderstood,
    #[error("the request can't be written: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("{0}")]
    Failed(String),
    /// What was asked is not known yet.
    #[error("{0}")]
    Busy(String),
    /// Before the request was sent.
    #[error("{0}")]
    Unsent(Box<AskError>),
}

/// Asks a node's control actor, in a session that is opened when it is needed.
pub(crate) struct ControlClient {
    actor: ActorRef<ControlMessage>,
    /// The node's full name.
    node: String,
    key: ControlKey,
    session: Option<ClientSession>,
}

#[derive(Clone)]
struct ClientSession {
    hello: Hello,
    client: SessionNonce,
    key: SessionKey,
    /// That of the last request.
    counter: u64,
}

impl AskError {
    /// True if the request may have been carried out all the same.
    pub(crate) fn leaves_open(&self) -> bool {
        match self {
            Self::Timeout | Self::Ended | Self::NotUnderstood | Self::Busy(_) => true,
            Self::Refused(_) | Self::Encode(_) | Self::Failed(_) | Self::Unsent(_) => false,
        }
    }
}

impl ControlClient {
    /// For the control actor of the node of this full name.
    pub(crate) fn new(actor: ActorCell, node: String, key: ControlKey) -> Self {
        Self {
            actor: ActorRef::from(actor),
            node,
            key,
            session: None,
        }
    }

    async fn open(&self, deadline: Instant) -> Result<ClientSession, AskError> {
        let client = rand::random::<SessionNonce>();
        let hello = call(
            &self.actor,
            |reply| ControlMessage::Open(client.to_vec(), reply),
            deadline,
        )
        .await?;
        let hello = decode_reply(&hello).ok_or(AskError::NotUnderstood)??;
        let hello = Hello::parse(hello).ok_or(AskError::NotUnderstood)?;
        Ok(ClientSession {
            hello,
            client,
            key: SessionKey::derive(&self.key, &self.node, &client, &hello.server),
            counter: 0,
        })
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&mut self, request: &Request, piece: &[u8], deadline: Instant) -> Result<Answer, AskError> {
        let body = encode_body(request, piece)?;
        let had_session = self.session.is_some();
        match self.ask_once(&body, deadline).await {
            // It took too long since the last request, or others came. The node has done nothing.
            Err(AskError::Refused(ControlRefusal::NoSession)) if had_session => self.ask_once(&body, deadline).await,
            answer => answer,
        }
    }

    async fn ask_once(&mut self, body: &[u8], deadline: Instant) -> Result<Answer, AskError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self
                .open(deadline)
                .await
                .map_err(|error| AskError::Unsent(Box::new(error)))?,
        };
        // Never used again, whatever becomes of the request: the node may have seen it although its answer was lost.
        session.counter += 1;
        let Hello {
            session: number,
            opened,
            ..
        } = session.hello;
        let counter = session.counter;
        let sealed = session.key.seal_request(number, counter, body);
        let message = |reply| match counter {
            1 => {
                let opening = Opening {
                    opened,
                    client: session.client,
                    request: &sealed,
                };
                ControlMessage::Begin(opening.to_bytes(), reply)
            }
            _ => ControlMessage::Ask(sealed, reply),
        };
        let reply = call(&self.actor, message, deadline).await?;
        let answer = decode_reply(&reply).ok_or(AskError::NotUnderstood)??;
        let body = session.key.open_answer(number, counter, answer);
        let answer = decode_body(body.ok_or(AskError::NotUnderstood)?).ok_or(AskError::NotUnderstood)?;
        // Only after an answer: otherwise it isn't known how far the node has counted, and the next request opens another session.
        self.session = Some(session);
        match answer {
            (Answer::Failed { reason }, _) => Err(AskError::Failed(reason)),
            (Answer::Busy { reason }, _) => Err(AskError::Busy(reason)),
            (answer, _) => Ok(answer),
        }
    }
}

/// Uploads a component to a node that is asked by `ask`, or what the node lacks of it. Gives how many bytes were sent. A later upload
/// goes on where this one stopped.
pub(crate) async fn upload(
    mut ask: impl AsyncFnMut(&Request, &[u8]) -> Result<Answer, AskError>,
    digest: Digest,
    bytes: &[u8],
) -> Result<u64, AskError> {
    let digest = digest.to_string();
    let begin = Request::BeginUpload {
        digest: digest.clone(),
        size: bytes.len() as u64,
    };
    let mut progress = ask(&begin, &[]).await?;
    let mut sent = 0;
    loop {
        let Answer::UploadProgress { offset, complete } = progress else {
            return Err(AskError::NotUnderstood);
        };
        if complete {
            return Ok(sent);
        }
        let start = usize::try_from(offset).map_err(|_| AskError::NotUnderstood)?;
        // A node that asks for what is at or behind the end would make this a loop without progress.
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty());
        let piece = rest.ok_or(AskError::NotUnderstood)?;
        let piece = piece.get(..PIECE).unwrap_or(piece);
        let next = Request::Upload {
            digest: digest.clone(),
            offset,
        };
        progress = ask(&next, piece).await?;
        sent += piece.len() as u64;
    }
}

async fn call(
    actor: &ActorRef<ControlMessage>,
    message: impl FnOnce(RpcReplyPort<Vec<u8>>) -> ControlMessage,
    deadline: Instant,
) -> Result<Vec<u8>, AskError> {
    // Of the whole command, and not of this call: an upload has many.
    let remaining = deadline.saturating_duration_since(Instant::now());
    match actor.call(message, Some(remaining)).await {
        Ok(CallResult::Success(reply)) => Ok(reply),
        Ok(CallResult::Timeout) => Err(AskError::Timeout),
        Ok(CallResult::SenderError) | Err(_) => Err(AskError::Ended),
    }
}
