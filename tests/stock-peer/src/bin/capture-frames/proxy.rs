//! A TCP proxy that keeps every frame that passes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;

use crate::schema::PREFIX;

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The side that dialled.
    Initiator,
    /// The side that was dialled.
    Acceptor,
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Initiator => "initiator",
            Self::Acceptor => "acceptor",
        })
    }
}

/// A frame and who sent it, its length prefix included.
pub(crate) type Recorded = (Sender, Vec<u8>);

/// Stands in front of one node.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    frames: Arc<Mutex<Vec<Recorded>>>,
}

impl Proxy {
    /// Listens on a port that the system chooses and forwards every connection to `target`.
    pub(crate) fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&frames);
        thread::spawn(move || {
            for initiator in listener.incoming() {
                if let Err(error) = initiator.and_then(|initiator| serve(initiator, target, &recorded)) {
                    eprintln!("proxy: {error}");
                }
            }
        });
        Ok(Self { address, frames })
    }

    /// Everything recorded so far.
    pub(crate) fn frames(&self) -> Vec<Recorded> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(initiator: TcpStream, target: SocketAddr, frames: &Arc<Mutex<Vec<Recorded>>>) -> std::io::Result<()> {
    let acceptor = TcpStream::connect(target)?;
    let ways = [
        (Sender::Initiator, initiator.try_clone()?, acceptor.try_clone()?),
        (Sender::Acceptor, acceptor, initiator),
    ];
    for (sender, from, to) in ways {
        let frames = Arc::clone(frames);
        thread::spawn(move || {
            if let Err(error) = pump(sender, from, to, &frames) {
                eprintln!("proxy: {sender:?}: {error:#}");
            }
        });
    }
    Ok(())
}

fn pump(sender: Sender, mut from: TcpStream, mut to: TcpStream, frames: &Mutex<Vec<Recorded>>) -> anyhow::Result<()> {
    while let Some(frame) = read_frame(&mut from)? {
        to.write_all(&frame)?;
        frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((sender, frame));
    }
    // The end of one way is passed on; the other way may have closed both already.
    match to.shutdown(Shutdown::Write) {
        Err(error) if error.kind() != ErrorKind::NotConnected => Err(error.into()),
        _ => Ok(()),
    }
}

/// The next whole frame, or none at the end of the stream.
pub(crate) fn read_frame(from: &mut TcpStream) -> anyhow::Result<Option<Vec<u8>>> {
    let mut prefix = [0; PREFIX];
    match from.read_exact(&mut prefix) {
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            return Ok(None);
        }
        read => read?,
    }
    let length = usize::try_from(u64::from_be_bytes(prefix))?;
    let mut frame = prefix.to_vec();
    frame.resize(PREFIX + length, 0);
    let (_, body) = frame.split_at_mut(PREFIX);
    from.read_exact(body).context("a frame is cut short")?;
    Ok(Some(frame))
}
