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

/// Sends a call and waits for the reply, without a timeout as long as it takes. The host suspends this actor meanwhile;
/// it handles no other message. Calls are therefore one after the other, however their futures are combined.
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
    let outcome = actor.send(msg_builder(port))?;
    Ok(CallResult::of(slot.take().and_then(Result::ok), outcome))
}

/// Makes the same call to several actors, and waits for all replies, in the order of `actors`. The calls are made one
/// after the other; the timeout is that of each.
///
/// # Errors
/// As for [`call`], of the first message that was not accepted; the actors after that one are not called.
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
    let mut results = Vec::with_capacity(actors.len());
    for actor in actors {
        results.push(call(actor, &msg_builder, timeout_option).await?);
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
        let outcome = self.send(msg_builder(port))?;
        Ok(CallResult::of(slot.take().and_then(Result::ok), outcome))
    }
}
