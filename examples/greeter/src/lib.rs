//! Greets whoever calls.

use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort};

/// What a [`Greeter`] understands.
#[derive(RactorClusterMessage)]
pub enum GreeterMsg {
    /// Replies with a greeting of this name.
    #[rpc]
    Greet(String, RpcReplyPort<String>),
}

/// Greets in the words it was started with.
#[derive(Default)]
pub struct Greeter;

impl Actor for Greeter {
    type Msg = GreeterMsg;
    type State = String;
    type Arguments = String;

    async fn pre_start(&self, _: ActorRef<GreeterMsg>, words: String) -> Result<String, ActorProcessingErr> {
        Ok(words)
    }

    async fn handle(
        &self,
        _: ActorRef<GreeterMsg>,
        GreeterMsg::Greet(name, reply): GreeterMsg,
        words: &mut String,
    ) -> Result<(), ActorProcessingErr> {
        reply.send(format!("{words}, {name}!"))?;
        Ok(())
    }
}

ractor::export!(Greeter);
