//! The end of a state.

use std::sync::Arc;

use ractor::RpcReplyPort;
use ractor_host_directory::{FailureReason, fail};
use ractor_host_placement::words::Entity;

use super::kind::TypeState;
use crate::seat::told;
use crate::store::StoreError;

impl TypeState {
    /// Gives up an entity's state: see [`Entities::delete`](super::Entities::delete).
    pub(super) async fn delete(&self, entity: &Entity) -> Result<(), StoreError> {
        let mut has_ended = false;
        let deleted = loop {
            self.wait_until(|table| !table.is_between(&entity.key)).await;
            if !has_ended && let Some(active) = self.leave(&entity.key, true) {
                active.0.seat.settle().await;
                has_ended = true;
                continue;
            }
            let Ok(right) = self.right(entity) else {
                return Err(StoreError::elsewhere(entity));
            };
            let fence = right.map(|(_, fence)| fence);
            let deleted = {
                let table = self.table.lock();
                let has_no_place = !table.is_between(&entity.key) && table.active_actor(&entity.key).is_none();
                // With the lock, so that an activation that begins now reads what there is after this.
                has_no_place.then(|| self.node.writer.delete(entity, fence))
            };
            if let Some(deleted) = deleted {
                break deleted;
            }
            if has_ended {
                // Its state was given up as it ended. What is there by now has begun without it, and is another's.
                return self.node.writer.read(entity, fence).await.map(drop);
            }
        };
        deleted.await
    }

    /// The same for whoever waits at this port.
    pub(crate) async fn delete_for(self: Arc<Self>, entity: Entity, port: RpcReplyPort<Vec<u8>>) {
        match self.delete(&entity).await {
            // Whoever asked may have given up.
            Ok(()) => drop(port.send(Vec::new())),
            Err(error) => told(fail(port, FailureReason::new(&error.to_string()))),
        }
    }
}
