//! What else `#[ractor::actor]` takes, in the forms that [`Orders`](crate::Orders) has no use for. They compile in both
//! worlds; a guest has one actor only, so they run natively.

use std::marker::PhantomData;

use ractor::{ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

/// The macro writes the enum of its messages, in all shapes of variants.
#[derive(Debug, Default)]
pub struct Generated;

#[ractor::actor(message = pub enum GeneratedMsg, state = i64, arguments = i64, crate_path = ::ractor)]
impl Generated {
    async fn pre_start(&self, _: ActorRef<GeneratedMsg>, initial: i64) -> Result<i64, ActorProcessingErr> {
        Ok(initial)
    }

    async fn post_start(&self, _: ActorRef<Self::Msg>, state: &mut i64) -> Result<(), ActorProcessingErr> {
        *state += 1;
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Self::Msg>, _: &mut i64) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    /// Adds.
    #[message(Add(amount))]
    fn add(&self, amount: i64, state: &mut i64) {
        *state += amount;
    }

    #[ractor::message(Replace { value })]
    async fn replace(&self, value: i64, state: &mut i64) -> Result<(), ActorProcessingErr> {
        *state = value;
        Ok(())
    }

    #[cfg(any())]
    #[ractor::message(Never)]
    fn never(&self) {}

    #[ractor::rpc(Read)]
    fn read(&self, state: &i64) -> i64 {
        *state
    }

    #[ractor::rpc(Sum { left, reply, right })]
    async fn sum(&self, _myself: ActorRef<GeneratedMsg>, left: i64, right: i64, state: &i64) -> i64 {
        Self::LEAST.max(left + right + *state)
    }

    const LEAST: i64 = 0;
}

impl ractor::Message for GeneratedMsg {}

/// It handles its messages by itself.
#[derive(Debug, Default)]
pub struct Raw;

#[ractor::actor(message = Vec<String>)]
impl Raw {
    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        words: Self::Msg,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        myself.stop(words.into_iter().next());
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Self::Msg>,
        _: SupervisionEvent,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// It does nothing.
#[derive(Debug, Default)]
pub struct Idle;

#[ractor::actor(message = ())]
impl Idle {}

/// Its messages have a parameter.
#[derive(Debug)]
pub struct Echo<T>(PhantomData<T>);

impl<T> Default for Echo<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// What an [`Echo`] understands.
#[derive(Debug)]
pub enum EchoMsg<T> {
    /// Replies with the value.
    Say(T, RpcReplyPort<T>),
    /// Nothing.
    Skip(T),
}

impl<T: Send + 'static> ractor::Message for EchoMsg<T> {}

#[ractor::actor(message = EchoMsg<T>)]
impl<T> Echo<T>
where
    T: Send + Sync + 'static,
{
    #[ractor::rpc(EchoMsg::Say(value, reply))]
    fn say(&self, value: T) -> T {
        value
    }

    #[ractor::message(EchoMsg::Skip(_))]
    fn skip(&self) {}
}
