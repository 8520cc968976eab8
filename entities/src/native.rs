//! Native actors as entities.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorRuntime, Message, RpcReplyPort, SupervisionEvent};
use ractor_host_directory::{
    Audience, BoxFuture, Hosted, Local, NoReply, PROBE_VARIANT, Reply, register_hosted, reply_port, reserve_hosted_id,
};
use ractor_host_placement::words::Entity;

mod reminders;

use self::reminders::Seated;
pub use self::reminders::{Reminders, reminders};
use crate::code::{Activated, EntityCode, LiveEntity};
use crate::mailbox::NativeInbox;
use crate::reminders::is_nudge;
use crate::seat::{Output, Seat};
use crate::store::StoredState;

/// Has an actor keep its state: the number of no call of ractor's.
const KEEP_STATE: u64 = 0;

/// A native actor whose state can be kept.
///
/// Its messages come as bytes, from other actors of this process, too: an entity is reached by its type and key, and not by a Rust type.
/// With [`Durability::BeforeReply`](crate::Durability) its replies wait until the state that they follow from is durable. What its handlers
/// send otherwise doesn't wait.
pub trait NativeEntity: Actor<Msg: Message> {
    /// Counted up whenever the form of the state changes.
    fn state_version(&self) -> u32 {
        1
    }

    /// The state as bytes.
    ///
    /// # Errors
    /// It has no such form. The entity fails.
    fn snapshot(&self, state: &Self::State) -> Result<Vec<u8>, ActorProcessingErr>;

    /// Reads what [`snapshot`](Self::snapshot) of code with this `state_version` wrote.
    ///
    /// # Errors
    /// The bytes are no such state. The entity isn't activated.
    fn restore(&self, state: &[u8], state_version: u32) -> Result<Self::State, ActorProcessingErr>;
}

/// A type of entities that are native actors. `make` makes the actor and its arguments for each activation.
pub struct Native<A, F> {
    name: String,
    make: F,
    _actor: PhantomData<fn() -> A>,
}

impl<A, F> std::fmt::Debug for Native<A, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<A, F> Native<A, F>
where
    A: NativeEntity,
    F: Fn(&Entity) -> (A, A::Arguments) + Send + Sync + 'static,
{
    /// Under this name, which is written beside each state.
    pub fn new(name: impl Into<String>, make: F) -> Self {
        Self {
            name: name.into(),
            make,
            _actor: PhantomData,
        }
    }
}

impl<A, F> EntityCode for Native<A, F>
where
    A: NativeEntity,
    F: Fn(&Entity) -> (A, A::Arguments) + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn activate<'a>(&'a self, seat: &'a Seat, supervisor: ActorCell) -> BoxFuture<'a, Result<Activated, String>> {
        Box::pin(async move {
            let state = seat.load().await.map_err(|error| error.to_string())?;
            let (actor, arguments) = (self.make)(seat.entity());
            let owed = Arc::new(AtomicUsize::new(0));
            let handler = Handler {
                actor,
                seat: seat.clone(),
                calls: Mutex::default(),
                owed: owed.clone(),
                hosted: Mutex::new(None),
                seated: Mutex::new(None),
            };
            let name = seat.entity().to_string();
            let spawned = ActorRuntime::<Handler<A>>::spawn_linked_remote(
                Some(name),
                handler,
                reserve_hosted_id(),
                Start { arguments, state },
                supervisor,
            );
            let (actor, ended) = spawned.await.map_err(|error| error.to_string())?;
            let cell = actor.get_cell();
            Ok(Activated {
                local: Local {
                    cell: cell.clone(),
                    inbox: Some(Arc::new(NativeInbox::new(cell.clone()))),
                },
                ended: Box::pin(async move { drop(ended.await) }),
                live: Arc::new(Live { cell, owed }),
            })
        })
    }
}

struct Live {
    cell: ActorCell,
    owed: Arc<AtomicUsize>,
}

impl LiveEntity for Live {
    fn is_busy(&self) -> bool {
        self.owed.load(Ordering::Relaxed) > 0 || !self.cell.get_children().is_empty()
    }

    fn keep_state(&self) {
        // It may have ended by now.
        drop(
            self.cell
                .send_serialized(SerializedMessage::CallReply(KEEP_STATE, Vec::new())),
        );
    }
}

struct Handler<A> {
    actor: A,
    seat: Seat,
    /// The calls of the present message, whose replies are held.
    calls: Mutex<Vec<HeldCall>>,
    owed: Arc<AtomicUsize>,
    hosted: Mutex<Option<Hosted>>,
    /// Lets its reminders be found.
    seated: Mutex<Option<Seated>>,
}

/// The reply that comes, and the port that it is for.
type HeldCall = (Reply<Vec<u8>>, RpcReplyPort<Vec<u8>>);

struct Start<Arguments> {
    arguments: Arguments,
    state: Option<StoredState>,
}

/// Messages stay bytes until the actor itself has its turn.
pub(crate) enum Opaque {}

impl Message for Opaque {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        match self {}
    }
}

impl<A: NativeEntity> Handler<A> {
    /// After a callback: the state is kept, if it is time, or the actor ends.
    fn keep(&self, myself: &ActorRef<Opaque>, state: &A::State) -> Result<(), ActorProcessingErr> {
        self.hold_replies();
        if self.seat.wants_state() {
            let bytes = if self.seat.is_deleted() {
                Vec::new()
            } else {
                self.actor.snapshot(state)?
            };
            self.seat.keep(self.actor.state_version(), bytes);
        }
        if self.seat.is_lost() {
            return Ok(());
        }
        if self.seat.is_refused() {
            return Err("its state could not be written".into());
        }
        if self.seat.is_deleted() {
            // ractor's mailbox gives nothing back: what is in it is handled first, for nothing.
            drop(myself.drain());
        }
        Ok(())
    }

    /// The reply to a call waits, as everything does that follows from the state.
    fn held(&self, message: SerializedMessage) -> SerializedMessage {
        match message {
            SerializedMessage::Call {
                variant,
                args,
                reply: port,
                metadata,
            } if self.seat.holds_outputs() => {
                let (reply, comes) = reply_port(port.get_timeout());
                self.calls.lock().push((comes, port));
                SerializedMessage::Call {
                    variant,
                    args,
                    reply,
                    metadata,
                }
            }
            message => message,
        }
    }

    /// Holds the replies that the handler has given. One that it owes is held when it comes.
    fn hold_replies(&self) {
        let calls = std::mem::take(&mut *self.calls.lock());
        for (comes, port) in calls {
            let seat = self.seat.clone();
            if comes.has_come() {
                let mut comes = comes;
                let mut context = Context::from_waker(Waker::noop());
                if let Poll::Ready(outcome) = Pin::new(&mut comes).poll(&mut context) {
                    put_out(&seat, outcome, port);
                }
                continue;
            }
            let owed = Owed::of(&self.owed);
            tokio::spawn(async move {
                put_out(&seat, comes.await, port);
                drop(owed);
            });
        }
    }
}

fn put_out(seat: &Seat, outcome: Result<Vec<u8>, NoReply>, port: RpcReplyPort<Vec<u8>>) {
    let output = match outcome {
        Ok(bytes) => Output::Reply(port, bytes),
        Err(NoReply::Failed(reason)) => Output::Failed(port, reason.into()),
        // The port is dropped, which is what the caller hears.
        Err(NoReply::Dropped) => return,
    };
    if let Err(error) = seat.put_out(output, 0) {
        tracing::warn!(entity = %seat.entity(), %error, "a reply is given up");
    }
}

/// One reply that a handler has put off.
struct Owed(Arc<AtomicUsize>);

impl Owed {
    fn of(count: &Arc<AtomicUsize>) -> Self {
        // Whoever reads it wants a figure, and no other memory.
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl<A: NativeEntity> Actor for Handler<A> {
    type Msg = Opaque;
    type State = A::State;
    type Arguments = Start<A::Arguments>;

    async fn pre_start(
        &self,
        myself: ActorRef<Opaque>,
        start: Start<A::Arguments>,
    ) -> Result<A::State, ActorProcessingErr> {
        let cell = myself.get_cell();
        *self.seated.lock() = Some(Seated::new(&cell, &self.seat));
        // Before any of its code runs: it may send to itself.
        *self.hosted.lock() = Some(register_hosted(cell.clone(), None, Audience::ThisProcess)?);
        match start.state {
            Some(state) => self.actor.restore(&state.bytes, state.state_version),
            None => self.actor.pre_start(cell.into(), start.arguments).await,
        }
    }

    async fn post_start(&self, myself: ActorRef<Opaque>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.seat.begin();
        self.actor.post_start(myself.get_cell().into(), state).await?;
        self.keep(&myself, state)
    }

    async fn handle_serialized(
        &self,
        myself: ActorRef<Opaque>,
        message: SerializedMessage,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        match &message {
            SerializedMessage::CallReply(..) => return self.keep(&myself, state),
            // Dropping it tells whoever asks.
            SerializedMessage::Call { variant, .. } if variant == PROBE_VARIANT => return Ok(()),
            SerializedMessage::Call { .. } | SerializedMessage::Cast { .. } => {}
        }
        let Some(message) = self.seat.admit(message) else {
            return Ok(());
        };
        let is_nudge = is_nudge(&message);
        let message = if is_nudge {
            match self.seat.begin_reminder() {
                Some(message) => message,
                None => return Ok(()),
            }
        } else {
            match self.seat.begin_message(message) {
                Some(message) => message,
                None => return Ok(()),
            }
        };
        let message = match A::Msg::deserialize(self.held(message)) {
            Ok(message) => message,
            Err(error) => {
                let entity = self.seat.entity();
                tracing::warn!(%entity, %error, "a message is dropped: it doesn't decode");
                if is_nudge {
                    drop(self.seat.failed());
                }
                return Ok(());
            }
        };
        self.seat.begin();
        self.actor.handle(myself.get_cell().into(), message, state).await?;
        self.keep(&myself, state)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Opaque>,
        event: SupervisionEvent,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.seat.begin();
        self.actor
            .handle_supervisor_evt(myself.get_cell().into(), event, state)
            .await?;
        self.keep(&myself, state)
    }

    async fn post_stop(&self, myself: ActorRef<Opaque>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        if self.seat.is_lost() {
            // The entity may live elsewhere by now.
            *self.hosted.lock() = None;
            return Ok(());
        }
        if self.seat.needs_last_state() && !self.seat.is_deleted() {
            self.seat.keep(self.actor.state_version(), self.actor.snapshot(state)?);
        }
        let is_kept = self.seat.settle().await;
        let outcome = self.actor.post_stop(myself.get_cell().into(), state).await;
        *self.hosted.lock() = None;
        if is_kept {
            self.seat.over();
        }
        outcome
    }
}
