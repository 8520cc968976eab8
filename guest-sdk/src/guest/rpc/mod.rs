//! Casts and calls.

mod call_result;

pub use self::call_result::CallResult;

use crate::guest::concurrency::Duration;
use crate::guest::{ActorCell, ActorRef, DerivedActorRef, Message, MessagingErr, RactorErr, RpcReplyPort};

/// Sends a message without waiting for anything.
///
/// # Errors
/// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
pub fn cast<TMessage>(actor: &ActorCell, msg: TMessage) -> Result<(), MessagingErr<TMessage>>
where
    TMessage: Message,
{
    actor.send_message(msg)
}

/// Sends a call and waits for the reply, without a timeout as long as it takes. This actor handles no other message meanwhile. If it is
/// exported with `awaits`, what else the handler awaits goes on beside it, and a call whose future is dropped is given up; otherwise the
/// actor stands still.
///
/// # Errors
/// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
pub async fn call<TMessage, TReply, TMsgBuilder>(
    actor: &ActorCell,
    msg_builder: TMsgBuilder,
    timeout_option: Option<Duration>,
) -> Result<CallResult<TReply>, MessagingErr<TMessage>>
where
    TMessage: Message,
    TMsgBuilder: FnOnce(RpcReplyPort<TReply>) -> TMessage,
    TReply: Send + 'static,
{
    let (port, slot) = RpcReplyPort::local(timeout_option);
    let outcome = actor.begin(msg_builder(port))?.outcome().await;
    Ok(CallResult::of(slot.take().and_then(Result::ok), outcome))
}

/// Makes the same call to several actors at once, and waits for all replies, which are in the order of `actors`. The timeout is that
/// of each.
///
/// # Errors
/// As for [`call`], of the first message that was not accepted; the actors after that one are not called, and the replies of those
/// before it are given up.
pub async fn multi_call<TMessage, TReply, TMsgBuilder>(
    actors: &[ActorRef<TMessage>],
    msg_builder: TMsgBuilder,
    timeout_option: Option<Duration>,
) -> Result<Vec<CallResult<TReply>>, MessagingErr<TMessage>>
where
    TMessage: Message,
    TReply: Send + 'static,
    TMsgBuilder: Fn(RpcReplyPort<TReply>) -> TMessage,
{
    let mut called = Vec::with_capacity(actors.len());
    for actor in actors {
        let (port, slot) = RpcReplyPort::local(timeout_option);
        called.push((actor.begin(msg_builder(port))?, slot));
    }
    let mut results = Vec::with_capacity(called.len());
    for (sent, slot) in called {
        let outcome = sent.outcome().await;
        results.push(CallResult::of(slot.take().and_then(Result::ok), outcome));
    }
    Ok(results)
}

/// What `call!` and `call_t!` make of a call.
#[doc(hidden)]
pub fn reply_or_error<TMessage, TReply>(
    called: Result<CallResult<TReply>, MessagingErr<TMessage>>,
) -> Result<TReply, RactorErr<TMessage>> {
    match called? {
        CallResult::Success(reply) => Ok(reply),
        CallResult::Timeout => Err(RactorErr::Timeout),
        CallResult::SenderError => Err(MessagingErr::ChannelClosed.into()),
    }
}

impl<TMessage> ActorRef<TMessage>
where
    TMessage: Message,
{
    /// Sends a message without waiting for anything; see [`cast`].
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
    pub fn cast(&self, msg: TMessage) -> Result<(), MessagingErr<TMessage>> {
        cast(self, msg)
    }

    /// Sends a call and waits for the reply; see [`call`].
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
    pub async fn call<TReply, TMsgBuilder>(
        &self,
        msg_builder: TMsgBuilder,
        timeout_option: Option<Duration>,
    ) -> Result<CallResult<TReply>, MessagingErr<TMessage>>
    where
        TMsgBuilder: FnOnce(RpcReplyPort<TReply>) -> TMessage,
        TReply: Send + 'static,
    {
        call(self, msg_builder, timeout_option).await
    }
}

impl<TMessage> DerivedActorRef<TMessage>
where
    TMessage: Message,
{
    /// Sends a message without waiting for anything; see [`cast`].
    ///
    /// # Errors
    /// As for [`cast`].
    pub fn cast(&self, msg: TMessage) -> Result<(), MessagingErr<TMessage>> {
        self.send_message(msg)
    }

    /// Sends a call and waits for the reply; see [`call`].
    ///
    /// # Errors
    /// As for [`call`].
    pub async fn call<TReply, TMsgBuilder>(
        &self,
        msg_builder: TMsgBuilder,
        timeout_option: Option<Duration>,
    ) -> Result<CallResult<TReply>, MessagingErr<TMessage>>
    where
        TMsgBuilder: FnOnce(RpcReplyPort<TReply>) -> TMessage,
        TReply: Send + 'static,
    {
        let (port, slot) = RpcReplyPort::local(timeout_option);
        let outcome = self.begin(msg_builder(port))?.outcome().await;
        Ok(CallResult::of(slot.take().and_then(Result::ok), outcome))
    }
}
