//! The two directions of a connection, TCP without indirection and everything else boxed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::stream::{BoxRead, BoxWrite, NetworkStream, boxed};

/// What arrives.
pub(crate) enum ReadHalf {
    Tcp(OwnedReadHalf),
    Boxed(BoxRead),
}

/// What is sent.
pub(crate) enum WriteHalf {
    Tcp(OwnedWriteHalf),
    Boxed(BoxWrite),
}

/// Takes a connection apart.
pub(crate) fn split(stream: NetworkStream) -> (ReadHalf, WriteHalf) {
    match stream {
        NetworkStream::Raw { stream, .. } => {
            let (read, write) = stream.into_split();
            (ReadHalf::Tcp(read), WriteHalf::Tcp(write))
        }
        NetworkStream::TlsServer { stream, .. } => of_boxes(boxed(stream)),
        NetworkStream::TlsClient { stream, .. } => of_boxes(boxed(stream)),
        NetworkStream::External { reader, writer, .. } => of_boxes((reader, writer)),
    }
}

fn of_boxes((read, write): (BoxRead, BoxWrite)) -> (ReadHalf, WriteHalf) {
    (ReadHalf::Boxed(read), WriteHalf::Boxed(write))
}

impl AsyncRead for ReadHalf {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_read(cx, buf),
            Self::Boxed(half) => Pin::new(half).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_write(cx, buf),
            Self::Boxed(half) => Pin::new(half).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_write_vectored(cx, bufs),
            Self::Boxed(half) => Pin::new(half).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(half) => half.is_write_vectored(),
            Self::Boxed(half) => half.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_flush(cx),
            Self::Boxed(half) => Pin::new(half).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_shutdown(cx),
            Self::Boxed(half) => Pin::new(half).poll_shutdown(cx),
        }
    }
}
