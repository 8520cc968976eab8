//! What a guest writes to its standard output and error, as lines of the host's log.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::accounting::label::Label;
use crate::policy::limits::Limits;
use crate::policy::text::tidy;

/// One of the two outputs of a guest. However often the guest opens it, it is one stream of lines.
#[derive(Clone)]
pub(super) struct Output(Arc<Mutex<Lines>>);

impl Output {
    pub(super) fn new(name: &'static str, label: &Label, limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            name,
            label: label.clone(),
            limit: limits.log_bytes.max(1),
            line: Vec::new(),
        })))
    }

    fn push(&self, bytes: &[u8]) {
        self.0.lock().push(bytes);
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

/// Collects written bytes into lines and logs each. A line that grows beyond the limit is logged in pieces.
struct Lines {
    name: &'static str,
    label: Label,
    limit: usize,
    line: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(end_of_line) => {
                    self.extend(end_of_line);
                    self.emit();
                }
                None => self.extend(part),
            }
        }
    }

    fn extend(&mut self, mut bytes: &[u8]) {
        // A guest that never ends its line would have the host collect it without end.
        while let Some((now, later)) = bytes.split_at_checked(self.limit - self.line.len()) {
            self.line.extend_from_slice(now);
            self.emit();
            bytes = later;
        }
        self.line.extend_from_slice(bytes);
    }

    fn emit(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let line = tidy(line.trim_end_matches('\r'), usize::MAX);
        if !line.is_empty() && self.label.log.allows() {
            tracing::info!(
                target: "guest",
                actor = &*self.label.name,
                pid = self.label.pid,
                origin = self.name,
                "{line}"
            );
        }
        self.line.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.emit();
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        // Never less: output goes to the log, which drops what is too much, and never keeps a guest waiting.
        Ok(64 * 1024)
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
