//! A session under a node of the program's own making: sessions and nodes talk in the public messages only.

use std::collections::HashMap;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent, call};
use ractor_cluster::node::{NodeConnectionMode, SessionCheckReply};
use ractor_cluster::{ClusterBidiStream, NetworkStream, NodeServerMessage, NodeSession, NodeSessionMessage};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::support::{Kind, Node, alone, in_time, pipe};

/// Stands where a `NodeServer` would, lets every session live, and tells what it is told.
struct Registrar(UnboundedSender<&'static str>);

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Registrar {
    type Msg = NodeServerMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<NodeServerMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<NodeServerMessage>,
        message: NodeServerMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match message {
            NodeServerMessage::UpdateSession { name, .. } => {
                assert_eq!(name.name, "other@localhost");
                self.0.send("named")?;
            }
            NodeServerMessage::CheckSession { reply, .. } => reply.send(SessionCheckReply::NoOtherConnection)?,
            NodeServerMessage::ConnectionAuthenticated(_) => self.0.send("authenticated")?,
            NodeServerMessage::ConnectionReady(_) => self.0.send("ready")?,
            NodeServerMessage::GetSessions(reply) => reply.send(HashMap::new())?,
            NodeServerMessage::ConnectionOpened { .. }
            | NodeServerMessage::ConnectionOpenedExternal { .. }
            | NodeServerMessage::SubscribeToEvents { .. }
            | NodeServerMessage::UnsubscribeToEvents(_)
            | NodeServerMessage::PortChanged { .. } => return Err("not for a registrar".into()),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<NodeServerMessage>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorTerminated(..) | SupervisionEvent::ActorFailed(..) = event {
            self.0.send("ended")?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_session_works_under_a_node_of_the_programs_own() {
    let _alone = alone().await;
    let mut other = Node::start("other").await;
    let (told, mut hears) = unbounded_channel();
    let (registrar, registrar_ends) = Actor::spawn(None, Registrar(told), ()).await.unwrap();

    let (left, right) = pipe("one", "other");
    let (peer_label, local_label) = (left.peer_label(), left.local_label());
    let (reader, writer) = left.split();
    let stream = NetworkStream::External {
        peer_label,
        local_label,
        reader,
        writer,
    };
    assert!(format!("{stream:?}").contains("External"));
    let session = NodeSession::new(
        1_000,
        true,
        "cookie".to_owned(),
        registrar.clone(),
        Default::default(),
        NodeConnectionMode::Isolated,
    )
    .with_max_inbound_frame_size(1024 * 1024);
    let (session, _) = Actor::spawn_linked(None, session, stream, registrar.get_cell())
        .await
        .unwrap();
    ractor_cluster::client_connect_external(&other.server, right)
        .await
        .unwrap();

    for expected in ["named", "authenticated", "ready"] {
        assert_eq!(in_time(expected, hears.recv()).await, Some(expected));
    }
    assert!(call!(session, NodeSessionMessage::GetReadyState).unwrap());
    assert_eq!(other.until(Kind::Ready).await.peer_addr, "one");

    other.stop().await;
    assert_eq!(in_time("the end of the session", hears.recv()).await, Some("ended"));
    registrar.stop(None);
    registrar_ends.await.unwrap();
}
