//! Taking a tree of supervisors down: every actor in the reverse order of the start, then the supervisors.

use std::time::Duration;

use ractor::{ActorCell, ActorRef, RactorErr};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::actor::Message;
use crate::directory::BoxFuture;

/// How long what was started may take to stop when the rest could not be started.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who is alive.
#[derive(Debug)]
pub(super) enum Live {
    Actor(ActorCell),
    Supervisor(ActorRef<Message>),
}

/// How actors are asked to end.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// Once they have handled what they were sent.
    Drain,
    /// After the message at hand.
    Stop(String),
}

/// Ends all of these. A batch is waited for before the one before it is asked, but for no longer than half of the time
/// that is left; it may go on meanwhile. What has not ended after `patience` is killed.
pub(super) async fn wind_down(batches: Vec<Vec<Live>>, way: &Way, patience: Duration) {
    let deadline = Instant::now() + patience;
    let mut tree = Tree::default();
    // All of them, before anybody is stopped: nobody is to be restarted because others are gone.
    tree.freeze(batches, patience).await;
    let mut late = Vec::new();
    for batch in tree.batches.into_iter().rev() {
        let mut ending = JoinSet::new();
        for cell in batch {
            ending.spawn(end_actor(cell, way.clone(), deadline));
        }
        let half = deadline.saturating_duration_since(Instant::now()) / 2;
        let all = async { while ending.join_next().await.is_some() {} };
        if tokio::time::timeout(half, all).await.is_err() {
            late.push(ending);
        }
    }
    for mut ending in late {
        while ending.join_next().await.is_some() {}
    }
    for supervisor in tree.supervisors.into_iter().rev() {
        let reason = Some("the node is stopping".to_owned());
        if let Err(RactorErr::Timeout) = supervisor.stop_and_wait(reason, Some(patience)).await {
            supervisor.kill();
        }
    }
}

#[derive(Default)]
struct Tree {
    batches: Vec<Vec<ActorCell>>,
    /// Each after the one above it.
    supervisors: Vec<ActorCell>,
}

impl Tree {
    fn freeze(&mut self, batches: Vec<Vec<Live>>, patience: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for batch in batches {
                let mut actors = Vec::new();
                for live in batch {
                    match live {
                        Live::Actor(cell) => actors.push(cell),
                        Live::Supervisor(supervisor) => {
                            self.supervisors.push(supervisor.get_cell());
                            let children = freeze(&supervisor, patience).await;
                            self.freeze(children, patience).await;
                        }
                    }
                }
                self.batches.push(actors);
            }
        })
    }
}

/// Keeps a supervisor from restarting anything, and learns who is alive below it.
pub(super) async fn freeze(supervisor: &ActorRef<Message>, patience: Duration) -> Vec<Vec<Live>> {
    let (sender, reply) = oneshot::channel();
    if supervisor.cast(Message::Freeze(sender)).is_err() {
        return Vec::new();
    }
    match tokio::time::timeout(patience, reply).await {
        Ok(Ok(children)) => children,
        // It has ended, and everybody below it.
        _ => Vec::new(),
    }
}

async fn end_actor(cell: ActorCell, way: Way, deadline: Instant) {
    let patience = Some(deadline.saturating_duration_since(Instant::now()));
    let is_late = match way {
        Way::Drain => matches!(cell.drain_and_wait(patience).await, Err(RactorErr::Timeout)),
        Way::Stop(reason) => matches!(
            cell.stop_and_wait(Some(reason), patience).await,
            Err(RactorErr::Timeout)
        ),
    };
    if is_late {
        let (actor, pid) = (cell.get_name().unwrap_or_default(), cell.get_id().pid());
        tracing::warn!(actor, pid, "actor did not finish its work in time and was killed");
        cell.kill();
    }
}
