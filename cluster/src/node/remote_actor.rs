//! The stand-in for one actor of a peer.

use std::sync::Arc;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr};

use tokio::task::yield_now;

use super::link::Link;
use crate::transport::Enqueued;

/// Takes serialized messages and encodes them into the link to the actor it stands for.
#[derive(Debug)]
pub(super) struct RemoteActor;

/// A stand-in understands no message of its own: ractor only ever hands it serialized ones.
#[derive(Debug)]
pub(super) struct RemoteActorMessage;

impl ractor::Message for RemoteActorMessage {}

/// Spawns the stand-in for the peer's actor `pid` under its session.
pub(super) async fn spawn_stand_in(
    name: Option<String>,
    pid: u64,
    link: Arc<Link>,
    session: ActorCell,
) -> Result<ActorRef<RemoteActorMessage>, SpawnErr> {
    let id = ActorId::Remote {
        node_id: link.node_id(),
        pid,
    };
    // The link makes ractor end the stand-in with its session, even if that is killed and cleans nothing up.
    let (actor, _) = ActorRuntime::spawn_linked_remote(name, RemoteActor, id, link, session).await?;
    Ok(actor)
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for RemoteActor {
    type Msg = RemoteActorMessage;
    type State = Arc<Link>;
    type Arguments = Arc<Link>;

    async fn pre_start(&self, _: ActorRef<Self::Msg>, link: Arc<Link>) -> Result<Self::State, ActorProcessingErr> {
        Ok(link)
    }

    async fn handle_serialized(
        &self,
        myself: ActorRef<Self::Msg>,
        message: SerializedMessage,
        link: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let is_call = matches!(message, SerializedMessage::Call { .. });
        // What can't be sent is counted and logged there; a stand-in has nobody else to tell.
        let taken = link.send(myself.get_id().pid(), message);
        if let Ok(Enqueued::FirstOfBatch) = taken
            && is_call
        {
            // Actors that are about to call do so now, and their calls are taken in one go. Otherwise each would wake this actor,
            // which would run once for each of them. Casts come from few actors, and would pile up meanwhile.
            yield_now().await;
        }
        Ok(())
    }
}
