//! Bodies that have an end: neither larger nor slower than they may be.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use wasmtime_wasi_http::Error;

use super::slot::Slot;
use super::wait::Wait;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::policy::limits::Limit;

/// A body that fails where it becomes larger than this limit.
pub(super) struct Bounded<B> {
    body: B,
    left: usize,
    limit: Limit,
    label: Label,
    /// The error for it.
    too_large: Error,
}

impl<B> Bounded<B> {
    /// What a guest sends, of this many bytes at most.
    pub(super) fn request(body: B, bytes: usize, label: Label) -> Self {
        Self {
            body,
            left: bytes,
            limit: Limit::HttpRequestBytes(bytes),
            label,
            too_large: Error::HttpRequestBodySize(Some(bytes as u64)),
        }
    }

    /// What a guest is answered.
    pub(super) fn response(body: B, bytes: usize, label: Label) -> Self {
        Self {
            body,
            left: bytes,
            limit: Limit::HttpResponseBytes(bytes),
            label,
            too_large: Error::HttpResponseBodySize(Some(bytes as u64)),
        }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // A length that was announced proves nothing, so what comes is counted.
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let bytes = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        let Some(left) = self.left.checked_sub(bytes) else {
            telemetry::limit(&self.label, self.limit);
            // Whoever reads on after an error gets the next one.
            let error = std::mem::replace(&mut self.too_large, Error::HttpProtocolError);
            return Poll::Ready(Some(Err(error)));
        };
        self.left = left;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response, which must not pause for too long while the guest waits. While there is more of it, it takes
/// one of the places for requests.
pub(super) struct Paced<B> {
    body: B,
    wait: Wait,
    label: Label,
    sleep: Option<Pin<Box<Sleep>>>,
    place: Option<Slot>,
}

impl<B> Paced<B> {
    pub(super) fn new(body: B, wait: Wait, label: Label, place: Slot) -> Self {
        Self {
            body,
            wait,
            label,
            sleep: None,
            place: Some(place),
        }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for Paced<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.sleep = None;
            // The end, or an error: the place goes to the next request while the guest may keep the body for long.
            if !matches!(frame, Some(Ok(_))) {
                self.place = None;
            }
            return Poll::Ready(frame);
        }
        let wait = self.wait;
        // Begins when the guest asks and there is nothing, so a guest that reads slowly isn't taken for a slow
        // server.
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(wait.time)));
        ready!(sleep.as_mut().poll(cx));
        // Polled again it waits anew.
        self.sleep = None;
        self.place = None;
        wait.is_over(&self.label);
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
