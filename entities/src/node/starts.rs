//! Activations: as many at a time and in a second as may be.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorCell;
use ractor_host_placement::activation::Activations;
use ractor_host_placement::words::{BootTime, Entity};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::find;
use super::kind::TypeState;
use crate::cluster::Cluster;
use crate::reminders::schedule::Schedule;
use crate::writer::Writer;

/// What the types of a node have in common.
pub(super) struct Node {
    pub(super) writer: Writer,
    pub(super) schedule: Schedule,
    pub(super) supervisor: ActorCell,
    /// The other nodes, if it is one of several.
    pub(super) cluster: Option<Arc<Cluster>>,
    pub(super) starts: Mutex<Activations<Entity>>,
    pub(super) wanted: Notify,
    pub(super) begun: Instant,
    pub(super) types: Mutex<Vec<Arc<TypeState>>>,
    /// What peers send to.
    pub(super) type_actors: Mutex<Vec<ActorCell>>,
    pub(super) tasks: Mutex<Vec<AbortHandle>>,
    /// Sends to other nodes, until the end.
    pub(super) sending: Mutex<Option<AbortHandle>>,
}

impl Node {
    pub(super) fn now(&self) -> BootTime {
        BootTime(u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn want(&self, entity: Entity) {
        self.starts.lock().handle_wanted(entity);
        self.wanted.notify_one();
    }

    pub(super) fn started(&self, entity: Entity, succeeded: bool) {
        self.starts.lock().handle_finished(entity, succeeded, self.now());
        self.wanted.notify_one();
    }

    /// Begins activations, as many at a time and in a second as may be.
    pub(super) async fn run_starts(self: Arc<Self>) {
        loop {
            loop {
                let next = self.starts.lock().poll_start(self.now());
                let Some(entity) = next else { break };
                match find(&entity.entity_type) {
                    Some(of) => drop(tokio::spawn(of.activate(entity.key))),
                    None => self.starts.lock().handle_finished(entity, true, self.now()),
                }
            }
            let timeout = self.starts.lock().poll_timeout();
            let wait = timeout.map(|at| at.since(self.now()).max(Duration::from_millis(1)));
            let time = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wanted.notified() => {}
                () = time => {}
            }
        }
    }
}
