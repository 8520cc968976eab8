//! Taking a tree of supervisors down: every actor in the reverse order of the start, then the supervisors.

use std::collections::HashMap;
use std::time::Duration;

use ractor::{ActorCell, ActorId, ActorRef, RactorErr};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::message::{LiveChild, SupervisorMessage};
use super::shutdown_order::{ShutdownCommand, ShutdownOrder};
use crate::directory::{self, BoxFuture};

/// The time that actors have to stop when another one could not be started.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How actors are asked to end.
#[derive(Debug, Clone)]
pub(super) enum ShutdownMode {
    /// Once they have handled what they were sent.
    Drain,
    /// After the message at hand.
    Stop(String),
}

/// Ends all of these, in the order that [`ShutdownOrder`] says, and then the supervisors. What has not ended after `patience` is killed.
pub(super) async fn shut_down(batches: Vec<Vec<LiveChild>>, mode: &ShutdownMode, patience: Duration) {
    // The time begins here: a supervisor that is slow to answer takes from its actors' time, and doesn't prolong the stop.
    let since = Instant::now();
    let mut tree = FrozenTree::default();
    // All of them, before anybody is stopped: nobody is to be restarted because others are gone.
    tree.freeze(batches, patience).await;
    end_actors(tree.batches, mode, since, patience).await;
    for supervisor in tree.supervisors.into_iter().rev() {
        if !ends_within(patience, &supervisor, "the node is stopping").await {
            supervisor.kill();
        }
    }
}

/// Stops an actor. False if it has not ended by then.
pub(super) async fn ends_within(patience: Duration, cell: &ActorCell, reason: &str) -> bool {
    let stopped = cell.stop_and_wait(Some(reason.to_owned()), Some(patience)).await;
    // Any other error says that it had ended already.
    !matches!(stopped, Err(RactorErr::Timeout))
}

async fn end_actors(batches: Vec<Vec<ActorCell>>, mode: &ShutdownMode, since: Instant, patience: Duration) {
    let ids = batches
        .iter()
        .map(|batch| batch.iter().map(ActorCell::get_id).collect());
    let mut shutdown_order = ShutdownOrder::new(ids.collect(), patience, since.into_std());
    let mut cells: HashMap<ActorId, ActorCell> = batches
        .into_iter()
        .flatten()
        .map(|cell| (cell.get_id(), cell))
        .collect();
    let mut ending = JoinSet::new();
    loop {
        for command in shutdown_order.poll_commands(Instant::now().into_std()) {
            match command {
                ShutdownCommand::End(id) => {
                    if let Some(cell) = cells.get(&id).cloned() {
                        ending.spawn(end_actor(cell, mode.clone()));
                    }
                }
                ShutdownCommand::Kill(id) => {
                    if let Some(cell) = cells.remove(&id) {
                        kill(&cell);
                    }
                }
            }
        }
        // An actor that was killed is not awaited: one that blocks its thread would hold up the stop.
        let Some(until) = shutdown_order.poll_timeout() else {
            return;
        };
        tokio::select! {
            // An empty set would be ready at once, and this loop would spin.
            ended = ending.join_next(), if !ending.is_empty() => if let Some(Ok(id)) = ended {
                shutdown_order.handle_ended(id);
            },
            () = tokio::time::sleep_until(Instant::from_std(until)) => {}
        }
    }
}

#[derive(Default)]
struct FrozenTree {
    batches: Vec<Vec<ActorCell>>,
    /// Each after the one above it.
    supervisors: Vec<ActorCell>,
}

impl FrozenTree {
    fn freeze(&mut self, batches: Vec<Vec<LiveChild>>, patience: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for batch in batches {
                let mut actors = Vec::new();
                for live in batch {
                    match live {
                        LiveChild::Actor(cell) => actors.push(cell),
                        LiveChild::Supervisor(supervisor) => {
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
pub(super) async fn freeze(supervisor: &ActorRef<SupervisorMessage>, patience: Duration) -> Vec<Vec<LiveChild>> {
    let (sender, reply) = oneshot::channel();
    if supervisor.cast(SupervisorMessage::Freeze(sender)).is_err() {
        return Vec::new();
    }
    match tokio::time::timeout(patience, reply).await {
        Ok(Ok(children)) => children,
        // It has ended, and everybody below it.
        _ => Vec::new(),
    }
}

/// Gives its id when it has ended.
async fn end_actor(cell: ActorCell, mode: ShutdownMode) -> ActorId {
    // An error says that it has ended already.
    match mode {
        ShutdownMode::Drain => {
            if let Some(inbox) = directory::inbox(cell.get_id()) {
                inbox.drains();
            }
            drop(cell.drain_and_wait(None).await);
        }
        ShutdownMode::Stop(reason) => drop(cell.stop_and_wait(Some(reason), None).await),
    }
    cell.get_id()
}

fn kill(cell: &ActorCell) {
    let (actor, pid) = (cell.get_name().unwrap_or_default(), cell.get_id().pid());
    tracing::warn!(actor, pid, "actor did not finish its work in time and was killed");
    cell.kill();
}
