//! The queue of a signal, which has a length, and counts what finds no room.
//!
//! The SDK's own queue is as long, and gives up what doesn't fit without a count that anybody could read. So what waits is counted here,
//! and nothing comes to it for which it has no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{BatchLogProcessor, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};

use super::signal::Signal;

/// The most that waits, unless a variable says otherwise: as the standard has it.
const LENGTH: usize = 2048;

/// What waits for an export of a signal, in numbers.
#[derive(Debug)]
pub(super) struct ExportQueue {
    signal: Signal,
    waiting: AtomicUsize,
    most: usize,
}

impl ExportQueue {
    /// As long as this variable says, as the SDK reads it.
    pub(super) fn of(signal: Signal, variable: &str) -> Arc<Self> {
        let said = std::env::var(variable).ok().and_then(|value| value.parse().ok());
        Arc::new(Self::new(signal, said.unwrap_or(LENGTH)))
    }

    fn new(signal: Signal, most: usize) -> Self {
        Self {
            signal,
            waiting: AtomicUsize::new(0),
            most,
        }
    }

    /// False if there is no room, which is counted.
    fn enter(&self) -> bool {
        let entered = self
            .waiting
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
                (waiting < self.most).then_some(waiting + 1)
            });
        if entered.is_err() {
            dropped(self.signal, "queue_full", 1);
        }
        entered.is_ok()
    }

    /// This many are being exported.
    pub(super) fn leave(&self, exported: usize) {
        self.waiting.fetch_sub(exported, Ordering::Relaxed);
    }
}

/// Counts what is given up.
pub(super) fn dropped(signal: Signal, reason: &'static str, number: usize) {
    let labels = [("signal", signal.name()), ("reason", reason)];
    metrics::counter!("ractor_host_otlp_dropped_total", &labels).increment(number as u64);
}

/// A processor that gets what there is room for.
#[derive(Debug)]
pub(super) struct Bounded<P> {
    inner: P,
    queue: Arc<ExportQueue>,
}

impl<P> Bounded<P> {
    pub(super) fn new(inner: P, queue: Arc<ExportQueue>) -> Self {
        Self { inner, queue }
    }
}

/// What the processors of both signals do alike: their traits have nothing in common.
macro_rules! hand_on {
    () => {
        fn force_flush(&self) -> OTelSdkResult {
            self.inner.force_flush()
        }

        fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
            self.inner.shutdown_with_timeout(timeout)
        }

        fn set_resource(&mut self, resource: &Resource) {
            self.inner.set_resource(resource);
        }
    };
}

impl SpanProcessor for Bounded<BatchSpanProcessor> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // The SDK drops the others by itself, and they would never leave the queue.
        if span.span_context.is_sampled() && self.queue.enter() {
            self.inner.on_end(span);
        }
    }

    hand_on!();
}

impl LogProcessor for Bounded<BatchLogProcessor> {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.queue.enter() {
            self.inner.emit(record, scope);
        }
    }

    hand_on!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_takes_what_it_has_room_for() {
        let queue = ExportQueue::new(Signal::Logs, 2);
        assert!(queue.enter() && queue.enter());
        assert!(!queue.enter());
        queue.leave(1);
        assert!(queue.enter());
        assert!(!queue.enter());
    }
}
