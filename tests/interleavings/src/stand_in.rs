//! The part of ractor's actors that a mailbox uses: a queue of tokens that may be closed to new ones.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::SerializedMessage;
use crate::sync::{Mutex, MutexGuard};

/// How far an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActorStatus {
    /// It takes messages.
    Running,
    /// It handles those that it has.
    Draining,
}

/// An actor.
#[derive(Debug, Clone)]
pub struct ActorCell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Mutex<(ActorStatus, VecDeque<SerializedMessage>)>,
    changed: tokio::sync::Notify,
}

impl ActorCell {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            queue: Mutex::new((ActorStatus::Running, VecDeque::new())),
            changed: tokio::sync::Notify::new(),
        }))
    }

    pub(crate) fn get_status(&self) -> ActorStatus {
        self.lock().0
    }

    pub(crate) fn send_serialized(&self, message: SerializedMessage) -> Result<(), SerializedMessage> {
        let mut queue = self.lock();
        if queue.0 == ActorStatus::Draining {
            return Err(message);
        }
        queue.1.push_back(message);
        drop(queue);
        self.0.changed.notify_one();
        Ok(())
    }

    /// From now on nothing more is taken.
    pub(crate) fn drain(&self) {
        self.lock().0 = ActorStatus::Draining;
        self.0.changed.notify_one();
    }

    /// The next message; none once there will be no more.
    pub(crate) async fn receive(&self) -> Option<SerializedMessage> {
        loop {
            {
                let mut queue = self.lock();
                if let Some(message) = queue.1.pop_front() {
                    return Some(message);
                }
                if queue.0 == ActorStatus::Draining {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, (ActorStatus, VecDeque<SerializedMessage>)> {
        self.0.queue.lock()
    }
}
