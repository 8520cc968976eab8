//! Shards that come and go, and what that is for the entities in them.

use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorCell, SpawnErr};
use ractor_host_placement::node::Event;

use super::Cluster;
use super::gate::Gate;
use crate::node::Entities;
use crate::store::Fence;

/// The time that entities have to handle what they were sent when their shard goes to another node. After that they are killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time between two looks whether a shard is still this node's to give away.
const LOST: Duration = Duration::from_millis(250);

/// The longest time between two looks at what waits for other nodes.
const LOOK: Duration = Duration::from_secs(5);

impl Cluster {
    /// The gate of this node.
    pub(crate) async fn open(self: &Arc<Self>, supervisor: ActorCell) -> Result<ActorCell, SpawnErr> {
        Gate::spawn(self.clone(), supervisor).await
    }

    /// Sends again what has to be, and answers, until it is given up.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.answer();
            let wait = self.look().unwrap_or(LOOK).min(LOOK);
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
            }
        }
    }
}

impl Entities {
    /// Something has happened to this node's part in its cluster. To be told in order. Never waits.
    pub fn handle_cluster_event(&self, event: Event) {
        let Some(cluster) = self.cluster() else { return };
        match event {
            Event::Joined => cluster.greet(),
            Event::Acquired { shard, .. } => {
                cluster.incoming.left(shard);
                self.shard_came(shard);
                cluster.changed();
            }
            Event::Stop { shard, epoch, to } => {
                cluster.incoming.leaves(shard, epoch, to);
                tokio::spawn(self.clone().hand_over(cluster, Fence { shard, epoch }));
            }
            Event::Released { .. } | Event::GenerationChanged | Event::Left => cluster.changed(),
            Event::Lost { shard, epoch, .. } => {
                self.shard_lost(Fence { shard, epoch });
                cluster.changed();
            }
            Event::NodeEnded(incarnation) => cluster.ended_elsewhere(incarnation),
            // The next life greets when it has joined.
            Event::Ended => {}
        }
    }

    /// The entities of a shard end in order, each with what it has taken; what comes for them meanwhile goes where the shard goes.
    async fn hand_over(self, cluster: Arc<Cluster>, fence: Fence) {
        let ends = async {
            let in_time = tokio::time::timeout(PATIENCE, self.end_shard(fence)).await;
            if in_time.is_err() {
                tracing::warn!(
                    shard = ?fence.shard,
                    "entities of a shard that goes to another node were killed: they didn't end in time"
                );
                self.kill_shard(fence);
                self.end_shard(fence).await;
            }
        };
        // The right may be lost meanwhile, and the shard come back.
        let lost = async {
            while cluster.holds(fence) {
                tokio::time::sleep(LOST).await;
            }
        };
        tokio::select! {
            () = ends => {}
            () = lost => return,
        }
        if let Some(ownership) = cluster.ownership() {
            ownership.stopped(fence.shard, fence.epoch);
        }
        cluster.changed();
    }
}
