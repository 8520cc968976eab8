//! Messages to come, and ends to come. The host keeps the timers: they end with this actor, and when it is restarted.
//!
//! Where ractor makes the message when its time has come, it is made here when the timer is set: nothing of a guest runs
//! in between. Natively a timer can't be refused; here the node limits how many there are, and to whom: a timer that it
//! refuses is logged as an error and never fires.

use crate::guest::actor::myself;
use crate::guest::bindings::ractor::actor::timers::{self, TimerError};
use crate::guest::concurrency::{Duration, JoinHandle};
use crate::guest::message::SerializedMessage;
use crate::guest::runtime::incoming;
use crate::guest::runtime::outgoing::whole_millis;
use crate::guest::{ActorCell, ActorRef, DerivedActorRef, Message, MessagingErr};

/// Sends a message once, after a time. `msg` is called at once.
pub fn send_after<TMessage, F>(
    period: Duration,
    actor: ActorCell,
    msg: F,
) -> JoinHandle<Result<(), MessagingErr<TMessage>>>
where
    TMessage: Message,
    F: FnOnce() -> TMessage + Send + 'static,
{
    set(&actor, msg(), |variant, args| {
        timers::send_after(actor.get_id().into(), variant, args, whole_millis(period))
    })
}

/// Sends a message again and again, for the first time after one period. `msg` is called at once, and its message is
/// sent every time; one is left out while the actor has not handled the one before.
pub fn send_interval<TMessage, F>(period: Duration, actor: ActorCell, msg: F) -> JoinHandle<()>
where
    TMessage: Message,
    F: Fn() -> TMessage + Send + 'static,
{
    set(&actor, msg(), |variant, args| {
        timers::send_interval(actor.get_id().into(), variant, args, whole_millis(period))
    })
}

/// Stops this actor after a time. A guest can't stop others: for any other actor this is logged as an error.
pub fn exit_after(period: Duration, actor: ActorCell) -> JoinHandle<()> {
    if actor != myself() {
        tracing::error!(actor = %actor.get_id(), "a guest can stop only itself after a time; stop a child when its time has come");
        return JoinHandle::of(None);
    }
    incoming::flush();
    JoinHandle::of(accepted(&actor, timers::stop_after(whole_millis(period))))
}

fn set<TMessage, T>(
    actor: &ActorCell,
    message: TMessage,
    timer: impl FnOnce(&str, &[u8]) -> Result<u64, TimerError>,
) -> JoinHandle<T>
where
    TMessage: Message,
{
    let to = actor.get_id();
    match message.serialize() {
        Ok(SerializedMessage::Cast { variant, args, .. }) => {
            incoming::flush();
            JoinHandle::of(accepted(actor, timer(&variant, &args)))
        }
        Ok(SerializedMessage::Call { variant, .. }) => {
            tracing::error!(%to, %variant, "a timer can't make a call, as nobody would wait for the reply; the timer is not set");
            JoinHandle::of(None)
        }
        Ok(SerializedMessage::CallReply(..)) | Err(_) => {
            let message = std::any::type_name::<TMessage>();
            tracing::error!(%to, message, "messages of this type don't travel, derive RactorClusterMessage for it; the timer is not set");
            JoinHandle::of(None)
        }
    }
}

/// The number of a timer that was set. Logs why another was not.
fn accepted(actor: &ActorCell, timer: Result<u64, TimerError>) -> Option<u64> {
    let reason = match timer {
        Ok(timer) => return Some(timer),
        Err(TimerError::TooMany) => "this actor has as many timers as it may have",
        Err(TimerError::TooLarge) => "the message is larger than this node's limit",
        Err(TimerError::Denied) => "node.toml doesn't grant this actor to send to that one",
    };
    tracing::error!(to = %actor.get_id(), "the timer is not set: {reason}");
    None
}

impl<TMessage> ActorRef<TMessage>
where
    TMessage: Message,
{
    /// Sends a message again and again; see [`send_interval`].
    pub fn send_interval<F>(&self, period: Duration, msg: F) -> JoinHandle<()>
    where
        F: Fn() -> TMessage + Send + 'static,
    {
        send_interval::<TMessage, F>(period, self.get_cell(), msg)
    }

    /// Sends a message once, after a time; see [`send_after`].
    pub fn send_after<F>(&self, period: Duration, msg: F) -> JoinHandle<Result<(), MessagingErr<TMessage>>>
    where
        F: FnOnce() -> TMessage + Send + 'static,
    {
        send_after::<TMessage, F>(period, self.get_cell(), msg)
    }

    /// Stops this actor after a time; see [`exit_after`].
    pub fn exit_after(&self, period: Duration) -> JoinHandle<()> {
        exit_after(period, self.get_cell())
    }
}

impl<TMessage> DerivedActorRef<TMessage> {
    /// Stops this actor after a time; see [`exit_after`].
    pub fn exit_after(&self, period: Duration) -> JoinHandle<()> {
        exit_after(period, self.get_cell())
    }
}
