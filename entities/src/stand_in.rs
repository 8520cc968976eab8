//! An actor in an entity's place, for code that wants an actor.

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorRuntime};
use ractor_host_directory::{FailureReason, fail, reserve_hosted_id};
use ractor_host_placement::words::Entity;

use crate::native::Opaque;
use crate::node::{find, send};
use crate::seat::told;

/// Keeps the actor of [`EntityRef::actor_ref`](crate::EntityRef::actor_ref) there until it is dropped. What was sent to it by then still
/// goes on to the entity.
#[derive(Debug)]
#[must_use = "without it the actor ends, and takes no messages"]
pub struct StandIn(ActorCell);

impl StandIn {
    /// None if this process has no entities of that type, or they are ending.
    pub(crate) async fn spawn(entity: &Entity) -> Option<Self> {
        let above = find(&entity.entity_type)?.supervisor();
        let handler = Forwarding(entity.clone());
        // In no directory: it is reached by the reference alone.
        let spawned = ActorRuntime::<Forwarding>::spawn_linked_remote(None, handler, reserve_hosted_id(), (), above);
        let (actor, _) = spawned.await.ok()?;
        Some(Self(actor.get_cell()))
    }

    pub(crate) fn actor(&self) -> ActorCell {
        self.0.clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended with the entities.
        drop(self.0.drain());
    }
}

/// Passes on whatever comes.
struct Forwarding(Entity);

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Forwarding {
    type Msg = Opaque;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Opaque>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_serialized(
        &self,
        _: ActorRef<Opaque>,
        message: SerializedMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let Err(refused) = send(&self.0, message) else {
            return Ok(());
        };
        let (entity, reason) = (&self.0, refused.reason);
        match refused.message {
            SerializedMessage::Call { reply, .. } => {
                told(fail(reply, FailureReason::new(&format!("{entity}: {reason}"))));
            }
            SerializedMessage::Cast { .. } | SerializedMessage::CallReply(..) => {
                tracing::warn!(%entity, %reason, "a message to the stand-in of an entity is given up");
            }
        }
        Ok(())
    }
}
