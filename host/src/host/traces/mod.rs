//! Traces of actors: what passes them, for operators who look.
//!
//! The tracer of an actor runs on the actor's thread, so it does no more than note the event, within limits that can't be exceeded. What is
//! in a message is made readable when it is read. One task for each trace looks every now and then which actors are meant, since they
//! come and go, and ends the trace when its time is over or nobody reads it.

mod recorder;
mod seen;
mod values;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use self::recorder::{Recorded, Recorder, TraceLimits};
use self::seen::{SeenActors, SeenPeer};
use super::lately::microseconds;
use super::steering;
use crate::control::{
    Asker, RequestId, Target, TraceBegun, TraceQuery, TraceStart, TracedEvent, TracedEvents, TracedKind,
};
use crate::guest::{Modules, Passing, PassingKind, Tracer, kept_name};
use crate::supervision::Steering;

/// The most traces at once of those who ask in one way, so that those who may least can't keep the others out.
const MOST_TRACES: usize = 8;

/// The most that a trace can be asked for.
const MOST_EACH_SECOND: u32 = 1_000;
const MOST_EVENTS: u64 = 100_000;
const MOST_TIME: Duration = Duration::from_mins(10);

/// The longest that an answer waits for an event.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// The interval between two looks for the actors that are meant.
const LOOK: Duration = Duration::from_millis(250);

/// The time after which a trace that nobody reads ends, and is forgotten.
const UNREAD: Duration = Duration::from_secs(10);

/// The time after which a trace that has ended is forgotten, whoever still reads it.
const KEPT: Duration = Duration::from_secs(30);

/// All traces of a node.
#[derive(Clone, Default)]
pub(super) struct Traces(Arc<Mutex<HashMap<u64, Arc<Trace>>>>);

/// One of them.
struct Trace {
    /// Who has begun it.
    asker: Asker,
    message: Option<String>,
    /// Whether what is in the messages is kept.
    values: bool,
    recorder: Mutex<Recorder>,
    /// Changes with each event, and with the end.
    came: watch::Sender<()>,
    read_at: Mutex<Instant>,
    seen: Mutex<SeenActors>,
}

impl Traces {
    /// Begins to trace.
    ///
    /// # Errors
    /// Nobody is meant who can be traced, or there are too many traces.
    pub(super) async fn begin(
        &self,
        steering: &Steering,
        modules: &Modules,
        start: TraceStart,
        asker: Asker,
    ) -> Result<TraceBegun, String> {
        // First for its errors: they say who was meant, perhaps.
        steering::names_of(steering, modules, &start.target)?;
        let lasts = Duration::from_millis(start.for_ms).min(MOST_TIME);
        let limits = TraceLimits {
            each_second: start.each_second.clamp(1, MOST_EACH_SECOND),
            most: start.most.clamp(1, MOST_EVENTS),
            until: Instant::now() + lasts,
        };
        let trace = Arc::new(Trace {
            asker,
            // As it is remembered of a call until its reply.
            message: start.message.map(|message| kept_name(&message).to_owned()),
            values: start.values,
            recorder: Mutex::new(Recorder::new(limits)),
            came: watch::Sender::new(()),
            read_at: Mutex::new(Instant::now()),
            seen: Mutex::default(),
        });
        let guests = seen::guests(modules, &start.target);
        if guests.is_empty() && seen::are_there(&start.target) {
            return Err(format!(
                "{} is native, and its messages go through ractor alone: trace the guests that it sends to and hears from",
                start.target
            ));
        }
        let id = RequestId::random();
        {
            let mut traces = self.0.lock();
            if traces.values().filter(|trace| trace.asker == asker).count() >= MOST_TRACES {
                return Err(format!(
                    "{MOST_TRACES} traces run already; each ends by itself, so try again later"
                ));
            }
            traces.insert(id.number(), trace.clone());
        }
        trace.look_at(&guests).await;
        let actors = guests.iter().map(seen::label).collect();
        tracing::info!(target = %start.target, values = start.values, "an operator traces actors");
        tokio::spawn(keep(self.clone(), id, trace, (modules.clone(), start.target)));
        Ok(TraceBegun {
            trace: id,
            actors,
            each_second: limits.each_second,
            most: limits.most,
            for_ms: u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// What a trace has seen from a number on. Waits for something, if there is nothing.
    ///
    /// # Errors
    /// There is no such trace.
    pub(super) async fn read(&self, modules: &Modules, query: TraceQuery) -> Result<TracedEvents, String> {
        let found = self.0.lock().get(&query.trace.number()).cloned();
        let trace =
            found.ok_or_else(|| "there is no such trace; it has ended, and nobody has read its end".to_owned())?;
        let deadline = Instant::now() + Duration::from_millis(query.wait_ms).min(MOST_WAIT);
        // Before the first look, so that no event is missed between it and the wait.
        let mut came = trace.came.subscribe();
        let excerpt = loop {
            *trace.read_at.lock() = Instant::now();
            came.borrow_and_update();
            let excerpt = trace.recorder.lock().poll(query.next);
            if !excerpt.events.is_empty() || excerpt.ended.is_some() {
                break excerpt;
            }
            // In short waits: a reader that waits is there.
            let wait = deadline.min(Instant::now() + UNREAD / 4);
            if tokio::time::timeout_at(wait, came.changed()).await.is_err() && Instant::now() >= deadline {
                break excerpt;
            }
        };
        let mut events = Vec::with_capacity(excerpt.events.len());
        for event in excerpt.events {
            events.push(trace.shown(event, modules, query.values).await);
        }
        *trace.read_at.lock() = Instant::now();
        Ok(TracedEvents {
            events,
            next: excerpt.next,
            lost: excerpt.lost,
            left_out: excerpt.left_out,
            ended: excerpt.ended,
        })
    }

    /// Ends a trace, and keeps nothing of it. Whoever still reads it is told so.
    ///
    /// # Errors
    /// There is no such trace.
    pub(super) fn end(&self, id: RequestId) -> Result<(), String> {
        // Gone at once, and not when `keep` comes to it: it makes room for another one.
        let found = self.0.lock().remove(&id.number());
        let trace = found.ok_or_else(|| "there is no such trace; it has ended already".to_owned())?;
        trace.recorder.lock().handle_stop();
        trace.seen.lock().leave_all();
        trace.came.send_replace(());
        Ok(())
    }
}

/// Looks after a trace until it is forgotten.
async fn keep(traces: Traces, id: RequestId, trace: Arc<Trace>, (modules, target): (Modules, Target)) {
    let mut ended = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let is_read = trace.read_at.lock().elapsed() < UNREAD;
        let has_ended = {
            let mut recorder = trace.recorder.lock();
            recorder.handle_timeout(Instant::now());
            if !is_read {
                recorder.handle_unread();
            }
            recorder.has_ended()
        };
        if !has_ended {
            trace.look_at(&seen::guests(&modules, &target)).await;
            continue;
        }
        // From here on the actors pay nothing for it.
        trace.seen.lock().leave_all();
        trace.came.send_replace(());
        let ended = *ended.get_or_insert_with(Instant::now);
        if !is_read || ended.elapsed() >= KEPT {
            break;
        }
    }
    traces.0.lock().remove(&id.number());
}

/// What an actor tells a trace.
struct ActorTracer {
    trace: std::sync::Weak<Trace>,
    pid: u64,
}

impl Tracer for ActorTracer {
    fn passed(&self, passing: &Passing<'_>) {
        let Some(trace) = self.trace.upgrade() else { return };
        if trace
            .message
            .as_ref()
            .is_some_and(|wanted| wanted != kept_name(passing.message))
        {
            return;
        }
        {
            let mut recorder = trace.recorder.lock();
            // Before anything is copied: what is beyond the limit is to cost next to nothing.
            if !recorder.admits(Instant::now()) {
                return;
            }
            recorder.record(Recorded {
                at_us: microseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
                pid: self.pid,
                kind: passing.kind,
                message: kept_name(passing.message).into(),
                size: passing.bytes.len(),
                value: if trace.values {
                    Recorder::value(passing.bytes)
                } else {
                    None
                },
                call: passing.call,
                peer: passing.peer,
                // Now, and not when it is read: a command that sends one message is gone by then.
                node: passing.peer.and_then(seen::node).map(Into::into),
                took: passing.took,
                failed: passing.failed.map(|failed| failed.to_string().into()),
            });
        }
        trace.came.send_replace(());
    }
}

impl Trace {
    async fn look_at(self: &Arc<Self>, guests: &[crate::guest::GuestRef]) {
        let tracer = |pid| {
            let trace = Arc::downgrade(self);
            Arc::new(ActorTracer { trace, pid }) as Arc<dyn Tracer>
        };
        let unknown = self.seen.lock().enter(guests, tracer);
        // Only while what is in messages is wanted: of a component that was not asked before, it takes an instance.
        for (guest, digest) in unknown.into_iter().filter(|_| self.values) {
            let contract = guest.module().contract().await;
            self.seen
                .lock()
                .set_contract(guest.pid(), digest, contract.map(Arc::new));
        }
    }

    /// An event as it is told.
    async fn shown(&self, event: Recorded, modules: &Modules, values: bool) -> TracedEvent {
        let peer = match event.peer {
            None => None,
            Some(peer) => Some(match event.node {
                Some(node) => SeenPeer::node(node.into()),
                None => seen::peer(&self.seen, modules, peer).await,
            }),
        };
        let (actor, own) = self.seen.lock().own(event.pid);
        // Of what has failed there are no bytes to read.
        let value = event.value.filter(|_| values && event.failed.is_none());
        let other = peer.as_ref().and_then(|peer| peer.contract.as_ref());
        let told = value.and_then(|bytes| values::values(event.kind, &event.message, &bytes, own.as_ref(), other));
        TracedEvent {
            at_us: event.at_us,
            actor,
            pid: event.pid,
            event: kind(event.kind),
            message: event.message.into(),
            bytes: event.size as u64,
            call: event.call,
            peer: peer.map(|peer| peer.name),
            took_us: event.took.map(microseconds),
            failed: event.failed.map(Into::into),
            values: told,
        }
    }
}

fn kind(kind: PassingKind) -> TracedKind {
    match kind {
        PassingKind::CastIn => TracedKind::CastIn,
        PassingKind::CallIn => TracedKind::CallIn,
        PassingKind::Handled => TracedKind::Handled,
        PassingKind::ReplyOut => TracedKind::ReplyOut,
        PassingKind::CastOut => TracedKind::CastOut,
        PassingKind::CallOut => TracedKind::CallOut,
        PassingKind::ReplyIn => TracedKind::ReplyIn,
    }
}
