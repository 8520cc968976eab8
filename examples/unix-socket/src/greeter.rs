//! What the two nodes have to say to each other.

use std::sync::Mutex;

use ractor::concurrency::{OneshotReceiver, OneshotSender, oneshot};
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr, RpcReplyPort};
use ractor_host::node::NodeServerSessionInformation;
use ractor_host::{NodeEventSubscription, NodeServerMessage, RactorClusterMessage};

/// The process group that the greeter is in.
pub(crate) const GROUP: &str = "greeters";

#[derive(RactorClusterMessage)]
pub(crate) enum GreeterMessage {
    #[rpc]
    Greet(String, RpcReplyPort<String>),
}

pub(crate) struct Greeter;

impl Actor for Greeter {
    type Msg = GreeterMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<GreeterMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<GreeterMessage>,
        GreeterMessage::Greet(name, reply): GreeterMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        println!("greeting {name}");
        reply.send(format!("Hello, {name}!"))?;
        Ok(())
    }
}

/// Resolves to the peer's name once a session is ready, to an error if one ends before that.
pub(crate) fn until_ready(
    server: &ActorRef<NodeServerMessage>,
) -> Result<OneshotReceiver<String>, MessagingErr<NodeServerMessage>> {
    let (tell, ready) = oneshot();
    server.cast(NodeServerMessage::SubscribeToEvents {
        id: "until ready".into(),
        subscription: Box::new(UntilReady(Mutex::new(Some(tell)))),
    })?;
    Ok(ready)
}

struct UntilReady(Mutex<Option<OneshotSender<String>>>);

impl UntilReady {
    fn take(&self) -> Option<OneshotSender<String>> {
        self.0.lock().ok()?.take()
    }
}

impl NodeEventSubscription for UntilReady {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        let name = session.peer_name.map(|peer| peer.name).unwrap_or_default();
        self.take().map(|tell| tell.send(name));
    }

    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {
        drop(self.take());
    }
}
