//! Traces: which span a message belongs to, from where it is sent to where it is handled.
//!
//! This crate knows how a context looks and how it goes along with a message; what spans are and where they go is for the [`Tracer`]
//! that a program installs. Without one, [`is_on`] is false, and that one load is all that a message pays.
//!
//! ractor's messages have no place for a context: their metadata belongs to programs. So it goes beside them. Whoever hands a message on
//! does so within [`carrying`] or [`carry`], and a guest's mailbox and a link to a peer look for it there with [`of_message`], or else in
//! the current `tracing` span.
//!
//! A native actor gets no context: ractor keeps the span of a sender only with messages that stay values, and what comes from a guest or a
//! peer comes as bytes. What it sends with ractor's own functions has none either. To go on with a trace it hands bytes to [`Local::send`] or
//! [`send_remote`](crate::send_remote) within a span of its own.

mod context;

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use ractor::message::SerializedMessage;

pub use self::context::TraceContext;
use crate::actors::{Local, PutRefused};

/// Whether there is a tracer. It guards nothing: whoever sees it too late does without a span.
static ON: AtomicBool = AtomicBool::new(false);
static TRACER: OnceLock<Box<dyn Tracer>> = OnceLock::new();

thread_local! {
    /// The context that goes along with what is handed on now.
    static CARRIED: RefCell<Option<Arc<TraceContext>>> = const { RefCell::new(None) };
}

/// What begins spans, and ends them.
pub trait Tracer: Send + Sync + 'static {
    /// Begins a span; without a parent, it begins a trace. It ends when what this gives is dropped. None once the tracer is shut down.
    fn begin(&self, parent: Option<&TraceContext>, operation: &Operation<'_>) -> Option<ActiveSpan>;

    /// The context of the `tracing` span that is current on this thread; none if it belongs to no trace.
    fn current(&self) -> Option<TraceContext>;

    /// The span in which a message is handed to a native actor. ractor doesn't keep it for the handler, so it ends with that.
    fn native(&self, parent: &TraceContext, operation: &Operation<'_>) -> tracing::Span;
}

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation<'a> {
    /// What is done.
    pub kind: OperationKind,
    /// The actor that the message is for: its name, or else its pid.
    pub actor: &'a str,
    /// The variant of the message.
    pub variant: &'a str,
    /// The bytes of its arguments.
    pub bytes: usize,
}

/// What is done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// A cast is sent.
    Send,
    /// A cast is handled.
    Process,
    /// A call is sent, and its reply waited for.
    Call,
    /// A call is handled.
    Serve,
}

impl OperationKind {
    /// What a receiver does with this message.
    pub fn handling(message: &SerializedMessage) -> Self {
        match message {
            SerializedMessage::Call { .. } => Self::Serve,
            SerializedMessage::Cast { .. } | SerializedMessage::CallReply(..) => Self::Process,
        }
    }

    /// What a sender does with this message.
    pub fn sending(message: &SerializedMessage) -> Self {
        match message {
            SerializedMessage::Call { .. } => Self::Call,
            SerializedMessage::Cast { .. } | SerializedMessage::CallReply(..) => Self::Send,
        }
    }
}

impl<'a> Operation<'a> {
    /// The operation on a message for this actor.
    pub fn of(kind: OperationKind, actor: &'a str, message: &'a SerializedMessage) -> Self {
        let (variant, bytes) = match message {
            SerializedMessage::Cast { variant, args, .. } | SerializedMessage::Call { variant, args, .. } => {
                (variant.as_str(), args.len())
            }
            SerializedMessage::CallReply(_, bytes) => ("", bytes.len()),
        };
        Self {
            kind,
            actor,
            variant,
            bytes,
        }
    }
}

/// A span that has begun. It ends when this is dropped.
#[derive(Debug)]
pub struct ActiveSpan {
    context: Arc<TraceContext>,
    recorder: Box<dyn Recorder>,
}

/// Where a span is written down. Its drop is the span's end.
pub trait Recorder: Send + Sync + std::fmt::Debug {
    /// What the span is about has failed, for this reason.
    fn failed(&self, reason: &str);
}

impl ActiveSpan {
    /// The span with this context, which is that of its children's parent.
    pub fn new(context: TraceContext, recorder: Box<dyn Recorder>) -> Self {
        Self {
            context: Arc::new(context),
            recorder,
        }
    }

    /// What goes along with messages that are sent within it.
    pub fn context(&self) -> &Arc<TraceContext> {
        &self.context
    }

    /// What it is about has failed.
    pub fn failed(&self, reason: &str) {
        self.recorder.failed(reason);
    }
}

/// Has this process trace from now on. Only the first tracer counts.
pub fn install(tracer: Box<dyn Tracer>) {
    if TRACER.set(tracer).is_ok() {
        ON.store(true, Ordering::Relaxed);
    }
}

/// True if this process traces.
#[inline]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Begins a span; without a parent, it begins a trace. None if this process doesn't trace.
pub fn begin(parent: Option<&TraceContext>, operation: &Operation<'_>) -> Option<ActiveSpan> {
    TRACER.get()?.begin(parent, operation)
}

/// The context of a message that is handed on now; none if it belongs to no trace.
#[inline]
pub fn of_message() -> Option<Arc<TraceContext>> {
    if is_on() { carried().or_else(current) } else { None }
}

/// The context of what is handed on now, without regard to `tracing` spans.
pub fn carried() -> Option<Arc<TraceContext>> {
    CARRIED.with_borrow(Clone::clone)
}

/// The context of the current `tracing` span, if there is a trace that it belongs to.
pub fn current() -> Option<Arc<TraceContext>> {
    TRACER.get()?.current().map(Arc::new)
}

/// Does something with this context going along with all that it hands on.
pub fn carrying<T>(context: Arc<TraceContext>, work: impl FnOnce() -> T) -> T {
    let before = CARRIED.replace(Some(context));
    // In the drop, so that a panic leaves nothing behind on a thread that goes on.
    let _restore = Restore(before);
    work()
}

struct Restore(Option<Arc<TraceContext>>);

impl Drop for Restore {
    fn drop(&mut self) {
        CARRIED.set(self.0.take());
    }
}

/// As [`carrying`], for work that waits.
pub fn carry<F: Future>(context: Arc<TraceContext>, work: F) -> Carry<F> {
    Carry {
        context,
        work: Box::pin(work),
    }
}

/// As [`carry`], for what is done within a span, if there is one.
pub async fn within<F: Future>(span: Option<&ActiveSpan>, work: F) -> F::Output {
    match span {
        None => work.await,
        Some(span) => carry(span.context.clone(), work).await,
    }
}

/// See [`carry`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Carry<F> {
    context: Arc<TraceContext>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Carry<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let context = self.context.clone();
        carrying(context, || self.work.as_mut().poll(cx))
    }
}

/// Sends to an actor of this process a message that came with a context.
///
/// # Errors
/// As [`Local::send`].
pub fn deliver(local: &Local, message: SerializedMessage, context: TraceContext) -> Result<(), PutRefused> {
    if local.inbox.is_some() {
        return carrying(Arc::new(context), || local.send(message));
    }
    let Some(tracer) = TRACER.get() else {
        return local.send(message);
    };
    let name = local.cell.get_name();
    let actor = name.unwrap_or_else(|| local.cell.get_id().pid().to_string());
    let kind = OperationKind::handling(&message);
    let span = tracer.native(&context, &Operation::of(kind, &actor, &message));
    span.in_scope(|| local.send(message))
}

#[cfg(test)]
mod tests;
