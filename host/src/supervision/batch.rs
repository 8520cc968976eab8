//! Starting many children at once: the thousand actors of one entry needn't wait for each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::task::{Id, JoinSet};

use super::child::ChildStart;
use super::message::{NotStarted, RunningChild};

/// Starts under way for each processor: one that runs, and others that are there when it is done.
const AT_ONCE: usize = 4;

/// What came of the starts, each by the place of the child.
#[derive(Default)]
pub(super) struct StartedChildren {
    pub(super) running: Vec<(usize, RunningChild)>,
    /// The first that failed, in the order of the children.
    failed: Option<(usize, NotStarted)>,
}

impl StartedChildren {
    pub(super) fn failure(self) -> Option<NotStarted> {
        self.failed.map(|(_, error)| error)
    }

    fn add(&mut self, index: usize, outcome: Result<RunningChild, NotStarted>) {
        match outcome {
            Ok(running) => self.running.push((index, running)),
            Err(error) if self.failed.as_ref().is_none_or(|(first, _)| index < *first) => {
                self.failed = Some((index, error));
            }
            Err(_) => {}
        }
    }
}

/// Starts children in no order. After a failure no further start is begun.
pub(super) async fn start_together(mut launches: Vec<ChildStart>) -> StartedChildren {
    let mut started = StartedChildren::default();
    if launches.len() > 1 {
        return start_on_tasks(launches).await;
    }
    if let Some(launch) = launches.pop() {
        started.add(launch.index, launch.start().await);
    }
    started
}

async fn start_on_tasks(launches: Vec<ChildStart>) -> StartedChildren {
    let at_once = AT_ONCE * available_parallelism().map_or(1, usize::from);
    let mut started = StartedChildren::default();
    let mut waiting = launches.into_iter();
    let mut under_way: HashMap<Id, (usize, Arc<str>)> = HashMap::new();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < at_once
            && started.failed.is_none()
            && let Some(launch) = waiting.next()
        {
            let child = (launch.index, launch.spec.name.clone());
            under_way.insert(tasks.spawn(launch.start()).id(), child);
        }
        // Also after a failure, until all have ended: whoever stops the actors has to know of those that came up.
        let Some(ended) = tasks.join_next_with_id().await else {
            return started;
        };
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, Ok(outcome)),
            // What a program does to start its actors may panic.
            Err(ended) => (ended.id(), Err(ended.to_string())),
        };
        if let Some((index, name)) = under_way.remove(&id) {
            let outcome = outcome.unwrap_or_else(|reason| {
                Err(NotStarted {
                    child: name.to_string(),
                    reason: reason.into(),
                })
            });
            started.add(index, outcome);
        }
    }
}
