//! A command's end of the socket.

use std::io;
use std::path::Path;

use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};

use super::{End, MAX_ANSWER, read_frame, trusts, write_frame};
use crate::control::body::{decode_body, encode_body};
use crate::control::client::AskError;
use crate::control::message::{Answer, Request};

/// A connection to the node of this machine.
pub(crate) struct LocalClient {
    stream: UnixStream,
}

impl LocalClient {
    /// Connects to the socket at this path.
    ///
    /// # Errors
    /// No node is behind it, or it is another user's.
    pub(crate) async fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path).await?;
        // In a folder that others can write to, the socket may be anybody's, who would be told all that is asked.
        if !trusts(&stream, End::Command) {
            let reason = "another user's process answers there";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        Ok(Self { stream })
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&mut self, request: &Request, piece: &[u8], deadline: Instant) -> Result<Answer, AskError> {
        let body = encode_body(request, piece)?;
        let asked = async {
            write_frame(&mut self.stream, &body).await?;
            read_frame(&mut self.stream, MAX_ANSWER).await
        };
        let answer = match timeout_at(deadline, asked).await {
            Ok(Ok(Some(answer))) => answer,
            Ok(Ok(None) | Err(_)) => return Err(AskError::Ended),
            Err(_) => return Err(AskError::Timeout),
        };
        match decode_body(&answer).ok_or(AskError::NotUnderstood)? {
            (Answer::Failed { reason }, _) => Err(AskError::Failed(reason)),
            (Answer::Busy { reason }, _) => Err(AskError::Busy(reason)),
            (answer, _) => Ok(answer),
        }
    }
}
