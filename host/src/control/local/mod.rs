//! The operator on the node's own machine: a Unix socket, which nobody else may use.
//!
//! Whoever may read the node's files and signal its process can do with it as they like already, so no key is asked for. The
//! socket's file has mode 0600, and the system says for each connection which user is at its other end: the node's own or root,
//! or it is closed. Requests and answers are those of the [control actor](super::actor), each behind its length in four bytes,
//! one answer for each request and in their order.

mod client;
mod server;

pub(crate) use client::LocalClient;
pub(crate) use server::{LocalDoor, open};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::message::MAX_PIECE;

/// The longest path of a socket, in bytes: what the system has room for, with the zero at its end.
pub(crate) const MAX_PATH: usize = 107;

/// The largest request, in bytes: a message as large as nodes accept, and what says for whom it is.
pub(crate) const MAX_REQUEST: usize = 17 << 20;

const _: () = assert!(MAX_REQUEST >= MAX_PIECE + 64 * 1024, "a piece and its request fit");

/// The largest answer, in bytes: all actors of a node with very many.
const MAX_ANSWER: usize = 256 << 20;

/// Whether a process of the user `own` trusts the user at the other end of a socket: itself, and root. The node and its commands go by the
/// same rule, so neither is taken in by a socket that somebody else has put in the place. Root may ask whatever node there is.
const fn is_trusted(peer: u32, own: u32, end: End) -> bool {
    peer == own || peer == 0 || (own == 0 && matches!(end, End::Command))
}

/// Which end a process is.
#[derive(Clone, Copy)]
enum End {
    Node,
    Command,
}

/// True if this process trusts the other end of a connection.
fn trusts(stream: &UnixStream, end: End) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| is_trusted(peer.uid(), own, end))
}

/// The next frame, of at most this many bytes. None if the other side has ended the connection between two frames.
async fn read_frame(from: &mut (impl AsyncRead + Unpin), most: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..]).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > most {
        let error = format!("a frame of {length} bytes; at most {most} are taken");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, error));
    }
    // As it comes, and not in advance: a length costs its sender nothing.
    let mut frame = Vec::new();
    from.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(frame))
}

async fn write_frame(to: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX).to_be_bytes();
    to.write_all(&length).await?;
    to.write_all(frame).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_end_trusts_another_user_but_root() {
        for (peer, own, by_node, by_command) in [
            (1000, 1000, true, true),
            (0, 1000, true, true),
            (1001, 1000, false, false),
            // A node that root runs takes orders of nobody else; but root may ask the node of a user.
            (1000, 0, false, true),
            (0, 0, true, true),
        ] {
            assert_eq!(is_trusted(peer, own, End::Node), by_node, "{peer} {own}");
            assert_eq!(is_trusted(peer, own, End::Command), by_command, "{peer} {own}");
        }
    }

    #[tokio::test]
    async fn a_command_is_told_that_the_socket_is_of_its_own_user() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert!(trusts(&ours, End::Command) && trusts(&ours, End::Node));
    }
}
